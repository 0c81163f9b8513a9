//! Connections as settings show them: everything that has to be copied to the provider, no signing secret.

use std::collections::HashMap;

use parlance_domain::{
    ChannelId, ConnectionId,
    connection::{ChannelKind, ConnectionSecrets},
    permissions::Action,
};
use parlance_projections::{
    FoldError,
    connections::{CONNECTIONS, ConnectionRow},
};
use parlance_store::{FIRST_GENERATION, NAMED_MAX, Store};

use super::{Queries, opening::Opening};
use crate::front::{Asker, ConnectionView, FrontError};

impl<S: Store + Clone> Queries<S> {
    /// All connections, in id order; for whoever manages channels, `NotPermitted` for others. One whose secrets
    /// cannot be opened has no address to show and is left out; the log says so.
    pub async fn connections(&self, by: Asker) -> Result<Vec<ConnectionView>, FrontError> {
        if !self.sight(by, Vec::new()).await?.may(Action::ManageChannels, None) {
            return Err(FrontError::NotPermitted);
        }
        let rows = self.store.scan_rows(by.account, FIRST_GENERATION, &CONNECTIONS, None, NAMED_MAX).await?;
        let rows = rows.iter().map(ConnectionRow::from_row).collect::<Result<Vec<_>, FoldError>>()?;
        let mut channels = HashMap::<ConnectionId, Vec<ChannelId>>::new();
        for row in self.channel_rows(by).await? {
            channels.entry(row.connection).or_default().push(row.channel);
        }
        let mut wanted = Opening::default();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|mut row| {
                let secrets = wanted.add(row.secrets.take());
                (row, secrets)
            })
            .collect();
        let opened = self.open(by.account, wanted).await?;
        let view = |(row, secrets): (ConnectionRow, _)| {
            let secrets = opened.value::<ConnectionSecrets>(secrets)?;
            Some(ConnectionView {
                id: row.connection,
                kind: row.kind,
                webhook_url: self.webhook_url(row.kind, &secrets),
                verify_token: secrets.verify_token,
                added_at: row.added_at,
                rotated_at: row.rotated_at,
                previous_accepted: secrets.signing_previous.is_some(),
                channels: channels.remove(&row.connection).unwrap_or_default(),
            })
        };
        Ok(rows.into_iter().filter_map(view).collect())
    }

    fn webhook_url(&self, kind: ChannelKind, secrets: &ConnectionSecrets) -> String {
        let address = self.settings.public_address.trim_end_matches('/');
        let fragments = &self.settings.address_fragments;
        let fragment = fragments.iter().find(|(of, _)| *of == kind).map_or("", |(_, fragment)| fragment);
        format!("{address}/webhooks/{}{fragment}", secrets.webhook_token)
    }
}

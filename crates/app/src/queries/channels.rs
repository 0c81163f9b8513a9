//! Channels as members see them.

use parlance_domain::{channel::ChannelIdentity, permissions::Action};
use parlance_projections::channels::{ChannelRow, Health};
use parlance_store::Store;

use super::{
    Queries,
    opening::{Opened, Opening, Part},
    sight::Sight,
};
use crate::front::{Asker, ChannelHealth, ChannelView, FrontError};

/// The actions of the table that a channel decides on.
const ON_CHANNELS: [Action; 4] =
    [Action::ManageChannels, Action::GovernChannel, Action::UseConversation, Action::DeleteConversation];

impl<S: Store + Clone> Queries<S> {
    /// The channels that exist for the asker, by name: those they have access to, and all for whoever manages
    /// channels.
    pub async fn channels(&self, by: Asker) -> Result<Vec<ChannelView>, FrontError> {
        self.asker(by).await?;
        let mut rows = self.channel_rows(by).await?;
        let sight = self.sight(by, rows.iter().map(|row| row.channel).collect()).await?;
        rows.retain(|row| sight.lists(row.channel));
        self.channel_views(&sight, rows).await
    }

    /// The rows, of channels that exist for the asker, as the asker sees them, by name.
    pub(super) async fn channel_views(
        &self,
        sight: &Sight,
        rows: Vec<ChannelRow>,
    ) -> Result<Vec<ChannelView>, FrontError> {
        let mut wanted = Opening::default();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|mut row| {
                let identity = wanted.add(row.identity.take());
                (row, identity)
            })
            .collect();
        let opened = self.open(sight.by.account, wanted).await?;
        let mut views: Vec<_> =
            rows.into_iter().map(|(row, identity)| view(sight, &row, identity, &opened)).collect();
        // Those without a name stand last.
        let name = |view: &ChannelView| view.name.as_ref().map(|name| name.to_lowercase());
        views.sort_by_cached_key(|view| (view.name.is_none(), name(view), view.id));
        Ok(views)
    }
}

fn view(sight: &Sight, row: &ChannelRow, identity: Option<Part>, opened: &Opened) -> ChannelView {
    let identity = opened.value::<ChannelIdentity>(identity);
    let (name, provider_id) =
        identity.map(|identity| (identity.name.as_str().to_owned(), identity.provider_id)).unzip();
    let may = |action: &Action| sight.may(*action, Some(row.channel));
    ChannelView {
        id: row.channel,
        kind: row.kind,
        name,
        provider_id: provider_id.filter(|_| sight.may(Action::ManageChannels, None)),
        connection: row.connection,
        installer: row.installer,
        health: match row.health {
            Health::Connected => ChannelHealth::Connected,
            Health::Broken => ChannelHealth::Broken,
            Health::Disconnected => ChannelHealth::Disconnected,
        },
        visibility: row.visibility,
        reopen_rule: row.reopen_rule,
        connected_at: row.connected_at,
        may: ON_CHANNELS.into_iter().filter(may).collect(),
    }
}

//! Connecting a channel, and rotating a connection's secrets. The credentials are tried first: whoever
//! reconnects becomes the installer, so knowing them is what it takes.

use std::sync::Arc;

use parlance_domain::{
    Actor, ChannelId, Command, ConnectionId, Name, Personal, Refusal,
    channel::{Channel, ChannelCommand, ChannelError, Health, Visibility},
    connection::{ChannelKind, Connection, ConnectionCommand, ConnectionError, ConnectionSecrets},
    permissions::Action,
};
use parlance_store::Store;

use super::{Asker, ConnectChannel, Desk, Done, FrontError};
use crate::{
    command::CommandError,
    ingestion::{CheckError, Credentials, webhook_token},
    tokens::random,
};

/// Rotations that may come between looking and rotating.
const ROTATIONS_MAX: usize = 4;

/// A connecting under way: what was typed, made sense of.
pub(super) struct Connecting<'a, S> {
    desk: &'a Desk<S>,
    by: Asker,
    kind: ChannelKind,
    provider_id: String,
    channel: ChannelId,
    state: Arc<Channel>,
    connection: Option<ConnectionId>,
    signing: Option<String>,
    access: Option<String>,
    name: Option<Name>,
    visibility: Visibility,
}

/// A typed secret: blanks around it come from copying.
fn typed(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

impl<'a, S: Store + Clone> Connecting<'a, S> {
    pub async fn new(desk: &'a Desk<S>, by: Asker, asked: ConnectChannel) -> Result<Self, FrontError> {
        desk.judge(by, Action::ManageChannels).await?;
        let ConnectChannel { kind, provider_id, connection, signing, access, name, visibility } = asked;
        let provider_id =
            desk.providers.of(kind).provider_id(&provider_id).ok_or(FrontError::NotAProviderId)?;
        let ring = desk.keyring.account(&desk.store, by.account).await?.ok_or(FrontError::NotFound)?;
        let channel = ring.ids.channel(kind, &provider_id);
        let state = desk.commands.peek::<Channel>(by.account, channel.uuid()).await?;
        let this = Self {
            desk,
            by,
            kind,
            provider_id,
            channel,
            state,
            connection,
            signing: typed(signing),
            access: typed(access),
            name,
            visibility,
        };
        this.complete().map(|()| this)
    }

    /// What has to be typed. Reconnecting takes the page's or number's own credentials, never stored ones:
    /// they are what makes an installer.
    fn complete(&self) -> Result<(), FrontError> {
        let known = self.state.health != Health::Absent;
        if !known && self.desk.closed_kinds.contains(&self.kind) {
            return Err(FrontError::KindClosed);
        }
        let (signing, access) = match self.kind {
            ChannelKind::Messenger => (!known && self.connection.is_none(), true),
            ChannelKind::WhatsappTwilio => {
                (known || self.connection.is_none(), known || self.connection.is_none())
            }
        };
        match () {
            () if signing && self.signing.is_none() => Err(FrontError::SigningSecretMissing),
            () if access && self.access.is_none() => Err(FrontError::AccessMissing),
            () => Ok(()),
        }
    }

    pub async fn run(self) -> Result<Done<ChannelId>, FrontError> {
        let (connection, before) = self.under().await?;
        let after = self.secrets(connection, before.as_ref())?;
        let page_access = match self.kind {
            ChannelKind::Messenger => self.access.clone(),
            ChannelKind::WhatsappTwilio => None,
        };
        let credentials =
            Credentials { secrets: &after, access: page_access.as_deref(), provider_id: &self.provider_id };
        let checked = self.desk.providers.of(self.kind).check(credentials).await?;
        if checked.shared && self.state.connection.is_some_and(|own| own != connection) {
            // Everybody has this number: only the account that it is connected by can be told from others.
            return Err(CheckError::Refused.into());
        }
        let mut commands = Vec::with_capacity(2);
        match before {
            None => {
                let add = ConnectionCommand::Add { kind: self.kind, secrets: after };
                commands.push(Command::Connection(connection, add));
            }
            Some(before) if before != after => {
                let rotate =
                    ConnectionCommand::RotateSecrets { secrets: after, instead_of: Some(before.signing) };
                commands.push(Command::Connection(connection, rotate));
            }
            Some(_) => {}
        }
        let connect = ChannelCommand::Connect {
            connection,
            kind: self.kind,
            name: self.name(checked.name),
            provider_id: self.provider_id,
            access: page_access,
            visibility: self.visibility,
        };
        commands.push(Command::Channel(self.channel, connect));
        let ask = self.desk.ask(self.by.account, Actor::Member(self.by.member), commands);
        let receipt = self.desk.commands.submit(ask).await?;
        Ok(Done { value: self.channel, position: receipt.position() })
    }

    /// The connection to put it under, with its secrets if it exists: the one that was named; else the channel's
    /// own, so that its webhook address stays; else one of the same application, whose webhook address is the
    /// only one that it has; else a new one.
    async fn under(&self) -> Result<(ConnectionId, Option<ConnectionSecrets>), FrontError> {
        if let Some(named) = self.connection {
            let state = self.desk.connection(self.by, named).await?;
            if state.kind != Some(self.kind) {
                return Err(refused(ChannelError::ConnectionMismatch.into()));
            }
            let secrets = readable(&state)?;
            // Its secrets belong to all its channels: what is typed for one more of them does not replace them.
            let fits = match self.kind {
                ChannelKind::Messenger => self.signing.as_ref().is_none_or(|typed| accepted(&secrets, typed)),
                ChannelKind::WhatsappTwilio => {
                    self.access.is_none() || (secrets.access == self.access && self.signing.is_some())
                }
            };
            return if fits { Ok((named, Some(secrets))) } else { Err(CheckError::Refused.into()) };
        }
        let all = self.desk.queries.connections(self.by).await?;
        let own = self.state.connection;
        let (first, others): (Vec<_>, Vec<_>) = all.iter().partition(|view| Some(view.id) == own);
        for view in first.into_iter().chain(others).filter(|view| view.kind == self.kind) {
            let secrets = readable(&*self.desk.connection(self.by, view.id).await?)?;
            let same = match self.kind {
                ChannelKind::Messenger => match &self.signing {
                    Some(typed) => accepted(&secrets, typed),
                    None => Some(view.id) == own,
                },
                // One Twilio account is one connection, whatever its token is by now.
                ChannelKind::WhatsappTwilio => secrets.access == self.access,
            };
            if same {
                return Ok((view.id, Some(secrets)));
            }
        }
        Ok((ConnectionId::new(self.desk.entropy.id(self.desk.clock.now())), None))
    }

    /// The connection's secrets from now on.
    fn secrets(
        &self,
        connection: ConnectionId,
        before: Option<&ConnectionSecrets>,
    ) -> Result<ConnectionSecrets, FrontError> {
        if let Some(before) = before {
            let mut secrets = before.clone();
            if let Some(signing) = &self.signing {
                rotate(&mut secrets, signing);
            }
            return Ok(secrets);
        }
        let access = self.access.clone().filter(|_| self.kind == ChannelKind::WhatsappTwilio);
        let verify_token = (self.kind == ChannelKind::Messenger).then(|| random(&self.desk.entropy));
        Ok(ConnectionSecrets {
            webhook_token: webhook_token(self.by.account, connection, &self.desk.entropy),
            signing: self.signing.clone().ok_or(FrontError::SigningSecretMissing)?,
            signing_previous: None,
            verify_token,
            access,
        })
    }

    /// As typed; else as it was called; else as the provider calls it; else what it is.
    fn name(&self, told: Option<String>) -> Name {
        let known = self.state.identity.value().map(|identity| identity.name.clone());
        let called = || told.and_then(|told| Name::new(&told).ok());
        let own = || Name::new(&self.provider_id).expect("a page's id or a number is a name");
        self.name.clone().or(known).or_else(called).unwrap_or_else(own)
    }
}

/// Whether what is signed with this secret is believed.
fn accepted(secrets: &ConnectionSecrets, signing: &str) -> bool {
    secrets.signing == signing || secrets.signing_previous.as_deref() == Some(signing)
}

/// Puts a new signing secret in place of the current one, which stays accepted until the next rotation. One that
/// is accepted already changes nothing.
fn rotate(secrets: &mut ConnectionSecrets, signing: &str) {
    if !accepted(secrets, signing) {
        secrets.signing_previous = Some(std::mem::replace(&mut secrets.signing, signing.to_owned()));
    }
}

fn refused(refusal: Refusal) -> FrontError {
    CommandError::Refused(refusal).into()
}

fn readable(connection: &Connection) -> Result<ConnectionSecrets, FrontError> {
    match &connection.secrets {
        Personal::Open(secrets) => Ok((**secrets).clone()),
        _ => Err(refused(ConnectionError::NotFound.into())),
    }
}

impl<S: Store + Clone> Desk<S> {
    /// A connection of the asker's account, for whoever manages channels.
    async fn connection(&self, by: Asker, id: ConnectionId) -> Result<Arc<Connection>, FrontError> {
        let state = self.commands.peek::<Connection>(by.account, id.uuid()).await?;
        match state.kind {
            Some(_) => Ok(state),
            None => Err(refused(ConnectionError::NotFound.into())),
        }
    }

    /// Rotates after trying the new secret on a page or number of the connection, if it has any: a mistyped
    /// one would push out the secret that is still in use.
    pub(super) async fn rotate(
        &self,
        by: Asker,
        connection: ConnectionId,
        signing: String,
    ) -> Result<Done<ConnectionId>, FrontError> {
        self.judge(by, Action::ManageChannels).await?;
        let signing = typed(Some(signing)).ok_or(FrontError::SigningSecretMissing)?;
        let mut tried = false;
        for _ in 0..ROTATIONS_MAX {
            let state = self.connection(by, connection).await?;
            let (Some(kind), mut secrets) = (state.kind, readable(&state)?) else {
                return Err(FrontError::NotFound);
            };
            let seen = secrets.signing.clone();
            rotate(&mut secrets, &signing);
            if !tried {
                self.try_secrets(by, connection, kind, &secrets).await?;
                tried = true;
            }
            let order = ConnectionCommand::RotateSecrets { secrets, instead_of: Some(seen) };
            let command = Command::Connection(connection, order);
            let ask = self.ask(by.account, Actor::Member(by.member), vec![command]);
            match self.commands.submit(ask).await {
                // Somebody else rotated while the provider was asked: on top of theirs, then.
                Err(CommandError::Refused(Refusal::Connection(ConnectionError::RotatedMeanwhile))) => {}
                answer => return Ok(Done { value: connection, position: answer?.position() }),
            }
        }
        Err(CommandError::Contended.into())
    }

    /// Tries secrets on a channel of the connection that takes messages, if there is one.
    async fn try_secrets(
        &self,
        by: Asker,
        connection: ConnectionId,
        kind: ChannelKind,
        secrets: &ConnectionSecrets,
    ) -> Result<(), FrontError> {
        for channel in self.queries.channels(by).await?.iter().filter(|view| view.connection == connection) {
            let state = self.commands.peek::<Channel>(by.account, channel.id.uuid()).await?;
            let Some(identity) = state.identity.value().filter(|_| state.takes_messages()) else { continue };
            let credentials = Credentials {
                secrets,
                access: identity.access.as_deref(),
                provider_id: &identity.provider_id,
            };
            self.providers.of(kind).check(credentials).await?;
            break;
        }
        Ok(())
    }
}

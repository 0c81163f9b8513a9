//! How channels are connected, changed and handed over.

use async_graphql::{Context, ID, InputObject, Object, Result};
use parlance_app::front::ConnectChannel;
use parlance_domain::{ChannelId, Command, MemberId, Name, channel::ChannelCommand};

use crate::{
    channels::{Channel, ChannelKind, ReopenRule, Visibility},
    connections::ProviderApplication,
    errors::{Refused, UserError, Wrong},
    payload::{Outcome, Shown as _, done, payload},
    scalars::{Position, id},
    session::Scope,
};

/// A page or number to connect, or to connect again.
///
/// For `MESSENGER`: `providerId` is the page's id, `signingSecret` the Meta app's app secret, `access` the page's
/// page access token. For `WHATSAPP_TWILIO`: `providerId` is the phone number with its country code,
/// `signingSecret` the Twilio account's auth token, `access` its account SID.
#[derive(InputObject)]
pub struct ConnectChannelInput {
    /// Which provider's product it is.
    kind: ChannelKind,
    /// The page's id, or the phone number with its country code, such as `+36301234567`.
    provider_id: String,
    /// The connection to put it under. If left out, the one that fits is found, or a new one is made.
    connection: Option<ID>,
    /// `MESSENGER`: the Meta app's app secret. `WHATSAPP_TWILIO`: the Twilio account's auth token. May be left
    /// out where `connection` is given.
    signing_secret: Option<String>,
    /// `MESSENGER`: the page's page access token. `WHATSAPP_TWILIO`: the Twilio account's account SID, which may
    /// be left out where `connection` is given.
    access: Option<String>,
    /// What the members shall call the channel: 1 to 200 characters. If left out, what the provider calls it.
    name: Option<String>,
    /// Who shall have access to the channel's conversations. Counts when the page or number is connected for the
    /// first time; later, `setChannelVisibility` changes it.
    #[graphql(default_with = "Visibility::Shared")]
    visibility: Visibility,
}

/// A channel's new name.
#[derive(InputObject)]
pub struct RenameChannelInput {
    /// The channel's id.
    channel: ID,
    /// What the members shall call it: 1 to 200 characters.
    name: String,
}

/// Who shall have access to a channel's conversations.
#[derive(InputObject)]
pub struct SetChannelVisibilityInput {
    /// The channel's id.
    channel: ID,
    /// Who shall have access.
    visibility: Visibility,
}

/// What shall happen to assignments when customers reopen a channel's closed conversations.
#[derive(InputObject)]
pub struct SetReopenRuleInput {
    /// The channel's id.
    channel: ID,
    /// What shall happen.
    rule: ReopenRule,
}

/// Who shall be a channel's installer.
#[derive(InputObject)]
pub struct HandOverChannelInput {
    /// The channel's id.
    channel: ID,
    /// The id of the member who shall be its installer.
    member: ID,
}

/// Which channel to disconnect.
#[derive(InputObject)]
pub struct DisconnectChannelInput {
    /// The channel's id.
    channel: ID,
}

payload! {
    /// What came of `renameChannel`.
    RenameChannelPayload {
        /// The channel as it is now.
        channel: Channel
    }
}

payload! {
    /// What came of `setChannelVisibility`.
    SetChannelVisibilityPayload {
        /// The channel as it is now.
        channel: Channel
    }
}

payload! {
    /// What came of `setReopenRule`.
    SetReopenRulePayload {
        /// The channel as it is now.
        channel: Channel
    }
}

payload! {
    /// What came of `handOverChannel`.
    HandOverChannelPayload {
        /// The channel as it is now.
        channel: Channel
    }
}

payload! {
    /// What came of `disconnectChannel`.
    DisconnectChannelPayload {
        /// The channel as it is now.
        channel: Channel
    }
}

pub struct ConnectChannelPayload(Outcome<ChannelId>);

/// What came of `connectChannel`.
#[Object]
impl ConnectChannelPayload {
    /// The channel. Null if it was refused; and null, with an error `NOT_SHOWN_YET` beside, if it was done but is
    /// not shown in time.
    async fn channel(&self) -> Result<Option<Channel>> {
        self.0.object().await
    }

    /// The connection that the channel is under, with the webhook address and verify token to be copied to the
    /// provider. Null when `channel` is.
    async fn connection(&self) -> Result<Option<ProviderApplication>> {
        match self.0.object::<Channel>().await? {
            Some(channel) => ProviderApplication::load(self.0.scope(), channel.connection_id()).await,
            None => Ok(None),
        }
    }

    /// From this position on, queries show what was done. Null if it was refused.
    async fn position(&self) -> Result<Option<Position>> {
        self.0.position().await
    }

    /// Why it was refused. Empty if it was done, or was so already.
    async fn errors(&self) -> Vec<UserError> {
        self.0.errors()
    }
}

/// One command about a channel, whose id stands in the input.
async fn on_channel(
    ctx: &Context<'_>,
    channel: ID,
    command: impl FnOnce() -> Result<ChannelCommand, Wrong> + Send,
) -> Result<Outcome<ChannelId>> {
    let scope = Scope::of(ctx).await?;
    let (by, front) = (scope.by(), scope.front().clone());
    let attempt = async move {
        let channel: ChannelId = id(&channel, "channel")?;
        let command = Command::Channel(channel, command()?);
        Ok(front.command(by, command).await.map(done(channel))?)
    };
    Outcome::of(scope, "channel", attempt).await
}

/// A credential as typed; blank is none.
fn typed(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn named(name: &str) -> Result<Name, Wrong> {
    Name::new(name).map_err(|error| Wrong::text(error, "name"))
}

#[derive(Default)]
pub struct ChannelsMutation;

#[Object]
impl ChannelsMutation {
    /// Connects a page or number, or connects it again, once the provider took the credentials. Whoever does it
    /// becomes its installer. No earlier messages are imported. For members with account settings access.
    async fn connect_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page or number, with its credentials.")] input: ConnectChannelInput,
    ) -> Result<Option<ConnectChannelPayload>> {
        let scope = Scope::of(ctx).await?;
        let (by, front) = (scope.by(), scope.front().clone());
        let attempt = async move {
            let asked = ConnectChannel {
                kind: input.kind.into(),
                provider_id: input.provider_id,
                connection: input.connection.map(|text| id(&text, "connection")).transpose()?,
                signing: typed(input.signing_secret),
                access: typed(input.access),
                name: input.name.as_deref().map(named).transpose()?,
                visibility: input.visibility.into(),
            };
            let connected = front.connect_channel(by, asked).await?;
            Ok::<_, Refused>((connected.value, connected.position))
        };
        Outcome::of(scope, "providerId", attempt).await.map(ConnectChannelPayload).map(Some)
    }

    /// Renames a channel. For members with account settings access.
    async fn rename_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and its new name.")] input: RenameChannelInput,
    ) -> Result<Option<RenameChannelPayload>> {
        let command = || Ok(ChannelCommand::Rename { name: named(&input.name)? });
        on_channel(ctx, input.channel.clone(), command).await.map(RenameChannelPayload).map(Some)
    }

    /// Sets who has access to a channel's conversations. Made private, conversations assigned to other members
    /// become unassigned. For the channel's installer, with account settings access.
    async fn set_channel_visibility(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and who shall have access.")] input: SetChannelVisibilityInput,
    ) -> Result<Option<SetChannelVisibilityPayload>> {
        let command = || Ok(ChannelCommand::SetVisibility { visibility: input.visibility.into() });
        on_channel(ctx, input.channel.clone(), command).await.map(SetChannelVisibilityPayload).map(Some)
    }

    /// Sets what happens to the assignment when a customer writes in a closed conversation. For members with
    /// account settings access.
    async fn set_reopen_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and what shall happen.")] input: SetReopenRuleInput,
    ) -> Result<Option<SetReopenRulePayload>> {
        let command = || Ok(ChannelCommand::SetReopenRule { rule: input.rule.into() });
        on_channel(ctx, input.channel.clone(), command).await.map(SetReopenRulePayload).map(Some)
    }

    /// Makes another active member the channel's installer. For the channel's installer, with account settings access.
    async fn hand_over_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and to whom.")] input: HandOverChannelInput,
    ) -> Result<Option<HandOverChannelPayload>> {
        let command = || Ok(ChannelCommand::HandOver { to: id::<MemberId>(&input.member, "member")? });
        on_channel(ctx, input.channel.clone(), command).await.map(HandOverChannelPayload).map(Some)
    }

    /// Disconnects a channel: what arrives for it is not taken any more. Its conversations stay. For members
    /// with account settings access.
    async fn disconnect_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel.")] input: DisconnectChannelInput,
    ) -> Result<Option<DisconnectChannelPayload>> {
        on_channel(ctx, input.channel, || Ok(ChannelCommand::Disconnect))
            .await
            .map(DisconnectChannelPayload)
            .map(Some)
    }
}

//! Channels: the types, and the queries for them.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use parlance_app::front::ChannelView;
use parlance_domain::{ChannelId, ConnectionId, permissions::Action};

use crate::{
    connections::ProviderApplication,
    members::Member,
    paging::LISTED,
    payload::Shown,
    scalars::{DateTime, Position},
    session::Scope,
};

/// The providers' products that channels can be of.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_domain::connection::ChannelKind")]
pub enum ChannelKind {
    /// Facebook Messenger: a channel is a page.
    Messenger,
    /// WhatsApp by Twilio: a channel is a phone number.
    WhatsappTwilio,
}

/// Who has access to a channel's conversations.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_domain::channel::Visibility")]
pub enum Visibility {
    /// Every member of the account.
    Shared,
    /// Only the member who installed the channel.
    Private,
}

/// What happens to the assignment when a customer writes in a closed conversation, which reopens it.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_domain::channel::ReopenRule")]
pub enum ReopenRule {
    /// Whoever held the conversation holds it again.
    KeepAssignee,
    /// The conversation stands among the unassigned ones.
    Unassign,
}

/// Whether messages come and go.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_app::front::ChannelHealth")]
pub enum ChannelHealth {
    /// Messages come and go.
    Connected,
    /// Messages come, but the provider refuses our calls; connecting the channel again with valid credentials mends it.
    Broken,
    /// Disconnected by a member. Its conversations stay, and it can be connected again.
    Disconnected,
}

/// A kind of channel that can be connected.
#[derive(SimpleObject)]
pub struct ChannelKindOffer {
    /// The kind.
    kind: ChannelKind,
    /// What people call it.
    name: &'static str,
    /// Whether new connections of this kind can be made.
    open: bool,
}

#[derive(Clone)]
pub struct Channel {
    scope: Scope,
    view: ChannelView,
}

/// One Facebook page, or one WhatsApp number, whose messages arrive here. The same page or number is the same
/// channel for ever, however often it is connected again.
#[Object]
impl Channel {
    /// The channel's id: `chan_` and 32 hexadecimal digits.
    pub(crate) async fn id(&self) -> ID {
        self.view.id.to_string().into()
    }

    /// Which provider's product it is.
    async fn kind(&self) -> ChannelKind {
        self.view.kind.into()
    }

    /// What the members call it. Null if it cannot be read.
    async fn name(&self) -> Option<&str> {
        self.view.name.as_deref()
    }

    /// The page's id, or the phone number. Null for whoever may not manage channels.
    async fn provider_id(&self) -> Option<&str> {
        self.view.provider_id.as_deref()
    }

    /// The connection it is under. Null for whoever may not manage channels.
    async fn connection(&self) -> Result<Option<ProviderApplication>> {
        ProviderApplication::load(&self.scope, self.view.connection).await
    }

    /// The member who installed it. There is exactly one at any time; only they can delete its conversations.
    async fn installer(&self) -> Result<Option<Member>> {
        Member::load(&self.scope, self.view.installer).await
    }

    /// Whether messages come and go.
    async fn health(&self) -> ChannelHealth {
        self.view.health.into()
    }

    /// Who has access to its conversations.
    async fn visibility(&self) -> Visibility {
        self.view.visibility.into()
    }

    /// What happens to the assignment when a customer reopens a closed conversation by writing.
    async fn reopen_rule(&self) -> ReopenRule {
        self.view.reopen_rule.into()
    }

    /// When it was connected.
    async fn connected_at(&self) -> DateTime {
        self.view.connected_at.into()
    }

    /// Whether the asking member may see and use its conversations.
    async fn may_use_conversations(&self) -> bool {
        self.may(Action::UseConversation)
    }

    /// Whether the asking member may delete its conversations.
    async fn may_delete_conversations(&self) -> bool {
        self.may(Action::DeleteConversation)
    }

    /// Whether the asking member may rename it, connect it again, disconnect it, and set its reopen rule.
    async fn may_manage(&self) -> bool {
        self.may(Action::ManageChannels)
    }

    /// Whether the asking member may change its visibility and hand it over.
    async fn may_govern(&self) -> bool {
        self.may(Action::GovernChannel)
    }
}

impl Channel {
    fn may(&self, action: Action) -> bool {
        self.view.may.contains(&action)
    }

    pub(crate) fn new(scope: &Scope, view: ChannelView) -> Self {
        Self { scope: scope.clone(), view }
    }

    async fn all(scope: &Scope) -> Result<Vec<Self>> {
        let found = scope.answer(scope.front().channels(scope.by()).await).await?;
        Ok(found.into_iter().map(|view| Self { scope: scope.clone(), view }).collect())
    }

    /// Those of the wanted that exist for the asker, in the wanted order.
    pub(crate) async fn some(scope: &Scope, wanted: &[ChannelId]) -> Result<Vec<Self>> {
        let mut found = scope.look_up_all(wanted.to_vec()).await?;
        let views = wanted.iter().filter_map(|id| found.remove(id));
        Ok(views.map(|view| Self { scope: scope.clone(), view }).collect())
    }

    pub(crate) fn connection_id(&self) -> ConnectionId {
        self.view.connection
    }
}

impl Shown for Channel {
    type Key = ChannelId;

    async fn load(scope: &Scope, key: ChannelId) -> Result<Option<Self>> {
        Ok(scope.look_up(key).await?.map(|view| Self { scope: scope.clone(), view }))
    }
}

#[derive(Default)]
pub struct ChannelsQuery;

#[Object]
impl ChannelsQuery {
    /// The kinds of channel that can be connected now. A kind that is closed to new connections is not listed;
    /// channels of it that are connected go on working.
    #[graphql(complexity = "2 * child_complexity + 1")]
    async fn channel_kinds(&self, ctx: &Context<'_>) -> Result<Option<Vec<ChannelKindOffer>>> {
        let scope = Scope::of(ctx).await?;
        let offered = scope.front().channel_kinds().into_iter().filter(|(_, open)| *open);
        let offer = |(kind, open)| {
            let kind = ChannelKind::from(kind);
            let name = match kind {
                ChannelKind::Messenger => "Facebook Messenger",
                ChannelKind::WhatsappTwilio => "WhatsApp (Twilio)",
            };
            ChannelKindOffer { kind, name, open }
        };
        Ok(Some(offered.map(offer).collect()))
    }

    /// The channels, by name: those to whose conversations the asking member has access and, with account
    /// settings access, all of the account.
    #[graphql(complexity = "LISTED * child_complexity + 1")]
    async fn channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<Vec<Channel>>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        Channel::all(&scope).await.map(Some)
    }
}

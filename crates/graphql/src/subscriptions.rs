//! Subscriptions: what changed, as rows, from a position on.

use async_graphql::{Context, ID, Object, Result, Subscription as GraphqlSubscription};
use futures_util::{Stream, StreamExt as _};
use parlance_app::front::{self, ConversationChange as WatchedChange, FrontError};
use parlance_domain::ConversationId;

use crate::{
    channels::Channel,
    conversations::Conversation,
    members::Member,
    messages::Message,
    paging::LISTED,
    scalars::{Position, id},
    sections::SectionSummary,
    session::Scope,
};

/// Conversations, members: as many as one change holds.
const CHANGED: usize = front::InboxChange::ITEMS_MAX;
/// Messages: as many as one change holds.
const MESSAGES: usize = WatchedChange::MESSAGES_MAX;

/// What changed in the inbox since the change before.
pub struct InboxChange {
    scope: Scope,
    view: front::InboxChange,
}

/// What changed in the inbox since the change before, for the member who asks: rows as they are now, each to be put in
/// the place of what the client holds. A row may be told again, and may already be newer than `position`. First
/// forget what is in `channelsGone`, `channelsToLoad` and `gone`, then take the rows.
#[Object]
impl InboxChange {
    /// Where to go on from: give it as `after` to a new subscription, and nothing is missed and nothing repeated. It
    /// is also what to give to queries as `atLeast`.
    async fn position(&self) -> Result<Position> {
        self.scope.outside(self.view.position).await
    }

    /// The conversations that something happened to, at most 25, as they are now. Where `incarnation` is higher than
    /// what the client holds, the conversation was deleted meanwhile: forget its earlier messages.
    #[graphql(complexity = "CHANGED * child_complexity + 1")]
    async fn conversations(&self) -> Vec<Conversation> {
        let all = self.view.conversations.iter().cloned();
        all.map(|view| Conversation::new(&self.scope, view)).collect()
    }

    /// The ids of conversations that were deleted.
    async fn gone(&self) -> Vec<ID> {
        self.view.gone.iter().map(|id| ID(id.to_string())).collect()
    }

    /// The ids of channels whose conversations went out of sight: forget them all, and the channel too unless it
    /// stands in `channels`.
    async fn channels_gone(&self) -> Vec<ID> {
        self.view.channels_gone.iter().map(|id| ID(id.to_string())).collect()
    }

    /// The ids of channels whose conversations came into sight, or changed all together because the channel has
    /// another installer. Forget what is held of their conversations, and load them with `position` as `atLeast`.
    async fn channels_to_load(&self) -> Vec<ID> {
        self.view.channels_to_load.iter().map(|id| ID(id.to_string())).collect()
    }

    /// The members that changed, at most 25, as they are now: their availability, permissions, standing or name.
    #[graphql(complexity = "CHANGED * child_complexity + 1")]
    async fn members(&self) -> Vec<Member> {
        self.view.members.iter().cloned().map(Member).collect()
    }

    /// The channels that changed, as they are now; all there are to see after the permissions of the member who asks
    /// changed.
    #[graphql(complexity = "LISTED * child_complexity + 1")]
    async fn channels(&self) -> Vec<Channel> {
        let all = self.view.channels.iter().cloned();
        all.map(|view| Channel::new(&self.scope, view)).collect()
    }

    /// The four sections with their counts, as they are now.
    #[graphql(complexity = "4 * child_complexity + 1")]
    async fn sections(&self) -> Result<Vec<SectionSummary>> {
        let found = self.scope.front().sections(self.scope.by(), None).await;
        Ok(self.scope.answer(found).await?.into_iter().map(SectionSummary::from).collect())
    }
}

pub struct ConversationChange {
    scope: Scope,
    view: WatchedChange,
}

/// What changed in one conversation since the change before, for the member who asks: rows as they are now, each to be
/// put in the place of what the client holds. A row may be told again, and may already be newer than `position`.
#[Object]
impl ConversationChange {
    /// Where to go on from: give it as `after` to a new subscription, and nothing is missed and nothing repeated. It
    /// is also what to give to queries as `atLeast`.
    async fn position(&self) -> Result<Position> {
        self.scope.outside(self.view.position).await
    }

    /// The conversation as it is now. Null if it was deleted or its channel went out of sight.
    async fn conversation(&self) -> Option<Conversation> {
        self.view.conversation.clone().map(|view| Conversation::new(&self.scope, view))
    }

    /// Whether it was deleted. It comes back when the customer writes again.
    async fn gone(&self) -> bool {
        self.view.gone
    }

    /// The messages that came or changed, at most 100, as they are now, in no order.
    #[graphql(complexity = "MESSAGES * child_complexity + 1")]
    async fn messages(&self) -> Vec<Message> {
        self.view.messages.iter().cloned().map(|view| Message::new(&self.scope, view)).collect()
    }

    /// Whether to forget the messages that are held, and to load the thread with `position` as `atLeast`: because
    /// more than 100 messages changed, or the conversation was deleted and began again, or came into sight.
    async fn reload_messages(&self) -> bool {
        self.view.reload_messages
    }
}

pub struct Subscription;

/// What there is to be told as it happens. A subscription that is cut off goes on from the position of the last change
/// that arrived. A change tells of everything between two positions at once, so that a slow client is told less often
/// and never misses anything; one that is more than 10,000 positions behind gets the error `RELOAD`, and loads
/// everything anew.
#[GraphqlSubscription]
impl Subscription {
    /// What changes in the inbox. The first change comes at once, perhaps empty, then one whenever something changed
    /// for the member who asks. To miss nothing at the start: subscribe without a position, load everything with the
    /// first change's position as `atLeast`, then take the changes that came meanwhile.
    #[graphql(complexity = "child_complexity + 1")]
    async fn inbox_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Everything after this position. From now on if left out.")] after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<InboxChange>> + use<>> {
        let scope = Scope::of(ctx).await?;
        let after = inside(&scope, after).await?;
        let changes = scope.front().inbox_changes(scope.by(), after);
        Ok(told(scope, changes, |scope, view| InboxChange { scope, view }))
    }

    /// What changes in one conversation and its messages. The first change comes at once. The error `NOT_FOUND`: the
    /// conversation does not exist for the member who asks.
    #[graphql(complexity = "child_complexity + 1")]
    async fn conversation_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation's id.")] id: ID,
        #[graphql(desc = "Everything after this position. From now on if left out.")] after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<ConversationChange>> + use<>> {
        let scope = Scope::of(ctx).await?;
        let after = inside(&scope, after).await?;
        let conversation: ConversationId = scope.checked(self::id(&id, "id")).await?;
        let changes = scope.front().conversation_changes(scope.by(), conversation, after);
        Ok(told(scope, changes, |scope, view| ConversationChange { scope, view }))
    }
}

async fn inside(scope: &Scope, after: Option<Position>) -> Result<Option<parlance_domain::Position>> {
    // Looked up once, so that every item's position has it at hand.
    scope.epoch().await?;
    match after {
        Some(after) => scope.inside(after).await.map(Some),
        None => Ok(None),
    }
}

/// Each item with a scope of its own: nothing that was looked up for one is shown in the next.
fn told<V, T>(
    scope: Scope,
    changes: front::Following<V>,
    item: impl Fn(Scope, V) -> T + Copy,
) -> impl Stream<Item = Result<T>> {
    changes.then(move |change: Result<V, FrontError>| {
        let scope = scope.anew();
        async move {
            let view = scope.answer(change).await?;
            Ok(item(scope, view))
        }
    })
}

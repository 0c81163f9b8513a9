//! Anything with an id of its own, found by that id.

use async_graphql::{Context, ID, Interface, Object, Result};
use parlance_domain::{AccountId, ChannelId, ConnectionId, ConversationId, MemberId};

use crate::{
    account::Account,
    channels::Channel,
    connections::ProviderApplication,
    conversations::Conversation,
    errors::{ErrorCode, Wrong},
    members::Member,
    payload::Shown as _,
    session::Scope,
};

/// Anything with an id of its own, which `node` finds.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id. Its first part tells the kind."))]
pub enum Node {
    Account(Account),
    Channel(Channel),
    Conversation(Conversation),
    Member(Member),
    ProviderApplication(ProviderApplication),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Anything by its id. Null if it does not exist for the member who asks. It has this one argument because clients
    /// rely on just that to fetch an object again.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id, as `id` fields give it.")] id: ID,
    ) -> Result<Option<Node>> {
        let scope = Scope::of(ctx).await?;
        let text = id.as_str();
        if let Ok(id) = text.parse::<ConversationId>() {
            Ok(Conversation::load(&scope, id).await?.map(Node::from))
        } else if let Ok(id) = text.parse::<MemberId>() {
            Ok(Member::load(&scope, id).await?.map(Node::from))
        } else if let Ok(id) = text.parse::<ChannelId>() {
            Ok(Channel::load(&scope, id).await?.map(Node::from))
        } else if let Ok(id) = text.parse::<ConnectionId>() {
            Ok(ProviderApplication::load(&scope, id).await?.map(Node::from))
        } else if let Ok(id) = text.parse::<AccountId>() {
            Ok(Account::load(&scope, id).await?.map(Node::from))
        } else {
            Err(scope.error(Wrong::in_field(ErrorCode::InvalidId, "id")).await)
        }
    }
}

//! What a decision may know besides its own state: other aggregates' states, loaded and guarded by the shell.

use std::sync::Arc;

use crate::{
    ChannelId, ConnectionId, ConversationId, MemberId, Position, channel::Channel, connection::Connection,
    conversation::Conversation, member::Member,
};

/// The states named by `Decider::consults`, and the log's last position. What was never loaded, or never
/// existed, reads as the state before everything: absent, so that forgetting to consult refuses, never allows.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub head: Position,
    pub members: Vec<(MemberId, Arc<Member>)>,
    pub channels: Vec<(ChannelId, Arc<Channel>)>,
    pub connections: Vec<(ConnectionId, Arc<Connection>)>,
    pub conversations: Vec<(ConversationId, Arc<Conversation>)>,
}

fn find<I: PartialEq + Copy, S: Default>(states: &[(I, Arc<S>)], id: I) -> Arc<S> {
    states.iter().find(|(known, _)| *known == id).map(|(_, state)| Arc::clone(state)).unwrap_or_default()
}

impl Surroundings {
    pub fn member(&self, id: MemberId) -> Arc<Member> {
        find(&self.members, id)
    }

    pub fn channel(&self, id: ChannelId) -> Arc<Channel> {
        find(&self.channels, id)
    }

    pub fn connection(&self, id: ConnectionId) -> Arc<Connection> {
        find(&self.connections, id)
    }

    pub fn conversation(&self, id: ConversationId) -> Arc<Conversation> {
        find(&self.conversations, id)
    }
}

//! What followers are told: rows as they are now, not what happened to them.

use parlance_domain::{ChannelId, ConversationId, Position};

use super::{ChannelView, ConversationView, MemberView, MessageView, Page};

/// Everything that changed in the inbox for one asker up to `position`. A row may be newer than that, and is
/// then told again.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxChange {
    /// To go on from: everything up to here is contained.
    pub position: Position,
    /// The latest rows of the conversations that something happened to.
    pub conversations: Vec<ConversationView>,
    /// Deleted, and not begun again.
    pub gone: Vec<ConversationId>,
    /// Channels whose conversations went out of sight.
    pub channels_gone: Vec<ChannelId>,
    /// Channels whose conversations came into sight, or changed all together for the asker.
    pub channels_to_load: Vec<ChannelId>,
    /// The latest rows of members, removed ones included.
    pub members: Vec<MemberView>,
    /// The latest rows of channels that exist for the asker.
    pub channels: Vec<ChannelView>,
}

impl InboxChange {
    /// Whoever is further behind loads anew: replaying would cost more, and tell of little that is still so.
    pub const BEHIND_MAX: u64 = 10_000;
    /// Conversations, members and channels, each, in one item: a screen's worth, so that whatever can be asked of
    /// a page of the inbox can be asked of a change. After a change of the asker's permissions all channels are told.
    pub const ITEMS_MAX: usize = 25;
}

/// Everything that changed in one conversation for one asker up to `position`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationChange {
    /// To go on from: everything up to here is contained.
    pub position: Position,
    /// The latest row; `None`: deleted, or out of sight.
    pub conversation: Option<ConversationView>,
    /// Whether it is deleted.
    pub gone: bool,
    /// The latest rows of the messages that something happened to.
    pub messages: Vec<MessageView>,
    /// There is more to the thread than `messages`: another life of the conversation, or more than
    /// [`Self::MESSAGES_MAX`] of them.
    pub reload_messages: bool,
}

impl ConversationChange {
    /// Messages in one item.
    pub const MESSAGES_MAX: usize = Page::<MessageView>::ITEMS_MAX;
}

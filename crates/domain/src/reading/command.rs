//! What can be asked of a reading.

use crate::{ChannelId, ConversationId, Position};

#[derive(Clone, Debug, PartialEq)]
pub enum ReadingCommand {
    /// By a member with access, for themselves: everything recorded up to `up_to` has been seen. `channel` is
    /// the conversation's, as the shell knows it; a wrong one is refused.
    MarkSeen { conversation: ConversationId, channel: ChannelId, up_to: Position },
}

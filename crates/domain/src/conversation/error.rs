//! Why a conversation says no.

use crate::{Actor, MemberId, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// Also the answer to whoever has no access: "not yours" and "does not exist" look the same.
    #[error("there is no such conversation")]
    NotFound,
    #[error("only the channel's installer can delete a conversation")]
    OnlyInstaller,
    #[error("the conversation is assigned to another member by now")]
    AlreadyAssigned { assignee: MemberId, by: Actor, at: Timestamp },
    #[error("nobody holds the conversation any more")]
    NotAssigned,
    #[error("that member has no access to the conversation")]
    AssigneeWithoutAccess,
    #[error("that member's availability is off; nobody can assign to them")]
    AssigneeUnavailable,
    #[error("the conversation belongs to another channel")]
    OtherChannel,
    #[error("the channel takes no messages; connect it first")]
    ChannelNotConnected,
    #[error("this comes from a provider or from Parlance itself, never from a member")]
    NotPermitted,
}

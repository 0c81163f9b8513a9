//! What can be asked of a channel.

use super::{BrokenBecause, ReopenRule, Visibility};
use crate::{ConnectionId, MemberId, Name, connection::ChannelKind};

#[derive(Clone, Debug, PartialEq)]
pub enum ChannelCommand {
    /// By a member with account settings access, who becomes the installer; also the way to reconnect. The
    /// credentials have been tried by then. `visibility` counts for the first time only.
    Connect {
        connection: ConnectionId,
        kind: ChannelKind,
        provider_id: String,
        name: Name,
        /// What calls the provider for this page alone.
        access: Option<String>,
        visibility: Visibility,
    },
    /// By a member with account settings access.
    Rename { name: Name },
    /// By a member with account settings access.
    SetReopenRule { rule: ReopenRule },
    /// By a member with account settings access.
    Disconnect,
    /// By the installer, with account settings access.
    SetVisibility { visibility: Visibility },
    /// By the installer, with account settings access; `None` keeps closed conversations for ever.
    SetRetention { days: Option<u32> },
    /// By the installer, with account settings access, to any active member.
    HandOver { to: MemberId },
    /// By the system: the provider refuses our calls.
    MarkBroken { because: BrokenBecause },
    /// By the system: the provider takes our calls again.
    MarkRestored,
}

//! What can be asked of a member.

use crate::{AccountId, ChannelId, Email, Name};

#[derive(Clone, Debug, PartialEq)]
pub enum MemberCommand {
    /// By a member with account settings access, or by an operator (the first member). A removed member can
    /// be invited again.
    Invite { account: AccountId, email: Email, name: Name, settings_access: bool },
    /// By the invited member, or by an operator.
    Join,
    /// By the member.
    ChangeProfile { name: Name },
    /// By a member with account settings access.
    SetPermissions { settings_access: bool },
    /// By the member alone.
    SetAvailability { available: bool },
    /// By a member with account settings access; refused for an installer.
    Remove,
    /// Follows from a channel's installer; never asked by itself.
    GainInstallation { channel: ChannelId },
    /// Follows from a channel's installer; never asked by itself.
    LoseInstallation { channel: ChannelId },
}

//! What can be asked of an account.

use super::Language;
use crate::{MemberId, Name};

/// Settings to change; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountChange {
    pub name: Option<Name>,
    pub language: Option<Language>,
    /// IANA name, as `Europe/Budapest`.
    pub time_zone: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AccountCommand {
    /// By an operator.
    Create { name: Name, language: Language, time_zone: String },
    /// By a member with account settings access.
    Update(AccountChange),
    /// Follows from a member's permissions; never asked by itself.
    GrantSettingsAccess { member: MemberId },
    /// Follows from a member's permissions or removal; refused for the last one.
    RevokeSettingsAccess { member: MemberId },
}

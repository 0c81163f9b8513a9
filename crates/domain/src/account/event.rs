//! What can have happened to an account.

use serde::{Deserialize, Serialize};

use super::Language;
use crate::{
    MemberId, Name, Personal, StreamType,
    event::{clear, events, sealed},
};

/// The personal part of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountProfile {
    pub name: Name,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountCreated {
    pub language: Language,
    pub time_zone: String,
    #[serde(skip)]
    pub profile: Personal<AccountProfile>,
}

/// Carries all settings as they are from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountSettingsChanged {
    pub language: Language,
    pub time_zone: String,
    #[serde(skip)]
    pub profile: Personal<AccountProfile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsAccessGranted {
    pub member: MemberId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsAccessRevoked {
    pub member: MemberId,
}

events! {
    AccountEvent of StreamType::Account => {
        AccountCreated = 1,
        AccountSettingsChanged = 1,
        SettingsAccessGranted = 1,
        SettingsAccessRevoked = 1,
    }
}

sealed!(AccountCreated.profile, AccountSettingsChanged.profile);
clear!(SettingsAccessGranted, SettingsAccessRevoked);

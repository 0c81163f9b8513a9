//! A company: its name, language, time zone, and who may change settings (so that the last one stays).

mod command;
mod decide;
mod error;
mod event;
mod evolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    command::{AccountChange, AccountCommand},
    error::AccountError,
    event::{
        AccountCreated, AccountEvent, AccountProfile, AccountSettingsChanged, SettingsAccessGranted,
        SettingsAccessRevoked,
    },
};
use crate::{Decider, MemberId, Personal, PersonalPart, StreamRef, StreamType, aggregate::aggregate};

/// The languages in which Parlance writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    En,
    Hu,
}

/// An account's state. The default is an account that was never created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub created: bool,
    pub language: Language,
    /// IANA name.
    pub time_zone: String,
    pub profile: Personal<AccountProfile>,
    /// Grows with the account's admins, not with its members.
    pub with_settings_access: BTreeSet<MemberId>,
}

aggregate!(Account, AccountCommand, AccountEvent, AccountError, "account");

impl Decider for Account {
    const STREAM: StreamType = StreamType::Account;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        command.by.stream().into_iter().collect()
    }

    fn personal_parts(&mut self) -> Vec<(u32, &mut dyn PersonalPart)> {
        vec![(1, &mut self.profile)]
    }
}

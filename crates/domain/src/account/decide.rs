//! The rules of an account.

use super::{
    Account, AccountCommand, AccountCreated, AccountError, AccountEvent, AccountProfile,
    AccountSettingsChanged, SettingsAccessGranted, SettingsAccessRevoked,
};
use crate::{
    Actor, Issued, Personal, Surroundings,
    permissions::{Action, permitted},
};

pub(super) fn decide(
    state: &Account,
    issued: &Issued<AccountCommand>,
    around: &Surroundings,
) -> Result<Vec<AccountEvent>, AccountError> {
    match &issued.order {
        AccountCommand::Create { name, language, time_zone } => {
            if state.created {
                return Err(AccountError::AlreadyCreated);
            }
            if !matches!(issued.by, Actor::Operator(_)) {
                return Err(AccountError::NotPermitted);
            }
            let profile = Personal::open(AccountProfile { name: name.clone() });
            Ok(vec![AccountCreated { language: *language, time_zone: known(time_zone)?, profile }.into()])
        }
        _ if !state.created => Err(AccountError::NotFound),
        AccountCommand::Update(change) => {
            permitted(Action::ManageAccount, issued.by, around, None).ok_or(AccountError::NotPermitted)?;
            let name = match (&change.name, state.profile.value()) {
                (Some(name), _) => name.clone(),
                (None, Some(profile)) => profile.name.clone(),
                (None, None) => return Err(AccountError::NameUnreadable),
            };
            let changed = AccountSettingsChanged {
                language: change.language.unwrap_or(state.language),
                time_zone: known(change.time_zone.as_ref().unwrap_or(&state.time_zone))?,
                profile: Personal::open(AccountProfile { name }),
            };
            let same = changed.language == state.language
                && changed.time_zone == state.time_zone
                && changed.profile == state.profile;
            Ok(if same { Vec::new() } else { vec![changed.into()] })
        }
        AccountCommand::GrantSettingsAccess { member } => {
            Ok(if state.with_settings_access.contains(member) {
                Vec::new()
            } else {
                vec![SettingsAccessGranted { member: *member }.into()]
            })
        }
        AccountCommand::RevokeSettingsAccess { member } => {
            if !state.with_settings_access.contains(member) {
                Ok(Vec::new())
            } else if state.with_settings_access.len() == 1 {
                Err(AccountError::LastWithSettingsAccess)
            } else {
                Ok(vec![SettingsAccessRevoked { member: *member }.into()])
            }
        }
    }
}

fn known(time_zone: &str) -> Result<String, AccountError> {
    time_zone
        .parse::<chrono_tz::Tz>()
        .map(|tz| tz.name().to_owned())
        .map_err(|_| AccountError::UnknownTimeZone)
}

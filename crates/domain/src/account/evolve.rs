//! How an account changes.

use super::{Account, AccountEvent};
use crate::Stamped;

pub(super) fn evolve(state: &mut Account, stamped: &Stamped<AccountEvent>) {
    match &stamped.event {
        AccountEvent::AccountCreated(e) => {
            state.created = true;
            state.language = e.language;
            state.time_zone.clone_from(&e.time_zone);
            state.profile = e.profile.clone();
        }
        AccountEvent::AccountSettingsChanged(e) => {
            state.language = e.language;
            state.time_zone.clone_from(&e.time_zone);
            state.profile = e.profile.clone();
        }
        AccountEvent::SettingsAccessGranted(e) => {
            state.with_settings_access.insert(e.member);
        }
        AccountEvent::SettingsAccessRevoked(e) => {
            state.with_settings_access.remove(&e.member);
        }
    }
}

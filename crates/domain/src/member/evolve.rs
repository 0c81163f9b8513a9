//! How a member changes.

use super::{Member, MemberEvent, Standing};
use crate::Stamped;

pub(super) fn evolve(state: &mut Member, stamped: &Stamped<MemberEvent>) {
    match &stamped.event {
        MemberEvent::MemberInvited(e) => {
            state.account = Some(e.account);
            state.standing = Standing::Invited;
            state.settings_access = e.settings_access;
            state.profile = e.profile.clone();
        }
        MemberEvent::MemberJoined(_) => {
            state.standing = Standing::Active;
            state.joined_at = Some(stamped.at);
            state.available = true;
        }
        MemberEvent::MemberProfileChanged(e) => state.profile = e.profile.clone(),
        MemberEvent::PermissionsChanged(e) => state.settings_access = e.settings_access,
        MemberEvent::AvailabilityChanged(e) => state.available = e.available,
        MemberEvent::MemberRemoved(_) => {
            state.standing = Standing::Removed;
            state.settings_access = false;
            state.available = false;
        }
        MemberEvent::InstallationGained(e) => {
            state.installations.insert(e.channel);
        }
        MemberEvent::InstallationLost(e) => {
            state.installations.remove(&e.channel);
        }
    }
}

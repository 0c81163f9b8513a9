//! The rules of a member.

use uuid::Uuid;

use super::{
    AvailabilityChanged, InstallationGained, InstallationLost, Member, MemberCommand, MemberError,
    MemberEvent, MemberInvited, MemberJoined, MemberProfile, MemberProfileChanged, MemberRemoved,
    PermissionsChanged, Standing,
};
use crate::{
    Actor, Issued, MemberId, Personal, Surroundings,
    permissions::{Action, permits},
};

pub(super) fn decide(
    state: &Member,
    issued: &Issued<MemberCommand>,
    around: &Surroundings,
) -> Result<Vec<MemberEvent>, MemberError> {
    let manages = || manages(state, issued.on, issued.by, around);
    let oneself = issued.by == Actor::Member(MemberId::new(issued.on));
    let event = match &issued.order {
        MemberCommand::Invite { account, email, name, settings_access } => {
            if !matches!(issued.by, Actor::Operator(_)) && !manages() {
                return Err(MemberError::NotPermitted);
            }
            let profile = Personal::open(MemberProfile { email: email.clone(), name: name.clone() });
            match state.standing {
                Standing::Absent | Standing::Removed => {}
                // Invited again: as they are wanted now.
                Standing::Invited
                    if state.settings_access == *settings_access && state.profile == profile =>
                {
                    return Ok(Vec::new());
                }
                Standing::Invited => {}
                Standing::Active => return Err(MemberError::AlreadyMember),
            }
            MemberInvited { account: *account, settings_access: *settings_access, profile }.into()
        }
        MemberCommand::Join => match state.standing {
            _ if !oneself && !matches!(issued.by, Actor::Operator(_)) => {
                return Err(MemberError::OnlyOneself);
            }
            Standing::Active => return Ok(Vec::new()),
            Standing::Invited => MemberJoined {}.into(),
            Standing::Absent | Standing::Removed => return Err(MemberError::NotInvited),
        },
        MemberCommand::LoseInstallation { channel } => {
            if !state.installations.contains(channel) {
                return Ok(Vec::new());
            }
            InstallationLost { channel: *channel }.into()
        }
        _ if matches!(state.standing, Standing::Absent | Standing::Removed) => {
            return Err(MemberError::NotFound);
        }
        MemberCommand::GainInstallation { channel } => {
            if !state.is_active() {
                return Err(MemberError::NotActive);
            }
            if state.installations.contains(channel) {
                return Ok(Vec::new());
            }
            InstallationGained { channel: *channel }.into()
        }
        MemberCommand::ChangeProfile { name } => {
            if !oneself {
                return Err(MemberError::OnlyOneself);
            }
            let old = state.profile.value().ok_or(MemberError::ProfileUnreadable)?;
            if old.name == *name {
                return Ok(Vec::new());
            }
            let profile = Personal::open(MemberProfile { email: old.email.clone(), name: name.clone() });
            MemberProfileChanged { profile }.into()
        }
        MemberCommand::SetPermissions { settings_access } => {
            if !manages() {
                return Err(MemberError::NotPermitted);
            }
            if state.settings_access == *settings_access {
                return Ok(Vec::new());
            }
            PermissionsChanged { settings_access: *settings_access }.into()
        }
        MemberCommand::SetAvailability { available } => {
            if !oneself {
                return Err(MemberError::OnlyOneself);
            }
            if !state.is_active() {
                return Err(MemberError::NotActive);
            }
            if state.available == *available {
                return Ok(Vec::new());
            }
            AvailabilityChanged { available: *available }.into()
        }
        MemberCommand::Remove => {
            if !manages() {
                return Err(MemberError::NotPermitted);
            }
            if !state.installations.is_empty() {
                return Err(MemberError::StillInstaller);
            }
            MemberRemoved {}.into()
        }
    };
    Ok(vec![event])
}

/// Whether the actor may manage members. An actor who asks about itself is judged by the state itself, which
/// is newer than any look around.
fn manages(state: &Member, on: Uuid, by: Actor, around: &Surroundings) -> bool {
    match by {
        Actor::Member(id) if id.uuid() == on => permits(Action::ManageAccount, id, state, None),
        Actor::Member(id) => permits(Action::ManageAccount, id, &around.member(id), None),
        // An operator is no member of the account: they let the first one in, and no more.
        Actor::Operator(_) | Actor::Contact(_) | Actor::System(_) => false,
    }
}

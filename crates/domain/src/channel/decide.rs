//! The rules of a channel.

use super::{
    Channel, ChannelBroken, ChannelCommand, ChannelConnected, ChannelDisconnected, ChannelError,
    ChannelEvent, ChannelIdentity, ChannelReconnected, ChannelRenamed, ChannelRestored, Health,
    InstallerCause, InstallerChanged, ReopenRule, ReopenRuleChanged, RetentionChanged, VisibilityChanged,
};
use crate::{
    Actor, ConnectionId, Issued, MemberId, Personal, Surroundings,
    connection::ChannelKind,
    permissions::{Action, permitted},
};

/// Ten years: longer is "for ever", which is `None`.
const RETENTION_DAYS_MAX: u32 = 3_650;

pub(super) fn decide(
    state: &Channel,
    issued: &Issued<ChannelCommand>,
    around: &Surroundings,
) -> Result<Vec<ChannelEvent>, ChannelError> {
    let manager = || {
        permitted(Action::ManageChannels, issued.by, around, Some(state)).ok_or(ChannelError::NotPermitted)
    };
    let existing = |action, refusal| match (state.health, permitted(action, issued.by, around, Some(state))) {
        (Health::Absent, _) => Err(ChannelError::NotFound),
        (_, Some(_)) => Ok(()),
        // Whoever cannot see the channel is not told that it exists.
        (_, None) if sees(state, issued.by, around) => Err(refusal),
        (_, None) => Err(ChannelError::NotFound),
    };
    let managed = || existing(Action::ManageChannels, ChannelError::NotPermitted);
    let governed = || existing(Action::GovernChannel, ChannelError::OnlyInstaller);
    let unless = |same: bool, event: ChannelEvent| if same { Vec::new() } else { vec![event] };

    Ok(match &issued.order {
        ChannelCommand::Connect { connection, kind, provider_id, name, access, visibility } => {
            let by = manager()?;
            let another = |known: Option<ChannelKind>| known != Some(*kind);
            if another(around.connection(*connection).kind) || (state.kind.is_some() && another(state.kind)) {
                return Err(ChannelError::ConnectionMismatch);
            }
            let identity = ChannelIdentity {
                provider_id: provider_id.clone(),
                name: name.clone(),
                access: access.clone(),
            };
            if let Some(previous) = state.installer {
                return Ok(reconnected(state, by, previous, *connection, Personal::open(identity)));
            }
            vec![
                ChannelConnected {
                    connection: *connection,
                    kind: *kind,
                    installer: by,
                    visibility: *visibility,
                    reopen_rule: ReopenRule::default(),
                    identity: Personal::open(identity),
                }
                .into(),
            ]
        }
        ChannelCommand::Rename { name } => {
            managed()?;
            let old = state.identity.value().ok_or(ChannelError::IdentityUnreadable)?;
            let new = ChannelIdentity { name: name.clone(), ..old.clone() };
            unless(new == *old, ChannelRenamed { identity: Personal::open(new) }.into())
        }
        ChannelCommand::SetReopenRule { rule } => {
            managed()?;
            unless(*rule == state.reopen_rule, ReopenRuleChanged { rule: *rule }.into())
        }
        ChannelCommand::Disconnect => {
            managed()?;
            unless(state.health == Health::Disconnected, ChannelDisconnected {}.into())
        }
        ChannelCommand::SetVisibility { visibility } => {
            governed()?;
            unless(*visibility == state.visibility, VisibilityChanged { visibility: *visibility }.into())
        }
        ChannelCommand::SetRetention { days } => {
            governed()?;
            if days.is_some_and(|days| !(1..=RETENTION_DAYS_MAX).contains(&days)) {
                return Err(ChannelError::RetentionOutOfRange);
            }
            unless(*days == state.retention_days, RetentionChanged { days: *days }.into())
        }
        ChannelCommand::HandOver { to } => {
            governed()?;
            if !around.member(*to).is_active() {
                return Err(ChannelError::NewInstallerNotActive);
            }
            match state.installer {
                Some(previous) if previous != *to => {
                    vec![
                        InstallerChanged { installer: *to, previous, cause: InstallerCause::HandedOver }
                            .into(),
                    ]
                }
                _ => Vec::new(),
            }
        }
        ChannelCommand::MarkBroken { because } => {
            reported(state, issued.by)?;
            unless(state.health == Health::Broken(*because), ChannelBroken { because: *because }.into())
        }
        ChannelCommand::MarkRestored => {
            reported(state, issued.by)?;
            unless(state.health == Health::Connected, ChannelRestored {}.into())
        }
    })
}

fn reconnected(
    state: &Channel,
    by: MemberId,
    previous: MemberId,
    connection: ConnectionId,
    identity: Personal<ChannelIdentity>,
) -> Vec<ChannelEvent> {
    let mut events: Vec<ChannelEvent> = vec![ChannelReconnected { connection }.into()];
    if previous != by {
        events.push(InstallerChanged { installer: by, previous, cause: InstallerCause::Reconnected }.into());
    }
    if identity != state.identity {
        events.push(ChannelRenamed { identity }.into());
    }
    events
}

fn sees(state: &Channel, by: Actor, around: &Surroundings) -> bool {
    by.member().is_none()
        || [Action::UseConversation, Action::ManageChannels]
            .into_iter()
            .any(|action| permitted(action, by, around, Some(state)).is_some())
}

/// Health is reported by the system, about a channel that is connected.
fn reported(state: &Channel, by: Actor) -> Result<(), ChannelError> {
    match state.health {
        _ if !matches!(by, Actor::System(_)) => Err(ChannelError::NotPermitted),
        Health::Absent => Err(ChannelError::NotFound),
        Health::Disconnected => Err(ChannelError::Disconnected),
        Health::Connected | Health::Broken(_) => Ok(()),
    }
}

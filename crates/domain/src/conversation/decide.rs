//! The rules of a conversation: what members and the system may ask. What providers tell is in `ingest`.

use super::{
    Assigned, Closed, Conversation, ConversationCommand, ConversationError, ConversationEvent, Deleted,
    Expected, Phase, ReopenCause, Reopened, UnassignCause, Unassigned, ingest,
};
use crate::{
    Actor, Issued, MemberId, Surroundings,
    channel::ReopenRule,
    permissions::{Action, has_access, permitted},
};

type Decision = Result<Vec<ConversationEvent>, ConversationError>;

pub(super) fn decide(
    state: &Conversation,
    issued: &Issued<ConversationCommand>,
    around: &Surroundings,
) -> Decision {
    match &issued.order {
        ConversationCommand::Assign { to, expect } => {
            accessed(state, issued, around)?;
            assign(state, *to, *expect, around)
        }
        ConversationCommand::Unassign { expect } => {
            accessed(state, issued, around)?;
            match state.assignee() {
                None => Ok(Vec::new()),
                Some(previous) => {
                    expected(state, *expect)?;
                    Ok(vec![unassigned(state, previous, UnassignCause::Member)])
                }
            }
        }
        ConversationCommand::Close => {
            accessed(state, issued, around)?;
            Ok(match state.phase {
                Phase::Closed => Vec::new(),
                _ => vec![Closed { incarnation: state.incarnation }.into()],
            })
        }
        ConversationCommand::Reopen => {
            accessed(state, issued, around)?;
            Ok(match state.phase {
                Phase::Closed => reopen(state, ReopenCause::Member, around),
                _ => Vec::new(),
            })
        }
        ConversationCommand::Delete => delete(state, issued, around),
        ConversationCommand::Release { member, cause } => {
            if !matches!(issued.by, Actor::System(_)) {
                return Err(ConversationError::NotPermitted);
            }
            let held = state.is_visible() && state.assignee() == Some(*member);
            Ok(if held && !still_has_access(state, *member, around) {
                vec![unassigned(state, *member, (*cause).into())]
            } else {
                Vec::new()
            })
        }
        _ => ingest::decide(state, issued, around),
    }
}

/// The door for members: the conversation is visible and the actor has access.
fn accessed(
    state: &Conversation,
    issued: &Issued<ConversationCommand>,
    around: &Surroundings,
) -> Result<MemberId, ConversationError> {
    let channel = state.channel.map(|id| around.channel(id)).unwrap_or_default();
    permitted(Action::UseConversation, issued.by, around, Some(&channel))
        .filter(|_| state.is_visible())
        .ok_or(ConversationError::NotFound)
}

/// In the order of the specification: access, held already, taken by another, availability.
fn assign(state: &Conversation, to: MemberId, expect: Expected, around: &Surroundings) -> Decision {
    if !still_has_access(state, to, around) {
        return Err(ConversationError::AssigneeWithoutAccess);
    }
    if state.assignee() == Some(to) {
        return Ok(Vec::new());
    }
    expected(state, expect)?;
    if !around.member(to).available {
        return Err(ConversationError::AssigneeUnavailable);
    }
    Ok(vec![Assigned { incarnation: state.incarnation, assignee: to, previous: state.assignee() }.into()])
}

fn expected(state: &Conversation, expect: Expected) -> Result<(), ConversationError> {
    if expect.holds(state.assignee()) {
        return Ok(());
    }
    Err(state.assignment.map_or(ConversationError::NotAssigned, |held| ConversationError::AlreadyAssigned {
        assignee: held.assignee,
        by: held.by,
        at: held.at,
    }))
}

fn delete(state: &Conversation, issued: &Issued<ConversationCommand>, around: &Surroundings) -> Decision {
    let channel = state.channel.map(|id| around.channel(id)).unwrap_or_default();
    let may = |action| permitted(action, issued.by, around, Some(&channel)).is_some();
    match state.phase {
        Phase::Open | Phase::Closed if may(Action::DeleteConversation) => {
            Ok(vec![Deleted { incarnation: state.incarnation }.into()])
        }
        // Asked again, perhaps after a lost answer.
        Phase::Deleted if may(Action::DeleteConversation) => Ok(Vec::new()),
        Phase::Open | Phase::Closed if may(Action::UseConversation) => Err(ConversationError::OnlyInstaller),
        _ => Err(ConversationError::NotFound),
    }
}

/// `Reopened`, then `Unassigned` where the rule or a lost access says so.
pub(super) fn reopen(
    state: &Conversation,
    cause: ReopenCause,
    around: &Surroundings,
) -> Vec<ConversationEvent> {
    let mut events: Vec<ConversationEvent> = vec![Reopened { incarnation: state.incarnation, cause }.into()];
    if let Some(assignee) = state.assignee() {
        let rule = state.channel.map(|id| around.channel(id).reopen_rule).unwrap_or_default();
        if !still_has_access(state, assignee, around) {
            events.push(unassigned(state, assignee, UnassignCause::AccessLost));
        } else if cause == ReopenCause::Message && rule == ReopenRule::Unassign {
            events.push(unassigned(state, assignee, UnassignCause::ReopenRule));
        }
    }
    events
}

fn still_has_access(state: &Conversation, member: MemberId, around: &Surroundings) -> bool {
    state.channel.is_some_and(|id| has_access(member, &around.member(member), &around.channel(id)))
}

fn unassigned(state: &Conversation, previous: MemberId, cause: UnassignCause) -> ConversationEvent {
    Unassigned { incarnation: state.incarnation, previous, cause }.into()
}

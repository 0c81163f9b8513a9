//! The rules for what providers tell. A message or postback begins, reopens and revives; an echo begins and
//! revives; reactions, edits and receipts do none of these.

use super::{
    ContactProfile, ContactProfileChanged, Conversation, ConversationCommand, ConversationError,
    ConversationEvent, Incoming, MessageDelivered, MessageEchoed, MessageEdited, MessageReacted, MessageRead,
    MessageReceived, MessageSkipped, MessageUnsent, Phase, ReopenCause, Source, decide::reopen,
};
use crate::{Actor, Issued, Personal, Surroundings};

pub(super) fn decide(
    state: &Conversation,
    issued: &Issued<ConversationCommand>,
    around: &Surroundings,
) -> Result<Vec<ConversationEvent>, ConversationError> {
    if !matches!(issued.by, Actor::Contact(_) | Actor::System(_)) {
        return Err(ConversationError::NotPermitted);
    }
    let told_by = issued.order.channel();
    if state.channel.is_some() && state.channel != told_by {
        return Err(ConversationError::OtherChannel);
    }
    let channel = told_by.map(|id| around.channel(id)).unwrap_or_default();
    if !channel.takes_messages() {
        return Err(ConversationError::ChannelNotConnected);
    }
    let incarnation = state.incarnation_now();
    Ok(match &issued.order {
        ConversationCommand::Receive(incoming) => {
            if let Some(skipped) = skipped(state, incoming) {
                return Ok(vec![skipped]);
            }
            let mut events = match state.phase {
                Phase::Closed => reopen(state, ReopenCause::Message, around),
                _ => Vec::new(),
            };
            events.push(
                MessageReceived {
                    incarnation,
                    channel: incoming.channel,
                    message: incoming.message,
                    kind: incoming.kind,
                    provider_at: incoming.provider_at,
                    content: Personal::open(incoming.content.clone()),
                }
                .into(),
            );
            events.extend(
                incoming.profile.as_ref().and_then(|profile| profile_changed(state, incarnation, profile)),
            );
            events
        }
        ConversationCommand::Echo(incoming) => {
            if let Some(skipped) = skipped(state, incoming) {
                return Ok(vec![skipped]);
            }
            let echoed = MessageEchoed {
                incarnation,
                channel: incoming.channel,
                message: incoming.message,
                provider_at: incoming.provider_at,
                content: Personal::open(incoming.content.clone()),
            };
            let mut events = vec![echoed.into()];
            events.extend(
                incoming.profile.as_ref().and_then(|profile| profile_changed(state, incarnation, profile)),
            );
            events
        }
        // What is left is about messages or a contact that may be gone; then it makes no event.
        _ if state.phase == Phase::Deleted => Vec::new(),
        ConversationCommand::React { message, provider_at, token, content, .. } => vec![
            MessageReacted {
                incarnation,
                message: *message,
                provider_at: *provider_at,
                token: *token,
                content: Personal::open(content.clone()),
            }
            .into(),
        ],
        ConversationCommand::Edit { message, provider_at, token, content, .. } => vec![
            MessageEdited {
                incarnation,
                message: *message,
                provider_at: *provider_at,
                token: *token,
                content: Personal::open(content.clone()),
            }
            .into(),
        ],
        ConversationCommand::Unsend { message, provider_at, token, .. } => {
            vec![
                MessageUnsent { incarnation, message: *message, provider_at: *provider_at, token: *token }
                    .into(),
            ]
        }
        ConversationCommand::ConfirmDelivery { messages, until, token, .. } => {
            vec![
                MessageDelivered { incarnation, messages: messages.clone(), until: *until, token: *token }
                    .into(),
            ]
        }
        ConversationCommand::ConfirmReading { messages, until, token, .. } => {
            vec![MessageRead { incarnation, messages: messages.clone(), until: *until, token: *token }.into()]
        }
        // Of a contact who has not written nothing is kept: there is no conversation to show it in, nor to delete.
        ConversationCommand::UpdateProfile { .. } if state.phase == Phase::NotBegun => Vec::new(),
        ConversationCommand::UpdateProfile { profile, .. } => {
            profile_changed(state, incarnation, profile).into_iter().collect()
        }
        ConversationCommand::Assign { .. }
        | ConversationCommand::Unassign { .. }
        | ConversationCommand::Close
        | ConversationCommand::Reopen
        | ConversationCommand::Delete
        | ConversationCommand::Release { .. } => return Err(ConversationError::NotPermitted),
    })
}

/// A message from before a deletion that only reconciliation tells of must not come back. Without a provider's
/// time its age is unknown, and what was deleted stays deleted.
fn skipped(state: &Conversation, incoming: &Incoming) -> Option<ConversationEvent> {
    let deleted_at = state.deleted_at.filter(|_| incoming.source == Source::Reconciliation)?;
    let older = incoming.provider_at.is_none_or(|at| at <= deleted_at);
    older.then(|| MessageSkipped { incarnation: state.incarnation, message: incoming.message }.into())
}

fn profile_changed(
    state: &Conversation,
    incarnation: u32,
    told: &ContactProfile,
) -> Option<ConversationEvent> {
    // A new incarnation knows nothing of the one before.
    let known = state.profile.value().filter(|_| incarnation == state.incarnation);
    let profile = known.map_or_else(|| told.clone(), |known| known.updated(told));
    let news = known != Some(&profile) && profile != ContactProfile::default();
    news.then(|| ContactProfileChanged { incarnation, profile: Personal::open(profile) }.into())
}

//! The rules, as given / when / then: who holds a conversation (`assigning`), how it lives and ends (`life`),
//! and what providers tell (`ingest`). Here: what they share.

mod assigning;
mod ingest;
mod life;

use cqrs_es::test::{AggregateResultValidator, TestFramework};
use uuid::Uuid;

use super::*;
use crate::{DedupeToken, MessageId, Stamped, Surroundings, SystemReason, channel::Visibility, testing::*};

const CONTACT: Actor = Actor::Contact(CONVERSATION);
const ECHO: Actor = Actor::System(SystemReason::ProviderEcho);
const REPORT: Actor = Actor::System(SystemReason::ProviderReport);
const RECONCILIATION: Actor = Actor::System(SystemReason::Reconciliation);
const ACCESS_LOST: Actor = Actor::System(SystemReason::AccessLost);
const REOPEN_RULE: Actor = Actor::System(SystemReason::ReopenRule);

fn message(n: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(n))
}

fn token(n: u128) -> DedupeToken {
    message(n).into()
}

fn content(n: u128) -> MessageContent {
    MessageContent {
        text: Some(format!("Jó napot! Van még őszibarack? ({n})")),
        provider_message_id: format!("m_{n}"),
        provider_contact_id: "7310459".to_owned(),
        ..MessageContent::default()
    }
}

fn profile(called: &str) -> ContactProfile {
    ContactProfile { name: Some(called.to_owned()), ..ContactProfile::default() }
}

/// Message `n` as a webhook tells it; each test changes what it is about.
fn incoming(n: u128) -> Incoming {
    Incoming {
        channel: CHANNEL,
        message: message(n),
        kind: MessageKind::Message,
        provider_at: None,
        source: Source::Webhook,
        content: content(n),
        profile: None,
    }
}

/// The event of message `n`, in this incarnation.
fn received(incarnation: u32, n: u128) -> MessageReceived {
    MessageReceived {
        incarnation,
        channel: CHANNEL,
        message: message(n),
        kind: MessageKind::Message,
        provider_at: None,
        content: Personal::open(content(n)),
    }
}

fn echoed(incarnation: u32, n: u128) -> MessageEchoed {
    MessageEchoed {
        incarnation,
        channel: CHANNEL,
        message: message(n),
        provider_at: None,
        content: Personal::open(content(n)),
    }
}

fn unassigned(previous: MemberId, cause: UnassignCause) -> Unassigned {
    Unassigned { incarnation: 1, previous, cause }
}

fn begun() -> Vec<Stamped<ConversationEvent>> {
    vec![past(CONTACT, received(1, 1))]
}

fn held_by(assignee: MemberId) -> Vec<Stamped<ConversationEvent>> {
    let mut events = begun();
    events.push(past(by(BELA), Assigned { incarnation: 1, assignee, previous: None }));
    events
}

fn closed(mut events: Vec<Stamped<ConversationEvent>>) -> Vec<Stamped<ConversationEvent>> {
    events.push(past(by(BELA), Closed { incarnation: 1 }));
    events
}

fn deleted(mut events: Vec<Stamped<ConversationEvent>>) -> Vec<Stamped<ConversationEvent>> {
    events.push(past(by(ANNA), Deleted { incarnation: 1 }));
    events
}

/// What a reaction, an edit, a receipt or a profile may arrive as.
fn side_reports() -> [(ConversationCommand, ConversationEvent); 6] {
    let (channel, until, provider_at) = (CHANNEL, Some(BEFORE), Some(BEFORE));
    let reaction = ReactionContent { emoji: Some("❤".to_owned()) };
    let edited = EditedContent { text: "Van még sárgabarack?".to_owned() };
    let messages = vec![message(1), message(9)];
    [
        (
            ConversationCommand::React {
                channel,
                message: message(1),
                provider_at,
                token: token(71),
                content: reaction.clone(),
            },
            MessageReacted {
                incarnation: 1,
                message: message(1),
                provider_at,
                token: token(71),
                content: Personal::open(reaction),
            }
            .into(),
        ),
        (
            ConversationCommand::Edit {
                channel,
                message: message(1),
                provider_at,
                token: token(72),
                content: edited.clone(),
            },
            MessageEdited {
                incarnation: 1,
                message: message(1),
                provider_at,
                token: token(72),
                content: Personal::open(edited),
            }
            .into(),
        ),
        (
            ConversationCommand::Unsend { channel, message: message(1), provider_at, token: token(73) },
            MessageUnsent { incarnation: 1, message: message(1), provider_at, token: token(73) }.into(),
        ),
        (
            ConversationCommand::ConfirmDelivery {
                channel,
                messages: messages.clone(),
                until,
                token: token(74),
            },
            MessageDelivered { incarnation: 1, messages: messages.clone(), until, token: token(74) }.into(),
        ),
        (
            ConversationCommand::ConfirmReading {
                channel,
                messages: messages.clone(),
                until,
                token: token(75),
            },
            MessageRead { incarnation: 1, messages, until, token: token(75) }.into(),
        ),
        (
            ConversationCommand::UpdateProfile { channel, profile: profile("Nagy Ödön") },
            ContactProfileChanged { incarnation: 1, profile: Personal::open(profile("Nagy Ödön")) }.into(),
        ),
    ]
}

/// What members can ask.
fn member_orders() -> [ConversationCommand; 5] {
    [
        ConversationCommand::Assign { to: BELA, expect: Expected::Anybody },
        ConversationCommand::Unassign { expect: Expected::Anybody },
        ConversationCommand::Close,
        ConversationCommand::Reopen,
        ConversationCommand::Delete,
    ]
}

/// In Anna's shared channel.
fn when(
    given: Vec<Stamped<ConversationEvent>>,
    by: Actor,
    order: ConversationCommand,
) -> AggregateResultValidator<Conversation> {
    when_in(around(channel(Visibility::Shared)), given, by, order)
}

fn when_in(
    around: Surroundings,
    given: Vec<Stamped<ConversationEvent>>,
    by: Actor,
    order: ConversationCommand,
) -> AggregateResultValidator<Conversation> {
    TestFramework::<Conversation>::with(around).given(given).when(issued(CONVERSATION.uuid(), by, order))
}

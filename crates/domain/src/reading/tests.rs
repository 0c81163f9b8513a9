//! The rules, as given / when / then.

use std::sync::Arc;

use cqrs_es::test::{AggregateResultValidator, TestFramework};
use uuid::Uuid;

use super::*;
use crate::{
    Actor, MemberId, ReadingId, Stamped, Surroundings, SystemReason,
    channel::{Channel, Health, Visibility},
    conversation::{Conversation, Phase},
    testing::*,
};

const READING: ReadingId = ReadingId::new(Uuid::from_u128(0x500));

/// A log of 40 events, and Anna's channel with one conversation.
fn reachable(channel: Channel, phase: Phase) -> Surroundings {
    let conversation = Conversation { phase, channel: Some(CHANNEL), ..Conversation::default() };
    Surroundings {
        head: Position::new(40),
        conversations: vec![(CONVERSATION, Arc::new(conversation))],
        ..around(channel)
    }
}

fn seen(member: MemberId, up_to: u64) -> ConversationSeen {
    ConversationSeen { conversation: CONVERSATION, member, up_to: Position::new(up_to) }
}

fn mark(up_to: u64) -> ReadingCommand {
    ReadingCommand::MarkSeen { conversation: CONVERSATION, channel: CHANNEL, up_to: Position::new(up_to) }
}

fn when(
    around: Surroundings,
    given: Vec<Stamped<ReadingEvent>>,
    by: Actor,
    order: ReadingCommand,
) -> AggregateResultValidator<Reading> {
    TestFramework::<Reading>::with(around).given(given).when(issued(READING.uuid(), by, order))
}

#[test]
fn a_member_marks_a_conversation_as_seen() {
    for phase in [Phase::Open, Phase::Closed] {
        let around = reachable(channel(Visibility::Shared), phase);
        when(around, vec![], by(CSILLA), mark(12))
            .then_expect_events(vec![now(by(CSILLA), seen(CSILLA, 12))]);
    }
}

#[test]
fn a_mark_never_goes_back() {
    let given = || vec![past(by(CSILLA), seen(CSILLA, 12))];
    let around = || reachable(channel(Visibility::Shared), Phase::Open);
    when(around(), given(), by(CSILLA), mark(12)).then_expect_events(vec![]);
    when(around(), given(), by(CSILLA), mark(11)).then_expect_events(vec![]);
    when(around(), given(), by(CSILLA), mark(13)).then_expect_events(vec![now(by(CSILLA), seen(CSILLA, 13))]);
    let state: Reading = after(vec![past(by(CSILLA), seen(CSILLA, 12)), past(by(CSILLA), seen(CSILLA, 3))]);
    assert_eq!(state.up_to, Position::new(12));
}

#[test]
fn what_is_not_recorded_yet_cannot_have_been_seen() {
    let around = reachable(channel(Visibility::Shared), Phase::Open);
    when(around, vec![], by(CSILLA), mark(u64::MAX))
        .then_expect_events(vec![now(by(CSILLA), seen(CSILLA, 40))]);
}

#[test]
fn a_conversation_of_a_private_channel_is_not_found_by_others() {
    let around = || reachable(channel(Visibility::Private), Phase::Open);
    when(around(), vec![], by(BELA), mark(12)).then_expect_error(ReadingError::NotFound);
    when(around(), vec![], by(ANNA), mark(12)).then_expect_events(vec![now(by(ANNA), seen(ANNA, 12))]);
}

#[test]
fn a_conversation_of_a_disconnected_channel_is_still_read() {
    let disconnected = Channel { health: Health::Disconnected, ..channel(Visibility::Shared) };
    when(reachable(disconnected, Phase::Open), vec![], by(CSILLA), mark(12))
        .then_expect_events(vec![now(by(CSILLA), seen(CSILLA, 12))]);
}

#[test]
fn what_does_not_exist_or_is_deleted_is_not_found() {
    for phase in [Phase::NotBegun, Phase::Deleted] {
        let around = reachable(channel(Visibility::Shared), phase);
        when(around, vec![], by(ANNA), mark(12)).then_expect_error(ReadingError::NotFound);
    }
}

#[test]
fn a_wrong_channel_is_refused() {
    let mut around = reachable(channel(Visibility::Private), Phase::Open);
    let other = crate::ChannelId::new(Uuid::from_u128(0x301));
    around.channels.push((other, Arc::new(channel(Visibility::Shared))));
    let order =
        ReadingCommand::MarkSeen { conversation: CONVERSATION, channel: other, up_to: Position::new(12) };
    when(around, vec![], by(BELA), order).then_expect_error(ReadingError::NotFound);
}

#[test]
fn only_members_read() {
    for actor in
        [by(STRANGER), OPERATOR, Actor::Contact(CONVERSATION), Actor::System(SystemReason::ProviderReport)]
    {
        let around = reachable(channel(Visibility::Shared), Phase::Open);
        when(around, vec![], actor, mark(12)).then_expect_error(ReadingError::NotFound);
    }
}

#[test]
fn a_mark_stands_on_access_and_on_the_conversation_being_there() {
    let consulted = Reading::default().consults(&issued(READING.uuid(), by(CSILLA), mark(12)));
    assert_eq!(consulted, [StreamRef::from(CSILLA), CHANNEL.into(), CONVERSATION.into()]);
}

//! Who holds a conversation.

use super::*;

fn assign(to: MemberId) -> ConversationCommand {
    ConversationCommand::Assign { to, expect: Expected::Anybody }
}

fn assigned(assignee: MemberId, previous: Option<MemberId>) -> Assigned {
    Assigned { incarnation: 1, assignee, previous }
}

fn unassign() -> ConversationCommand {
    ConversationCommand::Unassign { expect: Expected::Anybody }
}

fn release(member: MemberId, cause: LossCause) -> ConversationCommand {
    ConversationCommand::Release { member, cause }
}

const HELD: ConversationError =
    ConversationError::AlreadyAssigned { assignee: CSILLA, by: by(BELA), at: BEFORE };

#[test]
fn any_member_with_access_assigns_to_any_available_member() {
    for (actor, to) in [(ANNA, BELA), (CSILLA, ANNA), (CSILLA, CSILLA), (DENES, CSILLA)] {
        when(begun(), by(actor), assign(to)).then_expect_events(vec![now(by(actor), assigned(to, None))]);
    }
}

#[test]
fn a_reassignment_names_who_held_it() {
    when(held_by(CSILLA), by(ANNA), assign(BELA))
        .then_expect_events(vec![now(by(ANNA), assigned(BELA, Some(CSILLA)))]);
}

#[test]
fn a_closed_conversation_is_assigned_and_unassigned_too() {
    when(closed(begun()), by(ANNA), assign(BELA))
        .then_expect_events(vec![now(by(ANNA), assigned(BELA, None))]);
    when(closed(held_by(CSILLA)), by(ANNA), unassign())
        .then_expect_events(vec![now(by(ANNA), unassigned(CSILLA, UnassignCause::Member))]);
}

#[test]
fn nobody_assigns_to_an_unavailable_member_not_even_that_member() {
    for actor in [ANNA, DENES] {
        when(begun(), by(actor), assign(DENES)).then_expect_error(ConversationError::AssigneeUnavailable);
    }
}

#[test]
fn an_unavailable_member_keeps_what_they_have() {
    when(held_by(DENES), by(ANNA), assign(DENES)).then_expect_events(vec![]);
    when(held_by(DENES), by(DENES), ConversationCommand::Close)
        .then_expect_events(vec![now(by(DENES), Closed { incarnation: 1 })]);
}

#[test]
fn a_member_without_access_is_assigned_nothing() {
    when(begun(), by(ANNA), assign(STRANGER)).then_expect_error(ConversationError::AssigneeWithoutAccess);
    let private = around(channel(Visibility::Private));
    when_in(private, begun(), by(ANNA), assign(BELA))
        .then_expect_error(ConversationError::AssigneeWithoutAccess);
}

#[test]
fn of_several_who_take_a_free_conversation_the_second_is_told_who_was_first() {
    let take = |to| ConversationCommand::Assign { to, expect: Expected::Nobody };
    when(begun(), by(CSILLA), take(CSILLA)).then_expect_events(vec![now(by(CSILLA), assigned(CSILLA, None))]);
    when(held_by(CSILLA), by(ANNA), take(ANNA)).then_expect_error(HELD);
}

#[test]
fn an_assignee_who_is_not_the_expected_one_is_told() {
    let expecting = |member| ConversationCommand::Assign { to: ANNA, expect: Expected::Member(member) };
    when(held_by(CSILLA), by(ANNA), expecting(CSILLA))
        .then_expect_events(vec![now(by(ANNA), assigned(ANNA, Some(CSILLA)))]);
    when(held_by(CSILLA), by(ANNA), expecting(BELA)).then_expect_error(HELD);
    when(begun(), by(ANNA), expecting(CSILLA)).then_expect_error(ConversationError::NotAssigned);
}

#[test]
fn the_checks_of_an_assignment_come_in_their_order() {
    let order = |to| ConversationCommand::Assign { to, expect: Expected::Nobody };
    // The actor's access before everything.
    when(held_by(CSILLA), by(STRANGER), order(CSILLA)).then_expect_error(ConversationError::NotFound);
    // The target's access before what somebody else holds.
    when(held_by(CSILLA), by(ANNA), order(STRANGER))
        .then_expect_error(ConversationError::AssigneeWithoutAccess);
    // Held already before ALREADY_ASSIGNED.
    when(held_by(CSILLA), by(ANNA), order(CSILLA)).then_expect_events(vec![]);
    // Held already before availability.
    when(held_by(DENES), by(ANNA), order(DENES)).then_expect_events(vec![]);
    // ALREADY_ASSIGNED before availability.
    when(held_by(CSILLA), by(ANNA), order(DENES)).then_expect_error(HELD);
    // Access before "held already", for an assignee who lost it.
    let private = around(channel(Visibility::Private));
    when_in(private, held_by(CSILLA), by(ANNA), order(CSILLA))
        .then_expect_error(ConversationError::AssigneeWithoutAccess);
}

#[test]
fn the_assignment_remembers_by_whom_and_when() {
    let state: Conversation = after(held_by(CSILLA));
    assert_eq!(state.assignment, Some(Assignment { assignee: CSILLA, by: by(BELA), at: BEFORE }));
}

#[test]
fn a_member_with_access_unassigns_once() {
    when(held_by(CSILLA), by(BELA), unassign())
        .then_expect_events(vec![now(by(BELA), unassigned(CSILLA, UnassignCause::Member))]);
    when(begun(), by(BELA), unassign()).then_expect_events(vec![]);
    when(held_by(CSILLA), by(STRANGER), unassign()).then_expect_error(ConversationError::NotFound);
}

#[test]
fn unassigning_honours_the_expected_assignee() {
    let expecting = |expect| ConversationCommand::Unassign { expect };
    when(held_by(CSILLA), by(BELA), expecting(Expected::Member(CSILLA)))
        .then_expect_events(vec![now(by(BELA), unassigned(CSILLA, UnassignCause::Member))]);
    for expect in [Expected::Member(BELA), Expected::Nobody] {
        when(held_by(CSILLA), by(BELA), expecting(expect)).then_expect_error(HELD);
    }
    // Nobody holds it: that is what was asked for, whoever was expected.
    when(begun(), by(BELA), expecting(Expected::Member(CSILLA))).then_expect_events(vec![]);
}

#[test]
fn the_system_takes_a_conversation_from_a_member_who_lost_access_closed_ones_included() {
    let private = || around(channel(Visibility::Private));
    for given in [held_by(CSILLA), closed(held_by(CSILLA))] {
        when_in(private(), given, ACCESS_LOST, release(CSILLA, LossCause::AccessLost))
            .then_expect_events(vec![now(ACCESS_LOST, unassigned(CSILLA, UnassignCause::AccessLost))]);
    }
    when(held_by(STRANGER), ACCESS_LOST, release(STRANGER, LossCause::AssigneeRemoved))
        .then_expect_events(vec![now(ACCESS_LOST, unassigned(STRANGER, UnassignCause::AssigneeRemoved))]);
}

#[test]
fn a_release_that_comes_too_late_changes_nothing() {
    let private = || around(channel(Visibility::Private));
    let order = || release(CSILLA, LossCause::AccessLost);
    // The access is back.
    when(held_by(CSILLA), ACCESS_LOST, order()).then_expect_events(vec![]);
    for given in [held_by(BELA), begun(), deleted(held_by(CSILLA)), vec![]] {
        when_in(private(), given, ACCESS_LOST, order()).then_expect_events(vec![]);
    }
}

#[test]
fn only_the_system_releases() {
    for actor in [by(ANNA), CONTACT, OPERATOR] {
        when_in(
            around(channel(Visibility::Private)),
            held_by(CSILLA),
            actor,
            release(CSILLA, LossCause::AccessLost),
        )
        .then_expect_error(ConversationError::NotPermitted);
    }
}

#[test]
fn a_deleted_conversation_is_held_by_nobody() {
    assert_eq!(after::<Conversation>(deleted(held_by(CSILLA))).assignment, None);
}

#[test]
fn availability_and_assignment_are_one_decision() {
    let state: Conversation = after(begun());
    let consulted = |order| state.consults(&issued(CONVERSATION.uuid(), by(ANNA), order));
    let (anna, channel, csilla) = (ANNA.stream(), StreamRef::from(CHANNEL), CSILLA.stream());
    assert_eq!(consulted(assign(CSILLA)), [anna, channel, csilla]);
    assert_eq!(consulted(release(CSILLA, LossCause::AccessLost)), [anna, channel, csilla]);
    assert_eq!(consulted(ConversationCommand::Close), [anna, channel]);
}

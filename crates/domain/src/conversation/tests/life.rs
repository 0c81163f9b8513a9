//! How a conversation is closed, reopened and deleted, and who sees it at all.

use super::*;
use crate::{
    StoredEvent,
    channel::{Channel, Health, ReopenRule},
    member::{Member, Standing},
};

fn reopened(cause: ReopenCause) -> Reopened {
    Reopened { incarnation: 1, cause }
}

fn unassigning() -> Surroundings {
    around(Channel { reopen_rule: ReopenRule::Unassign, ..channel(Visibility::Shared) })
}

#[test]
fn any_member_with_access_closes_and_reopens() {
    for member in [ANNA, BELA, CSILLA, DENES] {
        when(begun(), by(member), ConversationCommand::Close)
            .then_expect_events(vec![now(by(member), Closed { incarnation: 1 })]);
        when(closed(begun()), by(member), ConversationCommand::Reopen)
            .then_expect_events(vec![now(by(member), reopened(ReopenCause::Member))]);
    }
}

#[test]
fn closing_what_is_closed_and_reopening_what_is_open_makes_no_event() {
    when(closed(begun()), by(CSILLA), ConversationCommand::Close).then_expect_events(vec![]);
    when(begun(), by(CSILLA), ConversationCommand::Reopen).then_expect_events(vec![]);
}

#[test]
fn closing_keeps_the_assignee() {
    let state: Conversation = after(closed(held_by(CSILLA)));
    assert_eq!((state.phase, state.assignee()), (Phase::Closed, Some(CSILLA)));
}

#[test]
fn a_manual_reopen_keeps_an_assignee_who_still_has_access_whatever_the_rule() {
    for surroundings in [around(channel(Visibility::Shared)), unassigning()] {
        for assignee in [CSILLA, DENES] {
            when_in(surroundings.clone(), closed(held_by(assignee)), by(BELA), ConversationCommand::Reopen)
                .then_expect_events(vec![now(by(BELA), reopened(ReopenCause::Member))]);
        }
    }
}

#[test]
fn a_manual_reopen_takes_it_from_an_assignee_who_lost_access() {
    let removed = Member { standing: Standing::Removed, ..Member::default() };
    for surroundings in
        [around(channel(Visibility::Private)), but(around(channel(Visibility::Shared)), CSILLA, removed)]
    {
        when_in(surroundings, closed(held_by(CSILLA)), by(ANNA), ConversationCommand::Reopen)
            .then_expect_events(vec![
                now(by(ANNA), reopened(ReopenCause::Member)),
                now(ACCESS_LOST, unassigned(CSILLA, UnassignCause::AccessLost)),
            ]);
    }
}

#[test]
fn a_closed_conversation_reopens_when_the_customer_writes() {
    when(closed(begun()), CONTACT, ConversationCommand::Receive(incoming(2)))
        .then_expect_events(vec![now(CONTACT, reopened(ReopenCause::Message)), now(CONTACT, received(1, 2))]);
}

#[test]
fn an_automatic_reopen_keeps_the_assignee_even_an_unavailable_one() {
    for assignee in [CSILLA, DENES] {
        when(closed(held_by(assignee)), CONTACT, ConversationCommand::Receive(incoming(2)))
            .then_expect_events(vec![
                now(CONTACT, reopened(ReopenCause::Message)),
                now(CONTACT, received(1, 2)),
            ]);
    }
}

#[test]
fn an_automatic_reopen_unassigns_where_the_rule_says_so_and_the_system_did_it() {
    when_in(unassigning(), closed(held_by(CSILLA)), CONTACT, ConversationCommand::Receive(incoming(2)))
        .then_expect_events(vec![
            now(CONTACT, reopened(ReopenCause::Message)),
            now(REOPEN_RULE, unassigned(CSILLA, UnassignCause::ReopenRule)),
            now(CONTACT, received(1, 2)),
        ]);
    when_in(unassigning(), closed(begun()), CONTACT, ConversationCommand::Receive(incoming(2)))
        .then_expect_events(vec![now(CONTACT, reopened(ReopenCause::Message)), now(CONTACT, received(1, 2))]);
}

#[test]
fn an_automatic_reopen_takes_it_from_an_assignee_who_lost_access_and_says_so() {
    let private = Channel { reopen_rule: ReopenRule::Unassign, ..channel(Visibility::Private) };
    when_in(around(private), closed(held_by(CSILLA)), CONTACT, ConversationCommand::Receive(incoming(2)))
        .then_expect_events(vec![
            now(CONTACT, reopened(ReopenCause::Message)),
            now(ACCESS_LOST, unassigned(CSILLA, UnassignCause::AccessLost)),
            now(CONTACT, received(1, 2)),
        ]);
}

#[test]
fn the_rule_is_for_automatic_reopens_of_closed_conversations_only() {
    when_in(unassigning(), held_by(CSILLA), CONTACT, ConversationCommand::Receive(incoming(2)))
        .then_expect_events(vec![now(CONTACT, received(1, 2))]);
}

#[test]
fn a_reopen_stands_on_the_assignees_access() {
    let consulted =
        |given, by, order| after::<Conversation>(given).consults(&issued(CONVERSATION.uuid(), by, order));
    let receive = || ConversationCommand::Receive(incoming(2));
    let (anna, csilla, channel) = (ANNA.stream(), CSILLA.stream(), StreamRef::from(CHANNEL));
    assert_eq!(consulted(closed(held_by(CSILLA)), CONTACT, receive()), [channel, csilla]);
    assert_eq!(consulted(held_by(CSILLA), CONTACT, receive()), [channel]);
    assert_eq!(consulted(vec![], CONTACT, receive()), [channel]);
    let reopen = ConversationCommand::Reopen;
    assert_eq!(consulted(closed(held_by(CSILLA)), by(ANNA), reopen), [anna, channel, csilla]);
}

#[test]
fn only_the_installer_deletes_even_without_settings_access() {
    let plain = but(around(channel(Visibility::Shared)), ANNA, colleague());
    for given in [begun(), closed(held_by(CSILLA))] {
        when_in(plain.clone(), given.clone(), by(ANNA), ConversationCommand::Delete)
            .then_expect_events(vec![now(by(ANNA), Deleted { incarnation: 1 })]);
        for member in [BELA, CSILLA] {
            when(given.clone(), by(member), ConversationCommand::Delete)
                .then_expect_error(ConversationError::OnlyInstaller);
        }
    }
}

#[test]
fn an_installer_who_was_removed_deletes_nothing() {
    let removed = Member { standing: Standing::Removed, ..admin() };
    let surroundings = but(around(channel(Visibility::Shared)), ANNA, removed);
    when_in(surroundings, begun(), by(ANNA), ConversationCommand::Delete)
        .then_expect_error(ConversationError::NotFound);
}

#[test]
fn deleting_twice_is_no_error_for_the_installer_and_not_found_for_others() {
    when(deleted(begun()), by(ANNA), ConversationCommand::Delete).then_expect_events(vec![]);
    when(deleted(begun()), by(BELA), ConversationCommand::Delete)
        .then_expect_error(ConversationError::NotFound);
}

#[test]
fn a_deletion_destroys_the_incarnations_key_and_leaves_nothing_of_the_contact() {
    let mut given = held_by(CSILLA);
    given.push(past(
        CONTACT,
        ContactProfileChanged { incarnation: 1, profile: Personal::open(profile("Nagy Ödön")) },
    ));
    let state: Conversation = after(deleted(given));
    let bare = Conversation {
        phase: Phase::Deleted,
        incarnation: 1,
        channel: Some(CHANNEL),
        deleted_at: Some(BEFORE),
        ..Conversation::default()
    };
    assert_eq!(state, bare);
    let event = ConversationEvent::from(Deleted { incarnation: 3 });
    assert_eq!(event.facts().destroys_key(), Some(3));
    assert_eq!(event.facts().key_number(), 3);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let reacted = || vec![past(CONTACT, side_reports()[0].1.clone())];
    for order in member_orders() {
        for given in [vec![], reacted()] {
            when(given, by(ANNA), order.clone()).then_expect_error(ConversationError::NotFound);
        }
    }
}

#[test]
fn a_deleted_conversation_is_not_found_but_for_a_second_deletion() {
    for order in member_orders().into_iter().filter(|order| *order != ConversationCommand::Delete) {
        when(deleted(held_by(CSILLA)), by(ANNA), order).then_expect_error(ConversationError::NotFound);
    }
}

#[test]
fn a_conversation_of_a_private_channel_does_not_exist_for_others() {
    for order in member_orders() {
        for member in [BELA, CSILLA, STRANGER] {
            when_in(around(channel(Visibility::Private)), begun(), by(member), order.clone())
                .then_expect_error(ConversationError::NotFound);
        }
    }
    when_in(around(channel(Visibility::Private)), begun(), by(ANNA), ConversationCommand::Close)
        .then_expect_events(vec![now(by(ANNA), Closed { incarnation: 1 })]);
}

#[test]
fn members_go_on_with_the_conversations_of_a_disconnected_channel() {
    let disconnected = Channel { health: Health::Disconnected, ..channel(Visibility::Shared) };
    when_in(around(disconnected.clone()), begun(), by(CSILLA), ConversationCommand::Close)
        .then_expect_events(vec![now(by(CSILLA), Closed { incarnation: 1 })]);
    when_in(around(disconnected), begun(), by(ANNA), ConversationCommand::Delete)
        .then_expect_events(vec![now(by(ANNA), Deleted { incarnation: 1 })]);
}

#[test]
fn what_members_may_ask_nobody_else_may() {
    for order in member_orders() {
        for actor in [CONTACT, OPERATOR, REPORT] {
            when(begun(), actor, order.clone()).then_expect_error(ConversationError::NotFound);
        }
    }
}

#[test]
fn forgetting_to_look_around_refuses_and_never_allows() {
    for order in member_orders() {
        when_in(Surroundings::default(), begun(), by(ANNA), order)
            .then_expect_error(ConversationError::NotFound);
    }
}

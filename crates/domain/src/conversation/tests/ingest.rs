//! What providers tell: what begins, revives and reopens, and what does none of these.

use std::sync::Arc;

use super::*;
use crate::{
    StoredEvent, Timestamp,
    channel::{BrokenBecause, Channel, Health},
};

/// Earlier than everything that is given, the deletion included.
const LONG_AGO: Timestamp = BEFORE.plus_micros(-86_400_000_000);

fn receive(n: u128) -> ConversationCommand {
    ConversationCommand::Receive(incoming(n))
}

fn echo(n: u128) -> ConversationCommand {
    ConversationCommand::Echo(incoming(n))
}

fn found(n: u128, provider_at: Option<Timestamp>) -> Incoming {
    Incoming { source: Source::Reconciliation, provider_at, ..incoming(n) }
}

#[test]
fn the_first_message_begins_a_conversation_open_and_unassigned() {
    when(vec![], CONTACT, receive(1)).then_expect_events(vec![now(CONTACT, received(1, 1))]);
    let state: Conversation = after(begun());
    assert_eq!((state.phase, state.incarnation, state.assignment), (Phase::Open, 1, None));
    assert_eq!((state.channel, state.thread_version), (Some(CHANNEL), 1));
}

#[test]
fn a_message_is_added_to_an_open_conversation() {
    when(held_by(CSILLA), CONTACT, receive(2)).then_expect_events(vec![now(CONTACT, received(1, 2))]);
}

#[test]
fn a_postback_counts_as_a_message() {
    let order = || ConversationCommand::Receive(Incoming { kind: MessageKind::Postback, ..incoming(2) });
    let postback = || MessageReceived { kind: MessageKind::Postback, ..received(1, 2) };
    when(vec![], CONTACT, order()).then_expect_events(vec![now(CONTACT, postback())]);
    when(closed(begun()), CONTACT, order()).then_expect_events(vec![
        now(CONTACT, Reopened { incarnation: 1, cause: ReopenCause::Message }),
        now(CONTACT, postback()),
    ]);
    let again = MessageReceived { incarnation: 2, ..postback() };
    when(deleted(begun()), CONTACT, order()).then_expect_events(vec![now(CONTACT, again)]);
}

#[test]
fn an_echo_begins_and_revives_but_does_not_reopen() {
    when(vec![], ECHO, echo(1)).then_expect_events(vec![now(ECHO, echoed(1, 1))]);
    when(closed(held_by(CSILLA)), ECHO, echo(2)).then_expect_events(vec![now(ECHO, echoed(1, 2))]);
    when(deleted(begun()), ECHO, echo(2)).then_expect_events(vec![now(ECHO, echoed(2, 2))]);
    let mut given = closed(held_by(CSILLA));
    given.push(past(ECHO, echoed(1, 2)));
    let state: Conversation = after(given);
    assert_eq!((state.phase, state.assignee(), state.thread_version), (Phase::Closed, Some(CSILLA), 2));
    assert_eq!(after::<Conversation>(vec![past(ECHO, echoed(1, 1))]).phase, Phase::Open);
}

#[test]
fn the_reply_window_starts_at_the_earlier_of_provider_time_and_recorded_time() {
    let last = |provider_at| {
        let event = MessageReceived { provider_at, ..received(1, 1) };
        after::<Conversation>(vec![past(CONTACT, event)]).last_contact_at
    };
    assert_eq!(last(None), Some(BEFORE));
    assert_eq!(last(Some(LONG_AGO)), Some(LONG_AGO));
    assert_eq!(last(Some(NOW)), Some(BEFORE), "a stamp from the future counts as now");
}

#[test]
fn the_reply_window_is_not_moved_back_by_a_late_message_nor_at_all_by_an_echo() {
    let mut given = begun();
    given.push(now(CONTACT, MessageReceived { provider_at: Some(LONG_AGO), ..received(1, 2) }));
    given.push(now(ECHO, echoed(1, 3)));
    given.extend(side_reports().map(|(_, event)| now(REPORT, event)));
    assert_eq!(after::<Conversation>(given).last_contact_at, Some(BEFORE));
}

#[test]
fn reactions_edits_and_receipts_are_recorded_and_begin_or_reopen_nothing() {
    for (order, event) in side_reports() {
        let of_a_message = !matches!(order, ConversationCommand::UpdateProfile { .. });
        let not_begun = of_a_message.then(Vec::new);
        for given in not_begun.into_iter().chain([held_by(CSILLA), closed(held_by(CSILLA))]) {
            let before: Conversation = after(given.clone());
            when(given.clone(), REPORT, order.clone()).then_expect_events(vec![now(REPORT, event.clone())]);
            let state: Conversation = after(given.into_iter().chain([now(REPORT, event.clone())]).collect());
            assert_eq!((state.phase, state.assignment), (before.phase, before.assignment));
            assert_eq!(state.thread_version, before.thread_version);
            assert_eq!(state.incarnation, 1, "the key that seals it has a number");
        }
    }
}

#[test]
fn what_came_before_the_first_message_belongs_to_the_first_incarnation() {
    let reports = || side_reports().map(|(_, event)| past(REPORT, event)).to_vec();
    when(reports(), CONTACT, receive(1)).then_expect_events(vec![now(CONTACT, received(1, 1))]);
    let mut given = reports();
    given.extend(begun());
    assert_eq!(after::<Conversation>(given).phase, Phase::Open);
}

#[test]
fn reactions_edits_and_receipts_after_a_deletion_make_no_event() {
    for (order, _) in side_reports() {
        when(deleted(begun()), REPORT, order).then_expect_events(vec![]);
    }
}

#[test]
fn a_message_after_a_deletion_begins_a_new_incarnation_unassigned_and_empty() {
    when(deleted(closed(held_by(CSILLA))), CONTACT, receive(2))
        .then_expect_events(vec![now(CONTACT, received(2, 2))]);
    let mut given = deleted(closed(held_by(CSILLA)));
    given.push(now(CONTACT, received(2, 2)));
    let state: Conversation = after(given);
    assert_eq!((state.phase, state.incarnation, state.assignment), (Phase::Open, 2, None));
    assert_eq!((state.thread_version, state.profile), (1, Personal::Erased));
    assert_eq!((state.last_contact_at, state.deleted_at), (Some(NOW), Some(BEFORE)));
}

#[test]
fn a_message_never_seen_before_begins_anew_by_webhook_however_old_it_is() {
    let late = Incoming { provider_at: Some(LONG_AGO), ..incoming(2) };
    let event = MessageReceived { provider_at: Some(LONG_AGO), ..received(2, 2) };
    when(deleted(begun()), CONTACT, ConversationCommand::Receive(late))
        .then_expect_events(vec![now(CONTACT, event)]);
}

#[test]
fn a_message_older_than_the_deletion_found_by_reconciliation_is_only_marked_as_seen() {
    let skipped = || MessageSkipped { incarnation: 1, message: message(2) };
    // The last has no time of its own: its age is unknown, and what was deleted stays deleted.
    for provider_at in [Some(LONG_AGO), Some(BEFORE), None] {
        for order in [ConversationCommand::Receive, ConversationCommand::Echo] {
            when(deleted(begun()), RECONCILIATION, order(found(2, provider_at)))
                .then_expect_events(vec![now(RECONCILIATION, skipped())]);
        }
    }
    let event = ConversationEvent::from(skipped());
    assert_eq!(event.facts().dedupe(), Some(token(2)));
    assert!(event.facts().personal().is_none());
    let before: Conversation = after(deleted(begun()));
    assert_eq!(after::<Conversation>([deleted(begun()), vec![now(RECONCILIATION, event)]].concat()), before);
}

#[test]
fn a_message_from_before_the_deletion_does_not_join_the_new_incarnation_either() {
    let mut given = deleted(begun());
    given.push(past(CONTACT, received(2, 2)));
    when(given, RECONCILIATION, ConversationCommand::Receive(found(3, Some(LONG_AGO)))).then_expect_events(
        vec![now(RECONCILIATION, MessageSkipped { incarnation: 2, message: message(3) })],
    );
}

#[test]
fn a_message_newer_than_the_deletion_found_by_reconciliation_begins_anew() {
    let later = BEFORE.plus_micros(1);
    let event = MessageReceived { provider_at: Some(later), ..received(2, 2) };
    when(deleted(begun()), RECONCILIATION, ConversationCommand::Receive(found(2, Some(later))))
        .then_expect_events(vec![now(RECONCILIATION, event)]);
}

#[test]
fn reconciliation_is_like_a_webhook_where_nothing_was_deleted() {
    let event = || MessageReceived { provider_at: Some(LONG_AGO), ..received(1, 2) };
    for given in [vec![], begun()] {
        when(given, RECONCILIATION, ConversationCommand::Receive(found(2, Some(LONG_AGO))))
            .then_expect_events(vec![now(RECONCILIATION, event())]);
    }
}

#[test]
fn what_a_message_tells_of_the_contact_is_kept_when_it_is_news() {
    let told = |profile| ConversationCommand::Receive(Incoming { profile: Some(profile), ..incoming(2) });
    let changed =
        |incarnation, profile| ContactProfileChanged { incarnation, profile: Personal::open(profile) };
    let phone = ContactProfile { phone: Some("+36301234567".to_owned()), ..ContactProfile::default() };
    let both = ContactProfile { name: Some("Nagy Ödön".to_owned()), ..phone.clone() };
    let known = || {
        let mut given = begun();
        given.push(past(CONTACT, changed(1, profile("Nagy Ödön"))));
        given
    };
    when(vec![], CONTACT, told(profile("Nagy Ödön"))).then_expect_events(vec![
        now(CONTACT, received(1, 2)),
        now(CONTACT, changed(1, profile("Nagy Ödön"))),
    ]);
    when(known(), CONTACT, told(phone.clone()))
        .then_expect_events(vec![now(CONTACT, received(1, 2)), now(CONTACT, changed(1, both))]);
    when(known(), CONTACT, told(profile("Kis Ödön"))).then_expect_events(vec![
        now(CONTACT, received(1, 2)),
        now(CONTACT, changed(1, profile("Kis Ödön"))),
    ]);
    for no_news in [profile("Nagy Ödön"), ContactProfile::default()] {
        when(known(), CONTACT, told(no_news)).then_expect_events(vec![now(CONTACT, received(1, 2))]);
    }
    // A new incarnation knows nothing of the one before.
    when(deleted(known()), CONTACT, told(phone.clone()))
        .then_expect_events(vec![now(CONTACT, received(2, 2)), now(CONTACT, changed(2, phone))]);
    let echo = Incoming { profile: Some(profile("Nagy Ödön")), ..incoming(2) };
    when(begun(), ECHO, ConversationCommand::Echo(echo))
        .then_expect_events(vec![now(ECHO, echoed(1, 2)), now(ECHO, changed(1, profile("Nagy Ödön")))]);
}

#[test]
fn a_profile_that_is_no_news_makes_no_event() {
    let update = |profile| ConversationCommand::UpdateProfile { channel: CHANNEL, profile };
    let told = ContactProfileChanged { incarnation: 1, profile: Personal::open(profile("Nagy Ödön")) };
    let given = [begun(), vec![past(REPORT, told)]].concat();
    when(given, REPORT, update(profile("Nagy Ödön"))).then_expect_events(vec![]);
    when(begun(), REPORT, update(ContactProfile::default())).then_expect_events(vec![]);
}

#[test]
fn nothing_is_kept_of_a_contact_who_has_not_written() {
    let profile = profile("Nagy Ödön");
    let update = ConversationCommand::UpdateProfile { channel: CHANNEL, profile: profile.clone() };
    when(vec![], REPORT, update.clone()).then_expect_events(vec![]);
    let reacted = vec![past(CONTACT, side_reports()[0].1.clone())];
    when(reacted, REPORT, update).then_expect_events(vec![]);
    // The first message brings it.
    let told = Incoming { profile: Some(profile.clone()), ..incoming(1) };
    when(vec![], CONTACT, ConversationCommand::Receive(told)).then_expect_events(vec![
        now(CONTACT, received(1, 1)),
        now(CONTACT, ContactProfileChanged { incarnation: 1, profile: Personal::open(profile) }),
    ]);
}

#[test]
fn a_channel_that_is_not_connected_takes_nothing() {
    let mut orders = vec![receive(2), echo(2)];
    orders.extend(side_reports().map(|(order, _)| order));
    for order in orders {
        for given in [vec![], begun(), deleted(begun())] {
            let disconnected = Channel { health: Health::Disconnected, ..channel(Visibility::Shared) };
            for channel in [disconnected, Channel::default()] {
                when_in(around(channel), given.clone(), REPORT, order.clone())
                    .then_expect_error(ConversationError::ChannelNotConnected);
            }
        }
    }
}

#[test]
fn a_broken_channel_takes_what_arrives() {
    let broken =
        Channel { health: Health::Broken(BrokenBecause::CredentialsRefused), ..channel(Visibility::Shared) };
    when_in(around(broken), vec![], CONTACT, receive(1))
        .then_expect_events(vec![now(CONTACT, received(1, 1))]);
}

#[test]
fn members_and_operators_tell_nothing_in_a_providers_name() {
    let mut orders = vec![receive(2), echo(2)];
    orders.extend(side_reports().map(|(order, _)| order));
    for order in orders {
        for actor in [by(ANNA), OPERATOR] {
            when(begun(), actor, order.clone()).then_expect_error(ConversationError::NotPermitted);
        }
    }
}

#[test]
fn what_a_provider_tells_is_told_once() {
    let dedupe = |event: ConversationEvent| event.facts().dedupe();
    assert_eq!(dedupe(received(1, 5).into()), Some(token(5)));
    assert_eq!(dedupe(echoed(1, 5).into()), Some(token(5)));
    let tokens = side_reports().map(|(_, event)| dedupe(event));
    assert_eq!(tokens, [71, 72, 73, 74, 75, 0].map(|n| (n > 0).then(|| token(n))));
}

#[test]
fn what_another_channel_tells_is_refused_even_after_a_deletion() {
    let other = ChannelId::new(Uuid::from_u128(0x301));
    let mut both = around(channel(Visibility::Shared));
    both.channels.push((other, Arc::new(channel(Visibility::Shared))));
    let through_other = [
        ConversationCommand::Receive(Incoming { channel: other, ..incoming(2) }),
        ConversationCommand::Echo(Incoming { channel: other, ..incoming(2) }),
        ConversationCommand::UpdateProfile { channel: other, profile: profile("Nagy Ödön") },
    ];
    for order in through_other {
        for given in [begun(), closed(held_by(CSILLA)), deleted(begun())] {
            when_in(both.clone(), given, REPORT, order.clone())
                .then_expect_error(ConversationError::OtherChannel);
        }
    }
    let first = ConversationCommand::Receive(Incoming { channel: other, ..incoming(1) });
    when_in(both, vec![], CONTACT, first)
        .then_expect_events(vec![now(CONTACT, MessageReceived { channel: other, ..received(1, 1) })]);
}

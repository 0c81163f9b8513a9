//! The rules, as given / when / then.

use std::sync::Arc;

use cqrs_es::test::{AggregateResultValidator, TestFramework};
use uuid::Uuid;

use super::*;
use crate::{
    Actor, DeliveryId, Personal, PersonalPart, Stamped, StoredEvent, Surroundings, SystemReason, Timestamp,
    connection::{ChannelKind, Connection},
    testing::*,
};

const DELIVERY: DeliveryId = DeliveryId::new(Uuid::from_u128(0x600));
const INGESTION: Actor = Actor::System(SystemReason::Ingestion);
const EXPIRES_AT: Timestamp = NOW.plus_micros(30 * 86_400_000_000);

/// The raw body; it need not be text at all.
fn content() -> DeliveryContent {
    DeliveryContent { content_type: "application/json".to_owned(), body: vec![b'{', 0xC5, 0x91, 0, 0xFF] }
}

fn fact() -> DeliveryKept {
    DeliveryKept {
        connection: CONNECTION,
        because: KeptBecause::Unparsable,
        bytes: 5,
        expires_at: EXPIRES_AT,
        content: Personal::open(content()),
    }
}

fn kept() -> Stamped<DeliveryEvent> {
    past(INGESTION, fact())
}

fn replayed() -> Stamped<DeliveryEvent> {
    past(OPERATOR, DeliveryReplayed {})
}

fn skipped() -> Stamped<DeliveryEvent> {
    past(OPERATOR, DeliverySkipped { because: SkippedBecause::Judged })
}

fn keep() -> DeliveryCommand {
    DeliveryCommand::Keep {
        connection: CONNECTION,
        because: KeptBecause::Unparsable,
        expires_at: EXPIRES_AT,
        content: content(),
    }
}

fn skip(because: SkippedBecause) -> DeliveryCommand {
    DeliveryCommand::Skip { because }
}

fn when(
    given: Vec<Stamped<DeliveryEvent>>,
    by: Actor,
    order: DeliveryCommand,
) -> AggregateResultValidator<Delivery> {
    let connection = Connection { kind: Some(ChannelKind::Messenger), ..Connection::default() };
    let around = Surroundings {
        connections: vec![(CONNECTION, Arc::new(connection))],
        ..around(crate::channel::Channel::default())
    };
    TestFramework::<Delivery>::with(around).given(given).when(issued(DELIVERY.uuid(), by, order))
}

#[test]
fn a_delivery_that_cannot_be_understood_is_kept_whole() {
    when(vec![], INGESTION, keep()).then_expect_events(vec![now(INGESTION, fact())]);
}

#[test]
fn a_delivery_is_kept_once() {
    for given in [vec![kept()], vec![kept(), replayed()], vec![kept(), skipped()]] {
        when(given, INGESTION, keep()).then_expect_error(DeliveryError::AlreadyKept);
    }
}

#[test]
fn a_delivery_of_an_unknown_connection_is_not_kept() {
    TestFramework::<Delivery>::with(Surroundings::default())
        .given_no_previous_events()
        .when(issued(DELIVERY.uuid(), INGESTION, keep()))
        .then_expect_error(DeliveryError::UnknownConnection);
}

#[test]
fn a_kept_delivery_is_replayed_once() {
    for actor in [OPERATOR, INGESTION] {
        when(vec![kept()], actor, DeliveryCommand::MarkReplayed)
            .then_expect_events(vec![now(actor, DeliveryReplayed {})]);
    }
    when(vec![kept(), replayed()], OPERATOR, DeliveryCommand::MarkReplayed).then_expect_events(vec![]);
}

#[test]
fn a_kept_delivery_is_skipped_once() {
    for because in [SkippedBecause::Judged, SkippedBecause::Expired] {
        when(vec![kept()], OPERATOR, skip(because))
            .then_expect_events(vec![now(OPERATOR, DeliverySkipped { because })]);
        when(vec![kept(), skipped()], INGESTION, skip(because)).then_expect_events(vec![]);
    }
}

#[test]
fn what_was_skipped_is_not_replayed_and_what_was_replayed_is_not_skipped() {
    when(vec![kept(), skipped()], OPERATOR, DeliveryCommand::MarkReplayed)
        .then_expect_error(DeliveryError::AlreadySkipped);
    when(vec![kept(), replayed()], OPERATOR, skip(SkippedBecause::Judged))
        .then_expect_error(DeliveryError::AlreadyReplayed);
}

#[test]
fn a_delivery_that_was_never_kept_is_not_found() {
    for order in [DeliveryCommand::MarkReplayed, skip(SkippedBecause::Expired)] {
        when(vec![], OPERATOR, order).then_expect_error(DeliveryError::NotFound);
    }
}

#[test]
fn members_and_contacts_decide_nothing_about_deliveries() {
    for actor in [by(ANNA), Actor::Contact(CONVERSATION)] {
        when(vec![], actor, keep()).then_expect_error(DeliveryError::NotPermitted);
        for order in [DeliveryCommand::MarkReplayed, skip(SkippedBecause::Judged)] {
            when(vec![kept()], actor, order).then_expect_error(DeliveryError::NotPermitted);
        }
    }
}

#[test]
fn the_kept_body_dies_with_its_key_when_it_is_replayed_or_skipped() {
    assert_eq!(kept().event.facts().destroys_key(), None);
    assert_eq!(kept().event.facts().key_number(), 1);
    assert_eq!(replayed().event.facts().destroys_key(), Some(1));
    assert_eq!(skipped().event.facts().destroys_key(), Some(1));
}

#[test]
fn any_body_survives_being_stored() {
    let body: Vec<u8> = (0..=255).collect();
    let mut part =
        Personal::open(DeliveryContent { content_type: "application/octet-stream".to_owned(), body });
    let open = part.clone();
    let plaintext = part.plaintext().unwrap();
    part.erase();
    assert_eq!(part, Personal::Erased);
    part.set_plaintext(&plaintext).unwrap();
    assert_eq!(part, open);
    assert!(part.set_plaintext("{\"content_type\":\"text/plain\",\"body\":\"ő\"}".as_bytes()).is_err());
}

#[test]
fn keeping_stands_on_the_connection() {
    let consulted = |order| Delivery::default().consults(&issued(DELIVERY.uuid(), INGESTION, order));
    assert_eq!(consulted(keep()), [StreamRef::from(CONNECTION)]);
    assert_eq!(consulted(DeliveryCommand::MarkReplayed), []);
}

#[test]
fn a_body_that_would_not_fit_into_an_event_is_refused() {
    let body = vec![0; DeliveryContent::BODY_BYTES_MAX + 1];
    let content = DeliveryContent { content_type: "application/json".to_owned(), body };
    let keep = |content| DeliveryCommand::Keep {
        connection: CONNECTION,
        because: KeptBecause::Unparsable,
        expires_at: Timestamp::default(),
        content,
    };
    when(vec![], INGESTION, keep(content.clone())).then_expect_error(DeliveryError::TooLarge);
    let fits = DeliveryContent { body: content.body[1..].to_vec(), ..content };
    assert!(serde_json::to_vec(&fits).unwrap().len() < 3 << 19, "with room for sealing");
    assert!(when(vec![], INGESTION, keep(fits)).inspect_result().is_ok());
}

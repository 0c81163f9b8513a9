//! The rules, as given / when / then.

use cqrs_es::test::{AggregateResultValidator, TestFramework};

use super::*;
use crate::{Actor, Stamped, SystemReason, channel::Visibility, testing::*};

fn secrets(signing: &str) -> ConnectionSecrets {
    ConnectionSecrets {
        webhook_token: "wh-5f0c".to_owned(),
        signing: signing.to_owned(),
        signing_previous: None,
        verify_token: Some("kézfogás".to_owned()),
        access: None,
    }
}

fn added() -> Stamped<ConnectionEvent> {
    past(
        by(ANNA),
        ConnectionAdded { kind: ChannelKind::Messenger, secrets: Personal::open(secrets("first")) },
    )
}

fn add(secrets: ConnectionSecrets) -> ConnectionCommand {
    ConnectionCommand::Add { kind: ChannelKind::Messenger, secrets }
}

fn rotate(secrets: ConnectionSecrets) -> ConnectionCommand {
    ConnectionCommand::RotateSecrets { secrets, instead_of: None }
}

fn when(
    given: Vec<Stamped<ConnectionEvent>>,
    by: Actor,
    order: ConnectionCommand,
) -> AggregateResultValidator<Connection> {
    TestFramework::<Connection>::with(around(channel(Visibility::Shared))).given(given).when(issued(
        CONNECTION.uuid(),
        by,
        order,
    ))
}

#[test]
fn a_member_with_settings_access_adds_a_connection_once() {
    when(vec![], by(BELA), add(secrets("first"))).then_expect_events(vec![now(
        by(BELA),
        ConnectionAdded { kind: ChannelKind::Messenger, secrets: Personal::open(secrets("first")) },
    )]);
    when(vec![added()], by(ANNA), add(secrets("second"))).then_expect_error(ConnectionError::AlreadyAdded);
}

#[test]
fn secrets_are_rotated_and_the_old_one_stays_as_previous() {
    let gapless = ConnectionSecrets { signing_previous: Some("first".to_owned()), ..secrets("second") };
    when(vec![added()], by(ANNA), rotate(gapless.clone()))
        .then_expect_events(vec![now(by(ANNA), SecretsRotated { secrets: Personal::open(gapless.clone()) })]);
    let rotated = past(by(ANNA), SecretsRotated { secrets: Personal::open(gapless.clone()) });
    let state: Connection = after(vec![added(), rotated]);
    assert_eq!(state.kind, Some(ChannelKind::Messenger));
    assert_eq!(state.secrets, Personal::open(gapless));
}

#[test]
fn rotating_to_the_same_secrets_makes_no_event() {
    when(vec![added()], by(ANNA), rotate(secrets("first"))).then_expect_events(vec![]);
}

#[test]
fn a_rotation_that_saw_other_secrets_changes_nothing() {
    let instead = |seen: &str| ConnectionCommand::RotateSecrets {
        secrets: secrets("third"),
        instead_of: Some(seen.to_owned()),
    };
    when(vec![added()], by(ANNA), instead("second")).then_expect_error(ConnectionError::RotatedMeanwhile);
    when(vec![added()], by(ANNA), instead("first")).then_expect_events(vec![now(
        by(ANNA),
        SecretsRotated { secrets: Personal::open(secrets("third")) },
    )]);
}

#[test]
fn secrets_that_cannot_be_read_are_rotated_all_the_same() {
    let erased = past(by(ANNA), ConnectionAdded { kind: ChannelKind::Messenger, secrets: Personal::Erased });
    when(vec![erased], by(ANNA), rotate(secrets("first"))).then_expect_events(vec![now(
        by(ANNA),
        SecretsRotated { secrets: Personal::open(secrets("first")) },
    )]);
}

#[test]
fn a_connection_that_was_never_added_is_not_found() {
    when(vec![], by(ANNA), rotate(secrets("first"))).then_expect_error(ConnectionError::NotFound);
}

#[test]
fn a_signing_secret_and_a_webhook_token_are_needed() {
    let without_token = ConnectionSecrets { webhook_token: String::new(), ..secrets("first") };
    for incomplete in [secrets(""), without_token] {
        when(vec![], by(ANNA), add(incomplete.clone())).then_expect_error(ConnectionError::SecretMissing);
        when(vec![added()], by(ANNA), rotate(incomplete)).then_expect_error(ConnectionError::SecretMissing);
    }
}

#[test]
fn only_members_with_settings_access_touch_connections() {
    for actor in [
        by(CSILLA),
        by(STRANGER),
        OPERATOR,
        Actor::Contact(CONVERSATION),
        Actor::System(SystemReason::Ingestion),
    ] {
        when(vec![], actor, add(secrets("first"))).then_expect_error(ConnectionError::NotPermitted);
        when(vec![added()], actor, rotate(secrets("second")))
            .then_expect_error(ConnectionError::NotPermitted);
    }
}

#[test]
fn secrets_are_never_printed() {
    assert!(!format!("{:?}", added()).contains("first"));
    assert!(!format!("{:?}", add(secrets("first"))).contains("first"));
}

#[test]
fn a_decision_about_a_connection_stands_on_its_actor() {
    let issued = issued(CONNECTION.uuid(), by(ANNA), rotate(secrets("second")));
    assert_eq!(Connection::default().consults(&issued), [ANNA.stream()]);
}

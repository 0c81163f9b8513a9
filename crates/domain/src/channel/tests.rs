//! The rules, as given / when / then.

use std::sync::Arc;

use cqrs_es::test::{AggregateResultValidator, TestFramework};

use super::*;
use crate::{Actor, Stamped, Surroundings, SystemReason, connection::Connection, testing::*};

const REPORT: Actor = Actor::System(SystemReason::ProviderReport);
const OTHER_CONNECTION: ConnectionId = ConnectionId::new(Uuid::from_u128(0x201));

fn identity(called: &str) -> Personal<ChannelIdentity> {
    Personal::open(ChannelIdentity { provider_id: "104839217".to_owned(), name: name(called), access: None })
}

fn fact(visibility: Visibility) -> ChannelConnected {
    ChannelConnected {
        connection: CONNECTION,
        kind: ChannelKind::Messenger,
        installer: ANNA,
        visibility,
        reopen_rule: ReopenRule::KeepAssignee,
        identity: identity("Kézműves Műhely"),
    }
}

fn connected() -> Stamped<ChannelEvent> {
    past(by(ANNA), fact(Visibility::Shared))
}

fn disconnected() -> Stamped<ChannelEvent> {
    past(by(ANNA), ChannelDisconnected {})
}

fn broken() -> Stamped<ChannelEvent> {
    past(REPORT, ChannelBroken { because: BrokenBecause::CredentialsRefused })
}

fn connect(connection: ConnectionId, called: &str, visibility: Visibility) -> ChannelCommand {
    ChannelCommand::Connect {
        connection,
        kind: ChannelKind::Messenger,
        provider_id: "104839217".to_owned(),
        name: name(called),
        access: None,
        visibility,
    }
}

/// The cast, and two connections of the same kind.
fn scene() -> Surroundings {
    let connection = Arc::new(Connection { kind: Some(ChannelKind::Messenger), ..Connection::default() });
    Surroundings {
        connections: vec![(CONNECTION, Arc::clone(&connection)), (OTHER_CONNECTION, connection)],
        ..around(Channel::default())
    }
}

fn when(
    given: Vec<Stamped<ChannelEvent>>,
    by: Actor,
    order: ChannelCommand,
) -> AggregateResultValidator<Channel> {
    TestFramework::<Channel>::with(scene()).given(given).when(issued(CHANNEL.uuid(), by, order))
}

#[test]
fn whoever_connects_a_channel_is_its_installer() {
    for visibility in [Visibility::Shared, Visibility::Private] {
        when(vec![], by(ANNA), connect(CONNECTION, "Kézműves Műhely", visibility))
            .then_expect_events(vec![now(by(ANNA), fact(visibility))]);
    }
    assert_eq!(Visibility::default(), Visibility::Shared);
    let state: Channel = after(vec![connected()]);
    assert!(state.takes_messages());
    assert_eq!(state.installer, Some(ANNA));
}

#[test]
fn connecting_needs_settings_access() {
    for actor in [by(CSILLA), by(STRANGER), OPERATOR, REPORT, Actor::Contact(CONVERSATION)] {
        let order = connect(CONNECTION, "Kézműves Műhely", Visibility::Shared);
        when(vec![], actor, order.clone()).then_expect_error(ChannelError::NotPermitted);
        when(vec![connected()], actor, order).then_expect_error(ChannelError::NotPermitted);
    }
}

#[test]
fn a_channel_is_connected_by_a_connection_of_its_kind() {
    let unknown = ConnectionId::new(Uuid::from_u128(0x2FF));
    when(vec![], by(ANNA), connect(unknown, "Kézműves Műhely", Visibility::Shared))
        .then_expect_error(ChannelError::ConnectionMismatch);
    let whatsapp = ChannelCommand::Connect {
        connection: CONNECTION,
        kind: ChannelKind::WhatsappTwilio,
        provider_id: "+36301234567".to_owned(),
        name: name("Ügyfélszolgálat"),
        access: None,
        visibility: Visibility::Shared,
    };
    when(vec![], by(ANNA), whatsapp).then_expect_error(ChannelError::ConnectionMismatch);
}

#[test]
fn the_installer_reconnects_and_everything_else_stays() {
    for given in [vec![connected()], vec![connected(), disconnected()], vec![connected(), broken()]] {
        when(given, by(ANNA), connect(OTHER_CONNECTION, "Kézműves Műhely", Visibility::Private))
            .then_expect_events(vec![now(by(ANNA), ChannelReconnected { connection: OTHER_CONNECTION })]);
    }
    let reconnected = past(by(ANNA), ChannelReconnected { connection: OTHER_CONNECTION });
    let state: Channel = after(vec![connected(), disconnected(), reconnected]);
    assert_eq!(state.connection, Some(OTHER_CONNECTION));
    assert_eq!((state.health, state.visibility), (Health::Connected, Visibility::Shared));
}

#[test]
fn a_channel_is_never_reconnected_as_another_kind() {
    let twilio = Connection { kind: Some(ChannelKind::WhatsappTwilio), ..Connection::default() };
    let around = Surroundings { connections: vec![(OTHER_CONNECTION, Arc::new(twilio))], ..scene() };
    let order = ChannelCommand::Connect {
        connection: OTHER_CONNECTION,
        kind: ChannelKind::WhatsappTwilio,
        provider_id: "104839217".to_owned(),
        name: name("Kézműves Műhely"),
        access: None,
        visibility: Visibility::Shared,
    };
    for given in [vec![connected()], vec![connected(), disconnected()]] {
        TestFramework::<Channel>::with(around.clone())
            .given(given)
            .when(issued(CHANNEL.uuid(), by(ANNA), order.clone()))
            .then_expect_error(ChannelError::ConnectionMismatch);
    }
}

#[test]
fn another_member_who_reconnects_becomes_the_installer() {
    when(vec![connected(), disconnected()], by(BELA), connect(CONNECTION, "Új név", Visibility::Shared))
        .then_expect_events(vec![
            now(by(BELA), ChannelReconnected { connection: CONNECTION }),
            now(
                by(BELA),
                InstallerChanged { installer: BELA, previous: ANNA, cause: InstallerCause::Reconnected },
            ),
            now(by(BELA), ChannelRenamed { identity: identity("Új név") }),
        ]);
}

#[test]
fn a_channel_is_renamed_by_members_with_settings_access() {
    let rename = |called| ChannelCommand::Rename { name: name(called) };
    when(vec![connected()], by(BELA), rename("Őszi Vásár"))
        .then_expect_events(vec![now(by(BELA), ChannelRenamed { identity: identity("Őszi Vásár") })]);
    when(vec![connected()], by(BELA), rename("Kézműves Műhely")).then_expect_events(vec![]);
    when(vec![connected()], by(CSILLA), rename("Más")).then_expect_error(ChannelError::NotPermitted);
}

#[test]
fn an_identity_that_cannot_be_read_is_not_renamed_but_connected_again() {
    let erased = past(by(ANNA), ChannelRenamed { identity: Personal::Erased });
    when(vec![connected(), erased.clone()], by(ANNA), ChannelCommand::Rename { name: name("Más") })
        .then_expect_error(ChannelError::IdentityUnreadable);
    when(vec![connected(), erased], by(ANNA), connect(CONNECTION, "Kézműves Műhely", Visibility::Shared))
        .then_expect_events(vec![
            now(by(ANNA), ChannelReconnected { connection: CONNECTION }),
            now(by(ANNA), ChannelRenamed { identity: identity("Kézműves Műhely") }),
        ]);
}

#[test]
fn the_reopen_rule_keeps_the_assignee_until_it_is_changed() {
    let set = |rule| ChannelCommand::SetReopenRule { rule };
    when(vec![connected()], by(BELA), set(ReopenRule::KeepAssignee)).then_expect_events(vec![]);
    when(vec![connected()], by(BELA), set(ReopenRule::Unassign))
        .then_expect_events(vec![now(by(BELA), ReopenRuleChanged { rule: ReopenRule::Unassign })]);
    when(vec![connected()], by(CSILLA), set(ReopenRule::Unassign))
        .then_expect_error(ChannelError::NotPermitted);
}

#[test]
fn a_channel_is_disconnected_once() {
    when(vec![connected()], by(BELA), ChannelCommand::Disconnect)
        .then_expect_events(vec![now(by(BELA), ChannelDisconnected {})]);
    when(vec![connected(), broken()], by(BELA), ChannelCommand::Disconnect)
        .then_expect_events(vec![now(by(BELA), ChannelDisconnected {})]);
    when(vec![connected(), disconnected()], by(BELA), ChannelCommand::Disconnect).then_expect_events(vec![]);
    when(vec![connected()], by(CSILLA), ChannelCommand::Disconnect)
        .then_expect_error(ChannelError::NotPermitted);
    assert!(!after::<Channel>(vec![connected(), disconnected()]).takes_messages());
}

#[test]
fn the_installer_with_settings_access_changes_visibility() {
    let set = |visibility| ChannelCommand::SetVisibility { visibility };
    when(vec![connected()], by(ANNA), set(Visibility::Private))
        .then_expect_events(vec![now(by(ANNA), VisibilityChanged { visibility: Visibility::Private })]);
    when(vec![connected()], by(ANNA), set(Visibility::Shared)).then_expect_events(vec![]);
}

#[test]
fn a_retention_is_1_to_3650_days_or_for_ever() {
    let set = |days| ChannelCommand::SetRetention { days };
    for days in [1, 30, 3_650] {
        when(vec![connected()], by(ANNA), set(Some(days)))
            .then_expect_events(vec![now(by(ANNA), RetentionChanged { days: Some(days) })]);
    }
    for days in [0, 3_651, u32::MAX] {
        when(vec![connected()], by(ANNA), set(Some(days)))
            .then_expect_error(ChannelError::RetentionOutOfRange);
    }
    when(vec![connected()], by(ANNA), set(None)).then_expect_events(vec![]);
    let limited = past(by(ANNA), RetentionChanged { days: Some(30) });
    when(vec![connected(), limited], by(ANNA), set(None))
        .then_expect_events(vec![now(by(ANNA), RetentionChanged { days: None })]);
}

#[test]
fn an_installation_is_handed_over_to_any_active_member() {
    let hand_over = |to| ChannelCommand::HandOver { to };
    for (given, to) in
        [(vec![connected()], BELA), (vec![connected()], CSILLA), (vec![connected(), disconnected()], DENES)]
    {
        when(given, by(ANNA), hand_over(to)).then_expect_events(vec![now(
            by(ANNA),
            InstallerChanged { installer: to, previous: ANNA, cause: InstallerCause::HandedOver },
        )]);
    }
    when(vec![connected()], by(ANNA), hand_over(ANNA)).then_expect_events(vec![]);
    when(vec![connected()], by(ANNA), hand_over(STRANGER))
        .then_expect_error(ChannelError::NewInstallerNotActive);
}

#[test]
fn only_the_installer_with_settings_access_governs_a_channel() {
    let orders = || {
        [
            ChannelCommand::SetVisibility { visibility: Visibility::Private },
            ChannelCommand::SetRetention { days: Some(30) },
            ChannelCommand::HandOver { to: CSILLA },
        ]
    };
    for order in orders() {
        for actor in [by(BELA), by(CSILLA), OPERATOR, REPORT] {
            when(vec![connected()], actor, order.clone()).then_expect_error(ChannelError::OnlyInstaller);
        }
        TestFramework::<Channel>::with(but(scene(), ANNA, colleague()))
            .given(vec![connected()])
            .when(issued(CHANNEL.uuid(), by(ANNA), order))
            .then_expect_error(ChannelError::OnlyInstaller);
    }
}

#[test]
fn a_channel_that_was_never_connected_is_not_found() {
    for (actor, order) in [
        (by(ANNA), ChannelCommand::Rename { name: name("Más") }),
        (by(ANNA), ChannelCommand::SetReopenRule { rule: ReopenRule::Unassign }),
        (by(ANNA), ChannelCommand::Disconnect),
        (by(ANNA), ChannelCommand::SetVisibility { visibility: Visibility::Private }),
        (by(ANNA), ChannelCommand::SetRetention { days: Some(30) }),
        (by(ANNA), ChannelCommand::HandOver { to: BELA }),
        (REPORT, ChannelCommand::MarkBroken { because: BrokenBecause::CredentialsRefused }),
        (REPORT, ChannelCommand::MarkRestored),
    ] {
        when(vec![], actor, order).then_expect_error(ChannelError::NotFound);
    }
}

#[test]
fn the_provider_breaks_and_restores_a_channel() {
    let mark = |because| ChannelCommand::MarkBroken { because };
    for because in [BrokenBecause::CredentialsRefused, BrokenBecause::PermissionRefused] {
        when(vec![connected()], REPORT, mark(because))
            .then_expect_events(vec![now(REPORT, ChannelBroken { because })]);
    }
    let refused = BrokenBecause::PermissionRefused;
    when(vec![connected(), broken()], REPORT, mark(BrokenBecause::CredentialsRefused))
        .then_expect_events(vec![]);
    when(vec![connected(), broken()], REPORT, mark(refused))
        .then_expect_events(vec![now(REPORT, ChannelBroken { because: refused })]);
    let told_again = past(REPORT, ChannelBroken { because: refused });
    when(vec![connected(), broken(), told_again], REPORT, mark(refused)).then_expect_events(vec![]);
    when(vec![connected(), broken()], REPORT, ChannelCommand::MarkRestored)
        .then_expect_events(vec![now(REPORT, ChannelRestored {})]);
    when(vec![connected()], REPORT, ChannelCommand::MarkRestored).then_expect_events(vec![]);
    assert!(after::<Channel>(vec![connected(), broken()]).takes_messages(), "what arrives is taken");
}

#[test]
fn health_is_not_reported_by_members_nor_about_a_disconnected_channel() {
    let broken = || ChannelCommand::MarkBroken { because: BrokenBecause::CredentialsRefused };
    for order in [broken(), ChannelCommand::MarkRestored] {
        for actor in [by(ANNA), OPERATOR, Actor::Contact(CONVERSATION)] {
            when(vec![connected()], actor, order.clone()).then_expect_error(ChannelError::NotPermitted);
        }
        when(vec![connected(), disconnected()], REPORT, order).then_expect_error(ChannelError::Disconnected);
    }
}

#[test]
fn the_installers_own_streams_follow_the_channel() {
    let gain = |member| Command::Member(member, MemberCommand::GainInstallation { channel: CHANNEL });
    let lose = |member| Command::Member(member, MemberCommand::LoseInstallation { channel: CHANNEL });
    let follows = |event: ChannelEvent| Channel::default().consequences(CHANNEL.uuid(), &event);
    assert_eq!(follows(fact(Visibility::Shared).into()), [gain(ANNA)]);
    let changed = InstallerChanged { installer: BELA, previous: ANNA, cause: InstallerCause::HandedOver };
    assert_eq!(follows(changed.into()), [lose(ANNA), gain(BELA)]);
    assert_eq!(follows(ChannelDisconnected {}.into()), []);
}

#[test]
fn a_decision_about_a_channel_stands_on_its_actor_the_connection_and_the_new_installer() {
    let consulted = |order| Channel::default().consults(&issued(CHANNEL.uuid(), by(ANNA), order));
    let anna = ANNA.stream();
    let connect = connect(CONNECTION, "Kézműves Műhely", Visibility::Shared);
    assert_eq!(consulted(connect), [anna, CONNECTION.into()]);
    assert_eq!(consulted(ChannelCommand::HandOver { to: BELA }), [anna, BELA.stream()]);
    assert_eq!(consulted(ChannelCommand::Disconnect), [anna]);
}

#[test]
fn whoever_cannot_see_a_channel_is_not_told_that_it_exists() {
    let hidden = || vec![connected(), past(by(ANNA), VisibilityChanged { visibility: Visibility::Private })];
    let rename = ChannelCommand::Rename { name: name("Más") };
    for order in [rename, ChannelCommand::SetRetention { days: None }, ChannelCommand::Disconnect] {
        when(hidden(), by(CSILLA), order.clone()).then_expect_error(ChannelError::NotFound);
        when(vec![], by(CSILLA), order).then_expect_error(ChannelError::NotFound);
    }
}

//! The rules, as given / when / then.

use cqrs_es::test::{AggregateResultValidator, TestFramework};

use super::*;
use crate::{Actor, Stamped, SystemReason, channel::Visibility, testing::*};

fn profile(called: &str) -> Personal<MemberProfile> {
    Personal::open(MemberProfile { email: email("gabor@peldabolt.hu"), name: name(called) })
}

/// Whom these tests are about.
const GABOR: MemberId = MemberId::new(Uuid::from_u128(0x6));

fn invited(settings_access: bool) -> Stamped<MemberEvent> {
    past(by(ANNA), MemberInvited { account: ACCOUNT, settings_access, profile: profile("Szűcs Gábor") })
}

fn joined() -> Stamped<MemberEvent> {
    past(by(GABOR), MemberJoined {})
}

fn removed() -> Stamped<MemberEvent> {
    past(by(ANNA), MemberRemoved {})
}

fn installed() -> Stamped<MemberEvent> {
    past(by(GABOR), InstallationGained { channel: CHANNEL })
}

fn invite(settings_access: bool) -> MemberCommand {
    MemberCommand::Invite {
        account: ACCOUNT,
        email: email("gabor@peldabolt.hu"),
        name: name("Szűcs Gábor"),
        settings_access,
    }
}

fn when(
    given: Vec<Stamped<MemberEvent>>,
    by: Actor,
    order: MemberCommand,
) -> AggregateResultValidator<Member> {
    TestFramework::<Member>::with(around(channel(Visibility::Shared))).given(given).when(issued(
        GABOR.uuid(),
        by,
        order,
    ))
}

#[test]
fn members_with_settings_access_and_operators_invite() {
    for actor in [by(ANNA), by(BELA), OPERATOR] {
        when(vec![], actor, invite(true)).then_expect_events(vec![now(
            actor,
            MemberInvited { account: ACCOUNT, settings_access: true, profile: profile("Szűcs Gábor") },
        )]);
    }
    for actor in [by(CSILLA), by(STRANGER), by(GABOR), Actor::System(SystemReason::Ingestion)] {
        when(vec![], actor, invite(false)).then_expect_error(MemberError::NotPermitted);
    }
}

#[test]
fn who_is_here_already_is_not_invited_again_but_who_was_removed_is() {
    when(vec![invited(false), joined()], by(ANNA), invite(true))
        .then_expect_error(MemberError::AlreadyMember);
    when(vec![invited(true), joined(), removed()], by(ANNA), invite(false)).then_expect_events(vec![now(
        by(ANNA),
        MemberInvited { account: ACCOUNT, settings_access: false, profile: profile("Szűcs Gábor") },
    )]);
}

#[test]
fn who_is_invited_again_before_joining_is_invited_as_they_are_wanted_now() {
    when(vec![invited(false)], by(ANNA), invite(false)).then_expect_events(vec![]);
    when(vec![invited(true)], by(ANNA), invite(false)).then_expect_events(vec![now(
        by(ANNA),
        MemberInvited { account: ACCOUNT, settings_access: false, profile: profile("Szűcs Gábor") },
    )]);
    when(vec![invited(false)], by(CSILLA), invite(true)).then_expect_error(MemberError::NotPermitted);
}

#[test]
fn who_was_invited_joins_themselves_or_by_an_operator() {
    for actor in [by(GABOR), OPERATOR] {
        when(vec![invited(false)], actor, MemberCommand::Join)
            .then_expect_events(vec![now(actor, MemberJoined {})]);
    }
    when(vec![invited(false)], by(ANNA), MemberCommand::Join).then_expect_error(MemberError::OnlyOneself);
}

#[test]
fn joining_twice_makes_no_event_and_joining_uninvited_is_refused() {
    when(vec![invited(false), joined()], by(GABOR), MemberCommand::Join).then_expect_events(vec![]);
    when(vec![], by(GABOR), MemberCommand::Join).then_expect_error(MemberError::NotInvited);
    when(vec![invited(false), joined(), removed()], by(GABOR), MemberCommand::Join)
        .then_expect_error(MemberError::NotInvited);
}

#[test]
fn a_new_members_availability_is_on_and_a_removed_ones_is_off() {
    let member: Member = after(vec![invited(false)]);
    assert!(!member.available && !member.is_active());
    let member: Member = after(vec![invited(false), joined()]);
    assert!(member.available && member.is_active());
    let member: Member = after(vec![invited(true), joined(), removed()]);
    assert!(!member.available && !member.is_active() && !member.settings_access);
    let off = past(by(GABOR), AvailabilityChanged { available: false });
    let member: Member = after(vec![invited(false), joined(), off, removed(), invited(false), joined()]);
    assert!(member.available, "a member who comes back is new");
}

#[test]
fn availability_is_each_members_own_switch() {
    let switch = |available| MemberCommand::SetAvailability { available };
    let here = || vec![invited(true), joined()];
    when(here(), by(GABOR), switch(false))
        .then_expect_events(vec![now(by(GABOR), AvailabilityChanged { available: false })]);
    when(here(), by(GABOR), switch(true)).then_expect_events(vec![]);
    for actor in [by(ANNA), OPERATOR, Actor::System(SystemReason::Ingestion)] {
        when(here(), actor, switch(false)).then_expect_error(MemberError::OnlyOneself);
    }
    when(vec![invited(false)], by(GABOR), switch(true)).then_expect_error(MemberError::NotActive);
    when(vec![invited(false)], by(ANNA), switch(true)).then_expect_error(MemberError::OnlyOneself);
}

#[test]
fn a_name_is_changed_by_its_bearer_and_the_address_stays() {
    let rename = |called| MemberCommand::ChangeProfile { name: name(called) };
    let here = || vec![invited(false), joined()];
    when(here(), by(GABOR), rename("Szűcs-Őri Gábor")).then_expect_events(vec![now(
        by(GABOR),
        MemberProfileChanged { profile: profile("Szűcs-Őri Gábor") },
    )]);
    when(here(), by(GABOR), rename(" Szűcs Gábor ")).then_expect_events(vec![]);
    when(here(), by(ANNA), rename("Más")).then_expect_error(MemberError::OnlyOneself);
}

#[test]
fn a_profile_that_cannot_be_read_is_not_overwritten() {
    let sealed =
        past(by(ANNA), MemberInvited { account: ACCOUNT, settings_access: false, profile: Personal::Erased });
    when(vec![sealed, joined()], by(GABOR), MemberCommand::ChangeProfile { name: name("Gábor") })
        .then_expect_error(MemberError::ProfileUnreadable);
}

#[test]
fn permissions_are_changed_by_members_with_settings_access() {
    let set = |settings_access| MemberCommand::SetPermissions { settings_access };
    let plain = || vec![invited(false), joined()];
    for actor in [by(ANNA), by(BELA)] {
        when(plain(), actor, set(true))
            .then_expect_events(vec![now(actor, PermissionsChanged { settings_access: true })]);
    }
    when(plain(), by(ANNA), set(false)).then_expect_events(vec![]);
    when(plain(), by(CSILLA), set(true)).then_expect_error(MemberError::NotPermitted);
    when(plain(), by(GABOR), set(true)).then_expect_error(MemberError::NotPermitted);
    when(vec![invited(true), joined()], by(GABOR), set(false))
        .then_expect_events(vec![now(by(GABOR), PermissionsChanged { settings_access: false })]);
}

#[test]
fn what_a_member_asks_about_themselves_is_judged_by_their_newest_state() {
    let revoked = past(by(ANNA), PermissionsChanged { settings_access: false });
    let stale = but(around(channel(Visibility::Shared)), GABOR, admin());
    TestFramework::<Member>::with(stale)
        .given(vec![invited(true), joined(), revoked])
        .when(issued(GABOR.uuid(), by(GABOR), MemberCommand::SetPermissions { settings_access: true }))
        .then_expect_error(MemberError::NotPermitted);
}

#[test]
fn an_invited_member_manages_nobody_yet() {
    when(vec![invited(true)], by(GABOR), MemberCommand::Remove).then_expect_error(MemberError::NotPermitted);
}

#[test]
fn members_are_removed_by_members_with_settings_access() {
    for (given, actor) in [
        (vec![invited(false), joined()], by(ANNA)),
        (vec![invited(false)], by(ANNA)),
        (vec![invited(true), joined()], by(GABOR)),
    ] {
        when(given, actor, MemberCommand::Remove).then_expect_events(vec![now(actor, MemberRemoved {})]);
    }
    for actor in [by(CSILLA), by(GABOR), Actor::Contact(CONVERSATION)] {
        when(vec![invited(false), joined()], actor, MemberCommand::Remove)
            .then_expect_error(MemberError::NotPermitted);
    }
}

#[test]
fn an_operator_invites_but_neither_removes_nor_permits() {
    for order in [MemberCommand::Remove, MemberCommand::SetPermissions { settings_access: true }] {
        when(vec![invited(false), joined()], OPERATOR, order).then_expect_error(MemberError::NotPermitted);
    }
}

#[test]
fn an_installer_is_not_removed_before_the_channel_is_handed_over() {
    let given = vec![invited(true), joined(), installed()];
    when(given.clone(), by(ANNA), MemberCommand::Remove).then_expect_error(MemberError::StillInstaller);
    let mut handed_over = given;
    handed_over.push(past(by(GABOR), InstallationLost { channel: CHANNEL }));
    when(handed_over, by(ANNA), MemberCommand::Remove)
        .then_expect_events(vec![now(by(ANNA), MemberRemoved {})]);
}

#[test]
fn whoever_is_not_here_is_not_found() {
    for order in [
        MemberCommand::ChangeProfile { name: name("Gábor") },
        MemberCommand::SetPermissions { settings_access: true },
        MemberCommand::SetAvailability { available: true },
        MemberCommand::Remove,
        MemberCommand::GainInstallation { channel: CHANNEL },
    ] {
        when(vec![], by(ANNA), order.clone()).then_expect_error(MemberError::NotFound);
        when(vec![invited(true), joined(), removed()], by(ANNA), order)
            .then_expect_error(MemberError::NotFound);
    }
}

#[test]
fn installations_are_gained_and_lost_once() {
    let gain = MemberCommand::GainInstallation { channel: CHANNEL };
    let lose = MemberCommand::LoseInstallation { channel: CHANNEL };
    when(vec![invited(false), joined()], by(ANNA), gain.clone())
        .then_expect_events(vec![now(by(ANNA), InstallationGained { channel: CHANNEL })]);
    when(vec![invited(false), joined(), installed()], by(ANNA), gain.clone()).then_expect_events(vec![]);
    when(vec![invited(false), joined(), installed()], by(ANNA), lose.clone())
        .then_expect_events(vec![now(by(ANNA), InstallationLost { channel: CHANNEL })]);
    when(vec![invited(false), joined()], by(ANNA), lose).then_expect_events(vec![]);
    when(vec![invited(false)], by(ANNA), gain).then_expect_error(MemberError::NotActive);
}

#[test]
fn a_decision_about_a_member_stands_on_another_actor_but_not_on_itself() {
    let consulted = |by| Member::default().consults(&issued(GABOR.uuid(), by, MemberCommand::Remove));
    assert_eq!(consulted(by(ANNA)), [ANNA.stream()]);
    assert_eq!(consulted(by(GABOR)), []);
}

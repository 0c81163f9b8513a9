//! The rules, as given / when / then.

use cqrs_es::test::{AggregateResultValidator, TestFramework};

use super::*;
use crate::{
    Actor, Command, Name, Stamped, Surroundings, SystemReason,
    channel::Visibility,
    member::{Member, MemberEvent, MemberJoined, MemberRemoved, PermissionsChanged, Standing},
    testing::*,
};

fn profile(text: &str) -> Personal<AccountProfile> {
    Personal::open(AccountProfile { name: name(text) })
}

fn created() -> Stamped<AccountEvent> {
    past(
        OPERATOR,
        AccountCreated {
            language: Language::Hu,
            time_zone: "Europe/Budapest".to_owned(),
            profile: profile("Fűszer és Méz Kft."),
        },
    )
}

fn granted(member: MemberId) -> Stamped<AccountEvent> {
    past(by(ANNA), SettingsAccessGranted { member })
}

fn create(time_zone: &str) -> AccountCommand {
    AccountCommand::Create {
        name: name("Fűszer és Méz Kft."),
        language: Language::Hu,
        time_zone: time_zone.to_owned(),
    }
}

fn rename(name: Name) -> AccountCommand {
    AccountCommand::Update(AccountChange { name: Some(name), ..AccountChange::default() })
}

fn when(
    given: Vec<Stamped<AccountEvent>>,
    by: Actor,
    order: AccountCommand,
) -> AggregateResultValidator<Account> {
    let around: Surroundings = around(channel(Visibility::Shared));
    TestFramework::<Account>::with(around).given(given).when(issued(ACCOUNT.uuid(), by, order))
}

#[test]
fn an_operator_creates_an_account() {
    when(vec![], OPERATOR, create("Europe/Budapest")).then_expect_events(vec![now(
        OPERATOR,
        AccountCreated {
            language: Language::Hu,
            time_zone: "Europe/Budapest".to_owned(),
            profile: profile("Fűszer és Méz Kft."),
        },
    )]);
}

#[test]
fn nobody_but_an_operator_creates_an_account() {
    for actor in [by(ANNA), Actor::Contact(CONVERSATION), Actor::System(SystemReason::Ingestion)] {
        when(vec![], actor, create("Europe/Budapest")).then_expect_error(AccountError::NotPermitted);
    }
}

#[test]
fn an_account_is_created_once() {
    when(vec![created()], OPERATOR, create("Europe/Budapest"))
        .then_expect_error(AccountError::AlreadyCreated);
}

#[test]
fn a_time_zone_is_an_iana_name() {
    for wrong in ["", "Budapest", "UTC+1", "Europe/Atlantis"] {
        when(vec![], OPERATOR, create(wrong)).then_expect_error(AccountError::UnknownTimeZone);
        let change = AccountChange { time_zone: Some(wrong.to_owned()), ..AccountChange::default() };
        when(vec![created()], by(ANNA), AccountCommand::Update(change))
            .then_expect_error(AccountError::UnknownTimeZone);
    }
}

#[test]
fn what_was_never_created_is_not_found() {
    for order in [
        rename(name("Más")),
        AccountCommand::GrantSettingsAccess { member: ANNA },
        AccountCommand::RevokeSettingsAccess { member: ANNA },
    ] {
        when(vec![], by(ANNA), order).then_expect_error(AccountError::NotFound);
    }
}

#[test]
fn a_change_carries_all_settings_and_keeps_what_it_does_not_mention() {
    let change = AccountChange { language: Some(Language::En), ..AccountChange::default() };
    when(vec![created()], by(BELA), AccountCommand::Update(change)).then_expect_events(vec![now(
        by(BELA),
        AccountSettingsChanged {
            language: Language::En,
            time_zone: "Europe/Budapest".to_owned(),
            profile: profile("Fűszer és Méz Kft."),
        },
    )]);
    when(vec![created()], by(ANNA), rename(name("Őszi Áfonya Bt."))).then_expect_events(vec![now(
        by(ANNA),
        AccountSettingsChanged {
            language: Language::Hu,
            time_zone: "Europe/Budapest".to_owned(),
            profile: profile("Őszi Áfonya Bt."),
        },
    )]);
}

#[test]
fn changing_settings_to_what_they_are_makes_no_event() {
    let same = AccountChange {
        name: Some(name("Fűszer és Méz Kft.")),
        language: Some(Language::Hu),
        time_zone: Some("Europe/Budapest".to_owned()),
    };
    for change in [same, AccountChange::default()] {
        when(vec![created()], by(ANNA), AccountCommand::Update(change)).then_expect_events(vec![]);
    }
}

#[test]
fn only_members_with_settings_access_change_settings() {
    for actor in [by(CSILLA), by(STRANGER), OPERATOR, Actor::System(SystemReason::Ingestion)] {
        when(vec![created()], actor, rename(name("Más"))).then_expect_error(AccountError::NotPermitted);
    }
}

#[test]
fn a_name_that_cannot_be_read_is_not_lost_by_a_change_of_something_else() {
    let mut erased = created();
    if let AccountEvent::AccountCreated(e) = &mut erased.event {
        e.profile = Personal::Erased;
    }
    let language = AccountChange { language: Some(Language::En), ..AccountChange::default() };
    when(vec![erased.clone()], by(ANNA), AccountCommand::Update(language))
        .then_expect_error(AccountError::NameUnreadable);
    when(vec![erased], by(ANNA), rename(name("Új Név Zrt."))).then_expect_events(vec![now(
        by(ANNA),
        AccountSettingsChanged {
            language: Language::Hu,
            time_zone: "Europe/Budapest".to_owned(),
            profile: profile("Új Név Zrt."),
        },
    )]);
}

#[test]
fn settings_access_is_granted_once_and_revoked_once() {
    let grant = AccountCommand::GrantSettingsAccess { member: BELA };
    when(vec![created(), granted(ANNA)], by(ANNA), grant.clone())
        .then_expect_events(vec![now(by(ANNA), SettingsAccessGranted { member: BELA })]);
    when(vec![created(), granted(ANNA), granted(BELA)], by(ANNA), grant).then_expect_events(vec![]);
    let revoke = AccountCommand::RevokeSettingsAccess { member: BELA };
    when(vec![created(), granted(ANNA), granted(BELA)], by(ANNA), revoke.clone())
        .then_expect_events(vec![now(by(ANNA), SettingsAccessRevoked { member: BELA })]);
    when(vec![created(), granted(ANNA)], by(ANNA), revoke).then_expect_events(vec![]);
}

#[test]
fn the_last_member_with_settings_access_keeps_it() {
    let revoke = |member| AccountCommand::RevokeSettingsAccess { member };
    when(vec![created(), granted(ANNA)], by(ANNA), revoke(ANNA))
        .then_expect_error(AccountError::LastWithSettingsAccess);
    let revoked = past(by(BELA), SettingsAccessRevoked { member: BELA });
    when(vec![created(), granted(ANNA), granted(BELA), revoked], OPERATOR, revoke(ANNA))
        .then_expect_error(AccountError::LastWithSettingsAccess);
}

#[test]
fn what_happens_to_a_member_follows_in_the_account() {
    let with = |standing, settings_access| Member {
        account: Some(ACCOUNT),
        standing,
        settings_access,
        ..Member::default()
    };
    let grant = vec![Command::Account(ACCOUNT, AccountCommand::GrantSettingsAccess { member: BELA })];
    let revoke = vec![Command::Account(ACCOUNT, AccountCommand::RevokeSettingsAccess { member: BELA })];
    let joined: MemberEvent = MemberJoined {}.into();
    let removed: MemberEvent = MemberRemoved {}.into();
    let permissions = |settings_access| MemberEvent::from(PermissionsChanged { settings_access });
    for (member, event, follows) in [
        (with(Standing::Active, true), joined.clone(), grant.clone()),
        (with(Standing::Active, false), joined, vec![]),
        (with(Standing::Active, true), permissions(true), grant),
        (with(Standing::Active, false), permissions(false), revoke.clone()),
        // Who has not joined yet counts for nothing: they could not change the settings.
        (with(Standing::Invited, true), permissions(true), vec![]),
        (with(Standing::Removed, false), removed, revoke),
    ] {
        assert_eq!(member.consequences(BELA.uuid(), &event), follows, "{event:?}");
    }
}

#[test]
fn a_decision_about_an_account_stands_on_its_actor() {
    let consulted = |by| Account::default().consults(&issued(ACCOUNT.uuid(), by, rename(name("Más"))));
    assert_eq!(consulted(by(ANNA)), [ANNA.stream()]);
    assert_eq!(consulted(OPERATOR), []);
}

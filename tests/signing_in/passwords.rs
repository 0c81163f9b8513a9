//! Whose password opens what, and what a refusal tells: nothing.

use std::time::{Duration, Instant};

use parlance_app::{
    front::{Asker, FrontError},
    sign_in::{PasswordError, Recipe, SignedIn},
};
use parlance_domain::{Command, Name, member::MemberCommand};
use parlance_store::SignIns as _;
use parlance_tests::{Team, TestApp, WEAK};

use super::{
    EVA, PASSWORD, attempt, choices, email, member, named, nobody, refusal, session, sign_in, typed,
};

#[tokio::test(flavor = "multi_thread")]
async fn one_address_in_two_accounts_has_a_password_in_each() {
    let app = TestApp::start().await;
    let (here, there) = (Team::create(&app).await, Team::create(&app).await);
    let (eva, elsewhere) =
        (member(&here, EVA, PASSWORD).await, member(&there, EVA, "egészen más jelszó").await);
    assert_eq!(session(&app, EVA, PASSWORD).await.asker, eva);
    assert_eq!(
        session(&app, "ÉVA@example.hu".replace('É', "E").as_str(), "egészen más jelszó").await.asker,
        elsewhere
    );
    // The right password for the wrong account is wrong.
    let wrong = app.parlance.sign_in.sign_in(attempt(EVA, PASSWORD, Some(there.account)), None).await;
    assert_eq!(wrong.err(), Some(FrontError::SignInRefused));
    // One password for both: there is a choice, of those alone.
    app.parlance.sign_in.reset_password(elsewhere, Some(typed(PASSWORD))).await.unwrap();
    let mut accounts: Vec<_> = choices(sign_in(&app, EVA, PASSWORD).await)
        .into_iter()
        .map(|choice| (choice.account, choice.name))
        .collect();
    accounts.sort_unstable();
    let mut expected = vec![here.account, there.account]
        .into_iter()
        .map(|id| (id, Some("Példa Kft.".to_owned())))
        .collect::<Vec<_>>();
    expected.sort_unstable();
    assert_eq!(accounts, expected);
    for by in [eva, elsewhere] {
        let chosen = app.parlance.sign_in.sign_in(attempt(EVA, PASSWORD, Some(by.account)), None).await;
        assert!(matches!(chosen, Ok(SignedIn::Session(begun)) if begun.asker == by));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_looks_the_same_and_takes_as_long() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    member(&team, EVA, PASSWORD).await;
    let gone = member(&team, "gone@example.hu", PASSWORD).await;
    team.by(team.admin, Command::Member(gone.member, MemberCommand::Remove)).await.unwrap();
    let invited = email("invited@example.hu");
    let invite = MemberCommand::Invite {
        account: team.account,
        email: invited.clone(),
        name: Name::new("Invited").unwrap(),
        settings_access: true,
    };
    team.by(team.admin, Command::Member(team.ring.ids.member(&invited), invite)).await.unwrap();
    team.member("without@example.hu").await;
    for (address, password) in [
        (EVA, "not the password"),
        (EVA, ""),
        (EVA, &"x".repeat(100_000)),
        ("nobody@example.hu", PASSWORD),
        ("gone@example.hu", PASSWORD),
        ("invited@example.hu", PASSWORD),
        ("without@example.hu", PASSWORD),
    ] {
        let begun = Instant::now();
        assert_eq!(refusal(&app, address, password).await, Some(FrontError::SignInRefused), "{address}");
        assert!(begun.elapsed() >= Duration::from_millis(300), "{address} is refused too soon");
    }
    assert_eq!(session(&app, EVA, PASSWORD).await.asker.account, team.account);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_for_known_and_unknown_addresses_alike() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    member(&team, EVA, PASSWORD).await;
    let sign_in = &app.parlance.sign_in;
    let tried = async |address: &str, n: u8| {
        let from = Some([192, 0, 2, n].into());
        let wrong = super::Attempt { address: from, ..attempt(address, "not the password", None) };
        sign_in.sign_in(wrong, None).await.err()
    };
    for address in [EVA, "nobody@example.hu"] {
        for n in 0..10 {
            assert_eq!(tried(address, n).await, Some(FrontError::SignInRefused));
        }
        assert_eq!(tried(address, 99).await, Some(FrontError::TooManyAttempts { seconds: 30 }), "{address}");
    }
    app.clock.advance(30_000_000);
    assert_eq!(session(&app, EVA, PASSWORD).await.asker.account, team.account);
}

/// Whoever invites a stranger's address into their own account can sign in there as that address, from anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_one_account_buys_no_guesses_at_another_account_s() {
    let app = TestApp::start().await;
    let (here, there) = (Team::create(&app).await, Team::create(&app).await);
    let eva = member(&here, EVA, PASSWORD).await;
    let hostile = member(&there, EVA, "a jelszó, amit tud").await;
    let sign_in = &app.parlance.sign_in;
    let tried = async |password: &str, n: u8| {
        let from = Some([192, 0, 2, n].into());
        sign_in.sign_in(super::Attempt { address: from, ..attempt(EVA, password, None) }, None).await
    };
    let asker = |signed_in| match signed_in {
        Ok(SignedIn::Session(begun)) => begun.asker,
        _ => panic!("one membership has this password"),
    };
    assert_eq!(asker(tried(PASSWORD, 1).await), eva);
    for n in 2..11 {
        assert_eq!(asker(tried("a jelszó, amit tud", n).await), hostile);
    }
    // The tries for this address are used up, and those of their own places are for their own account.
    for n in 2..11 {
        assert_eq!(tried(PASSWORD, n).await.err(), Some(FrontError::SignInRefused), "from {n}");
    }
    assert_eq!(asker(tried("a jelszó, amit tud", 2).await), hostile);
    assert_eq!(tried(PASSWORD, 99).await.err(), Some(FrontError::TooManyAttempts { seconds: 30 }));
    assert_eq!(asker(tried(PASSWORD, 1).await), eva, "where it is known she is let in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_from_an_earlier_membership_opens_nothing() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    app.clock.advance(1_000);
    team.by(team.admin, Command::Member(eva.member, MemberCommand::Remove)).await.unwrap();
    assert_eq!(refusal(&app, EVA, PASSWORD).await, Some(FrontError::SignInRefused));
    app.clock.advance(1_000);
    assert_eq!(team.asker(team.member(EVA).await), eva, "the same member again");
    assert_eq!(refusal(&app, EVA, PASSWORD).await, Some(FrontError::SignInRefused));
    // What let them in is not kept either.
    let mut policy = app.parlance.directory_policy();
    policy.drain(team.account).await.unwrap();
    assert_eq!(app.parlance.store.password(eva.account, eva.member).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_hashed_anew_when_the_recipe_is_raised() {
    const RAISED: &[Recipe] = &[WEAK[0], Recipe { number: 2, memory_kib: 16, passes: 2 }];
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let stored = async || app.parlance.store.password(eva.account, eva.member).await.unwrap().unwrap();
    let before = stored().await;
    let later = TestApp::hashing(app.parlance.store.clone(), app.path(), 2, RAISED).await;
    assert_eq!(refusal(&later, EVA, "not the password").await, Some(FrontError::SignInRefused));
    assert_eq!(stored().await, before);
    for _ in 0..2 {
        assert_eq!(session(&later, EVA, PASSWORD).await.asker, eva);
        let after = stored().await;
        assert_eq!((before.recipe, after.recipe, after.set_at), (1, 2, before.set_at));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_from_before_there_were_passwords_are_found_by_their_address() {
    let app = TestApp::start().await;
    let (team, other) = (Team::create(&app).await, Team::create(&app).await);
    // They join behind the desk's back, as an older release let them.
    let (eva, elsewhere) = (team.asker(team.member(EVA).await), other.asker(other.member(EVA).await));
    for account in [team.account, other.account] {
        app.parlance.directory_policy().drain(account).await.unwrap();
    }
    let mut found = app.parlance.sign_in.memberships(&email("EVA@example.hu")).await.unwrap();
    found.sort_unstable_by_key(|by| by.account);
    let mut expected = vec![eva, elsewhere];
    expected.sort_unstable_by_key(|by| by.account);
    assert_eq!(found, expected);
    team.by(team.admin, Command::Member(eva.member, MemberCommand::Remove)).await.unwrap();
    assert_eq!(app.parlance.sign_in.memberships(&email(EVA)).await, Ok(vec![elsewhere]), "active ones alone");
    assert_eq!(app.parlance.sign_in.begin(eva).await.err(), Some(FrontError::SignInRefused));
    assert_eq!(app.parlance.sign_in.begin(elsewhere).await.unwrap().asker, elsewhere);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_by_who_knows_it_and_other_sessions_end() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let (here, there) = (session(&app, EVA, PASSWORD).await, session(&app, EVA, PASSWORD).await);
    let change = async |current: &str, new: &str| {
        app.parlance.sign_in.change_password(eva, here.credential, &typed(current), &typed(new)).await
    };
    assert_eq!(change("not the password", "valami egészen új").await, Err(FrontError::CurrentPasswordWrong));
    assert_eq!(change(PASSWORD, "rövid").await, Err(FrontError::Password(PasswordError::TooShort)));
    assert_eq!(change(PASSWORD, "EVA@example.hu").await, Err(FrontError::Password(PasswordError::TooEasy)));
    assert_eq!(change(PASSWORD, "valami egészen új").await, Ok(()));
    assert_eq!(named(&app, &here.token).await, Some((eva, here.credential)));
    assert_eq!(named(&app, &there.token).await, None);
    assert_eq!(refusal(&app, EVA, PASSWORD).await, Some(FrontError::SignInRefused));
    assert_eq!(session(&app, EVA, "valami egészen új").await.asker, eva);
    assert_eq!(change("not the password", PASSWORD).await, Err(FrontError::CurrentPasswordWrong));
    let limited = change("valami egészen új", PASSWORD).await;
    assert_eq!(limited, Err(FrontError::TooManyAttempts { seconds: 60 }), "guesses are limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_resets_the_password_of_active_members_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let before = session(&app, EVA, PASSWORD).await;
    let made_up = app.parlance.sign_in.reset_password(eva, None).await.unwrap();
    assert_eq!(named(&app, &before.token).await, None);
    assert_eq!(refusal(&app, EVA, PASSWORD).await, Some(FrontError::SignInRefused));
    assert_eq!(session(&app, EVA, &made_up).await.asker, eva);
    let unknown = Asker { member: nobody(), ..eva };
    assert_eq!(app.parlance.sign_in.reset_password(unknown, None).await.err(), Some(FrontError::NotFound));
}

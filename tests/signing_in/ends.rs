//! Whoever waits for a credential's end is told, at once, and cheaply.

use std::time::Duration;

use parlance_app::front::{Asker, Credential, Principal, TokenScopes};
use parlance_app::sign_in::{NewApiToken, SESSIONS_MAX};
use parlance_domain::{Command, Name, OperatorId, member::MemberCommand};
use parlance_tests::{Team, TestApp};
use tokio::{task::JoinHandle, time::timeout};

use super::{EVA, PASSWORD, member, session, typed};

/// Sooner than everything is looked at again anyway.
const AT_ONCE: Duration = Duration::from_secs(4);

fn waiting(app: &TestApp, by: Asker, credential: Credential) -> JoinHandle<()> {
    tokio::spawn(app.parlance.sign_in.clone().ended(Principal::Member(by, credential)))
}

async fn ends_at_once(waiting: JoinHandle<()>, why: &str) {
    timeout(AT_ONCE, waiting).await.unwrap_or_else(|_| panic!("{why} is not told")).expect("it is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_credential_is_told_at_once() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let sign_in = &app.parlance.sign_in;
    let kept = session(&app, EVA, PASSWORD).await;
    let still = waiting(&app, eva, kept.credential);

    let one = session(&app, EVA, PASSWORD).await;
    let told = waiting(&app, eva, one.credential);
    sign_in.sign_out(eva, one.credential, false).await.unwrap();
    ends_at_once(told, "signing out").await;

    let wanted =
        NewApiToken { name: Name::new("Riport").unwrap(), scopes: TokenScopes::all(), expires_at: None };
    let (view, text) = sign_in.create_api_token(eva, kept.credential, wanted).await.unwrap();
    let (_, token) = super::named(&app, &text).await.unwrap();
    let told = waiting(&app, eva, token);
    sign_in.revoke_api_token(eva, kept.credential, view.id).await.unwrap();
    ends_at_once(told, "revoking").await;

    let other = session(&app, EVA, PASSWORD).await;
    let told = waiting(&app, eva, other.credential);
    let (old, new) = (typed(PASSWORD), typed("valami egészen új"));
    sign_in.change_password(eva, kept.credential, &old, &new).await.unwrap();
    ends_at_once(told, "changing the password").await;

    let other = session(&app, EVA, "valami egészen új").await;
    let told = waiting(&app, eva, other.credential);
    app.clock.set(other.ends_at);
    sign_in.look_at_all();
    ends_at_once(told, "the end of its time").await;
    ends_at_once(still, "the end of the first one's time").await;

    let last = session(&app, EVA, "valami egészen új").await;
    let told = waiting(&app, eva, last.credential);
    sign_in.reset_password(eva, None).await.unwrap();
    ends_at_once(told, "resetting the password").await;

    let last = app.parlance.sign_in.begin(eva).await.unwrap();
    let told = waiting(&app, eva, last.credential);
    team.by(team.admin, Command::Member(eva.member, MemberCommand::Remove)).await.unwrap();
    ends_at_once(told, "the removal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_use_is_refused_from_the_moment_that_it_ends() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let sign_in = &app.parlance.sign_in;
    let in_use = async |token: &str| {
        assert!(super::named(&app, token).await.is_some(), "it counts");
    };
    let refused = async |token: &str, why: &str| {
        assert_eq!(super::named(&app, token).await, None, "after {why}");
    };
    let kept = session(&app, EVA, PASSWORD).await;
    in_use(&kept.token).await;

    let one = session(&app, EVA, PASSWORD).await;
    in_use(&one.token).await;
    sign_in.sign_out(eva, one.credential, false).await.unwrap();
    refused(&one.token, "signing out").await;

    let wanted =
        NewApiToken { name: Name::new("Riport").unwrap(), scopes: TokenScopes::all(), expires_at: None };
    let (view, text) = sign_in.create_api_token(eva, kept.credential, wanted).await.unwrap();
    in_use(&text).await;
    sign_in.revoke_api_token(eva, kept.credential, view.id).await.unwrap();
    refused(&text, "revoking").await;

    let other = session(&app, EVA, PASSWORD).await;
    in_use(&other.token).await;
    let (old, new) = (typed(PASSWORD), typed("valami egészen új"));
    sign_in.change_password(eva, kept.credential, &old, &new).await.unwrap();
    refused(&other.token, "changing the password").await;
    in_use(&kept.token).await;

    sign_in.reset_password(eva, None).await.unwrap();
    refused(&kept.token, "resetting the password").await;

    let oldest = sign_in.begin(eva).await.unwrap();
    in_use(&oldest.token).await;
    // It is the one that was not used for longest.
    app.clock.set(app.parlance.clock.now().plus_micros(1));
    for _ in 0..SESSIONS_MAX {
        sign_in.begin(eva).await.unwrap();
    }
    refused(&oldest.token, "too many sessions").await;

    let last = sign_in.begin(eva).await.unwrap();
    in_use(&last.token).await;
    app.clock.set(last.ends_at);
    refused(&last.token, "the end of its time").await;

    let last = sign_in.begin(eva).await.unwrap();
    in_use(&last.token).await;
    sign_in.sign_out(eva, last.credential, true).await.unwrap();
    refused(&last.token, "signing out everywhere").await;

    let last = sign_in.begin(eva).await.unwrap();
    in_use(&last.token).await;
    team.by(team.admin, Command::Member(eva.member, MemberCommand::Remove)).await.unwrap();
    refused(&last.token, "the removal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ended_before_it_was_waited_for_is_told_too() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let begun = session(&app, EVA, PASSWORD).await;
    app.parlance.sign_in.sign_out(eva, begun.credential, true).await.unwrap();
    ends_at_once(waiting(&app, eva, begun.credential), "an end from before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_who_wait_cost_a_few_statements_and_nothing_once_they_left() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let mut told = Vec::new();
    for n in 0..20 {
        let by = member(&team, &format!("tag{n}@example.hu"), PASSWORD).await;
        for _ in 0..5 {
            let begun = app.parlance.sign_in.begin(by).await.unwrap();
            told.extend((0..20).map(|_| waiting(&app, by, begun.credential)));
        }
    }
    let settled = async {
        while app.parlance.sign_in.waited_for() < 100 {
            tokio::task::yield_now().await;
        }
    };
    timeout(AT_ONCE, settled).await.expect("all are waited for");
    assert_eq!(told.len(), 2_000);
    // A look at all of them is one statement, its transaction's ends, and no member's state anew.
    let before = app.parlance.store.statements_run();
    app.parlance.sign_in.look_at_all();
    let one = app.parlance.sign_in.begin(team.asker(team.admin)).await.unwrap();
    let marker = waiting(&app, one.asker, one.credential);
    app.parlance.sign_in.sign_out(one.asker, one.credential, false).await.unwrap();
    ends_at_once(marker, "the last one").await;
    let statements = app.parlance.store.statements_run() - before;
    assert!(statements < 60, "{statements} statements");
    assert!(told.iter().all(|task| !task.is_finished()));
    for task in &told {
        task.abort();
    }
    let left = async {
        while app.parlance.sign_in.waited_for() > 0 {
            app.parlance.sign_in.look_at_all();
            tokio::task::yield_now().await;
        }
    };
    timeout(AT_ONCE, left).await.expect("nobody is waited for any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_token_never_ends() {
    let app = TestApp::start().await;
    let ended = app.parlance.sign_in.clone().ended(Principal::Operator(OperatorId::COMMAND_LINE));
    assert!(timeout(Duration::from_millis(50), ended).await.is_err());
    assert_eq!(app.parlance.sign_in.waited_for(), 0);
}

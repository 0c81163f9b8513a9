//! Sessions and API tokens: how long they last, how many there are, who sees and ends them.

use parlance_app::{
    front::{Credential, CredentialKind, FrontError, TokenScope, TokenScopes},
    sign_in::{NewApiToken, SESSIONS_MAX},
};
use parlance_domain::Name;
use parlance_store::{TOKENS_PER_MEMBER_MAX, Tokens as _};
use parlance_tests::{PATIENCE, START, Team, TestApp};

use super::{EVA, PASSWORD, attempt, member, named, session};

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

fn wanted(name: &str, scopes: &[TokenScope]) -> NewApiToken {
    NewApiToken {
        name: Name::new(name).expect("a name"),
        scopes: scopes.iter().copied().collect(),
        expires_at: None,
    }
}

/// Waits until a use is written down: it is, beside the request.
async fn used(app: &TestApp, credential: Credential, account: parlance_domain::AccountId) {
    let now = parlance_app::clock::Clock::now(&app.clock);
    let written = async {
        loop {
            let token = app.parlance.store.find_token(account, credential.hash).await;
            let token = token.expect("tokens can be looked for").expect("the token");
            if token.last_used_at == Some(now) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, written).await.expect("a use is written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_a_week_unused_and_after_a_month() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let (used_often, left) = (session(&app, EVA, PASSWORD).await, session(&app, EVA, PASSWORD).await);
    for day in [6, 12, 18, 24, 29] {
        app.clock.set(START.plus_micros(day * DAY_MICROS));
        assert_eq!(named(&app, &used_often.token).await, Some((eva, used_often.credential)), "day {day}");
        used(&app, used_often.credential, eva.account).await;
        // To ask by it would be to use it.
        if day > 6 {
            assert_eq!(named(&app, &left.token).await, None, "day {day}");
        }
    }
    app.clock.set(used_often.ends_at.plus_micros(-1));
    assert!(named(&app, &used_often.token).await.is_some());
    app.clock.set(used_often.ends_at);
    assert_eq!(named(&app, &used_often.token).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_ends_the_one_unused_longest() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS_MAX {
        sessions.push(app.parlance.sign_in.begin(eva).await.unwrap());
        app.clock.advance(1);
    }
    let newest = app.parlance.sign_in.begin(eva).await.unwrap();
    assert_eq!(named(&app, &sessions[0].token).await, None);
    let listed = app.parlance.sign_in.sessions(eva, newest.credential).await.unwrap();
    assert_eq!(listed.len(), SESSIONS_MAX);
    assert_eq!(listed.iter().map(|view| view.current).collect::<Vec<_>>(), {
        let mut current = vec![false; SESSIONS_MAX];
        current[SESSIONS_MAX - 1] = true;
        current
    });
    // One is ended by its id; everywhere, all are.
    app.parlance.sign_in.end_session(eva, newest.credential, listed[0].id).await.unwrap();
    let again = app.parlance.sign_in.end_session(eva, newest.credential, listed[0].id).await;
    assert_eq!(again, Err(FrontError::NotFound));
    assert_eq!(named(&app, &sessions[1].token).await, None);
    app.parlance.sign_in.sign_out(eva, newest.credential, true).await.unwrap();
    for begun in sessions.iter().chain([&newest]) {
        assert_eq!(named(&app, &begun.token).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_in_the_same_browser_ends_its_session() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let (before, other) = (session(&app, EVA, PASSWORD).await, session(&app, EVA, PASSWORD).await);
    let again =
        app.parlance.sign_in.sign_in(attempt(EVA, PASSWORD, None), Some((eva, before.credential))).await;
    assert!(again.is_ok());
    assert_eq!(named(&app, &before.token).await, None);
    assert!(named(&app, &other.token).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_has_a_name_and_scopes_and_is_revoked() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let (begun, sign_in) = (session(&app, EVA, PASSWORD).await, &app.parlance.sign_in);
    let (view, text) =
        sign_in.create_api_token(eva, begun.credential, wanted("Riport", &[TokenScope::Read])).await.unwrap();
    let (by, credential) = named(&app, &text).await.expect("it names its member");
    assert_eq!((by, credential.kind), (eva, CredentialKind::ApiToken));
    assert_eq!(credential.scopes, TokenScopes::from_iter([TokenScope::Read]));
    used(&app, credential, eva.account).await;
    let listed = sign_in.api_tokens(eva, begun.credential).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].name.as_deref()), (view.id, Some("Riport")));
    assert_eq!((listed[0].last_used_at, listed[0].scopes), (Some(START), credential.scopes));
    // A token never changes how its member signs in.
    let refused = FrontError::SessionRequired;
    let more = sign_in.create_api_token(eva, credential, wanted("More", &TokenScope::ALL)).await;
    assert_eq!(more.err(), Some(refused.clone()));
    assert_eq!(sign_in.revoke_api_token(eva, credential, view.id).await, Err(refused.clone()));
    assert_eq!(sign_in.sessions(eva, credential).await, Err(refused.clone()));
    assert_eq!(sign_in.api_tokens(eva, credential).await, Err(refused.clone()));
    assert_eq!(sign_in.sign_out(eva, credential, true).await, Err(refused));
    // Nobody else revokes it.
    let other = member(&team, "bela@example.hu", PASSWORD).await;
    let others = session(&app, "bela@example.hu", PASSWORD).await;
    let foreign = sign_in.revoke_api_token(other, others.credential, view.id).await;
    assert_eq!(foreign, Err(FrontError::NotFound));
    assert_eq!(sign_in.revoke_api_token(eva, begun.credential, view.id).await, Ok(()));
    assert_eq!(named(&app, &text).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn api_tokens_have_an_end_and_a_bound() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = member(&team, EVA, PASSWORD).await;
    let (begun, sign_in) = (session(&app, EVA, PASSWORD).await, &app.parlance.sign_in);
    let create = async |wanted| sign_in.create_api_token(eva, begun.credential, wanted).await;
    assert_eq!(create(wanted("None", &[])).await.err(), Some(FrontError::NoScope));
    let ending = |at| NewApiToken { expires_at: Some(at), ..wanted("Ending", &TokenScope::ALL) };
    assert_eq!(create(ending(START)).await.err(), Some(FrontError::AlreadyPast));
    let (_, text) = create(ending(START.plus_micros(10))).await.unwrap();
    assert!(named(&app, &text).await.is_some());
    app.clock.advance(10);
    assert_eq!(named(&app, &text).await, None);
    for _ in 1..TOKENS_PER_MEMBER_MAX {
        create(wanted("More", &[TokenScope::Read])).await.unwrap();
    }
    let refused = create(wanted("Too many", &[TokenScope::Read])).await;
    assert_eq!(refused.err(), Some(FrontError::TooManyTokens));
}

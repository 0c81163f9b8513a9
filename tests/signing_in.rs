//! Signing in, below the interfaces: passwords, sessions, tokens, and when they end, by a clock that is moved by
//! hand.

mod ends;
mod passwords;
mod sessions;

use parlance_app::{
    front::{Asker, Credential, FrontError, Principal},
    sign_in::{AccountChoice, Attempt, Begun, SignedIn, Typed},
};
use parlance_domain::{AccountId, Email, MemberId};
use parlance_tests::{Team, TestApp};

const EVA: &str = "eva@example.hu";
const PASSWORD: &str = "éljen soká a nyár";

fn typed(text: &str) -> Typed {
    Typed::from(text.to_owned())
}

fn email(text: &str) -> Email {
    Email::new(text).expect("an address")
}

/// A try from nowhere in particular.
fn attempt(address: &str, password: &str, account: Option<AccountId>) -> Attempt {
    Attempt { email: email(address), password: typed(password), account, address: None }
}

async fn sign_in(app: &TestApp, address: &str, password: &str) -> Result<SignedIn, FrontError> {
    app.parlance.sign_in.sign_in(attempt(address, password, None), None).await
}

/// Signs in where there is one account to sign in to.
async fn session(app: &TestApp, address: &str, password: &str) -> Begun {
    match sign_in(app, address, password).await {
        Ok(SignedIn::Session(begun)) => begun,
        Ok(SignedIn::Choose(choices)) => panic!("one of {choices:?} is to be chosen"),
        Err(error) => panic!("{address} is refused: {error}"),
    }
}

async fn refusal(app: &TestApp, address: &str, password: &str) -> Option<FrontError> {
    sign_in(app, address, password).await.err()
}

/// A member who joined, with a password.
async fn member(team: &Team<'_>, address: &str, password: &str) -> Asker {
    let by = team.asker(team.member(address).await);
    team.app.parlance.sign_in.reset_password(by, Some(typed(password))).await.expect("a password is set");
    by
}

async fn named(app: &TestApp, token: &str) -> Option<(Asker, Credential)> {
    match app.parlance.sign_in.authenticate(token).await {
        Ok(Principal::Member(by, credential)) => Some((by, credential)),
        Ok(Principal::Operator(_)) => panic!("no operator's token"),
        Err(FrontError::NotFound) => None,
        Err(error) => panic!("{error}"),
    }
}

fn choices(signed_in: Result<SignedIn, FrontError>) -> Vec<AccountChoice> {
    match signed_in {
        Ok(SignedIn::Choose(choices)) => choices,
        Ok(SignedIn::Session(begun)) => panic!("signed in to {:?}", begun.asker),
        Err(error) => panic!("refused: {error}"),
    }
}

fn nobody() -> MemberId {
    MemberId::default()
}

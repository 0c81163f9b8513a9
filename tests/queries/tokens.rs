//! Tokens: whom they name, and when they do no longer.

use parlance_app::{
    front::{Asker, FrontError, Principal},
    queries::Queries,
    tokens,
};
use parlance_domain::{
    Command, Email, MemberId, Name, OperatorId,
    member::{Member, MemberCommand},
};
use parlance_stores::AnyStore;
use parlance_tests::{START, Team, TestApp};
use uuid::Uuid;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// A member's API token, made as the interfaces make one.
pub(super) async fn token(team: &Team<'_>, member: MemberId) -> String {
    let parlance = &team.app.parlance;
    let state = parlance.commands.peek::<Member>(team.account, member.uuid()).await.expect("a state");
    let now = parlance.clock.now();
    let issued =
        tokens::issue_api(&parlance.store, &parlance.entropy, team.account, (member, &state), now).await;
    issued.expect("a token is made")
}

fn invite(team: &Team<'_>) -> (MemberId, Command) {
    let email = Email::new("bela@example.hu").expect("an address");
    let member = team.ring.ids.member(&email);
    let name = Name::new("Béla").expect("a name");
    let invite = MemberCommand::Invite { account: team.account, email, name, settings_access: false };
    (member, Command::Member(member, invite))
}

/// The member whom a token names.
async fn named(queries: &Queries<AnyStore>, token: &str) -> Result<Asker, FrontError> {
    match queries.authenticate(token).await? {
        Principal::Member(asker, _) => Ok(asker),
        Principal::Operator(_) => panic!("a member's token names no operator"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_names_its_member_while_they_are_one() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let first = token(&team, béla).await;
    assert_eq!(named(&queries, &first).await, Ok(team.asker(béla)));
    let mut wrong = first.clone();
    wrong.replace_range(60..61, if &first[60..61] == "A" { "B" } else { "A" });
    for wrong in [wrong.as_str(), "", "prl_", &first[..70]] {
        assert_eq!(queries.authenticate(wrong).await, Err(FrontError::NotFound));
    }
    let elsewhere = Team::create(&app).await;
    let there = first
        .replace(&team.account.uuid().simple().to_string(), &elsewhere.account.uuid().simple().to_string());
    assert_eq!(queries.authenticate(&there).await, Err(FrontError::NotFound), "in another account");
    team.by(team.admin, Command::Member(béla, MemberCommand::Remove)).await.unwrap();
    assert_eq!(queries.authenticate(&first).await, Err(FrontError::NotFound));
    app.clock.advance(1);
    team.by(team.admin, invite(&team).1).await.unwrap();
    team.by(béla, Command::Member(béla, MemberCommand::Join)).await.unwrap();
    assert_eq!(queries.authenticate(&first).await, Err(FrontError::NotFound), "from an earlier membership");
    let second = token(&team, béla).await;
    assert_eq!(named(&queries, &second).await, Ok(team.asker(béla)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_good_for_a_week_and_once() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, store) = (app.queries(), &app.parlance.store);
    let (béla, invite) = invite(&team);
    team.by(team.admin, invite).await.unwrap();
    let issue = || tokens::issue_invitation(store, &app.entropy, team.account, béla, START);
    let (void, _) = issue().await.unwrap();
    let (invitation, ends) = issue().await.unwrap();
    assert_eq!(ends, START.plus_micros(7 * DAY_MICROS));
    let invalid = Err(FrontError::InvitationInvalid);
    assert_eq!(queries.invited(&void).await, invalid, "a newer one takes its place");
    assert_eq!(queries.invited(&invitation).await, Ok(team.asker(béla)));
    assert_eq!(queries.authenticate(&invitation).await, Err(FrontError::NotFound), "it asks for nobody");
    app.clock.set(ends);
    assert_eq!(queries.invited(&invitation).await, invalid, "too old");
    app.clock.set(ends.plus_micros(-1));
    assert_eq!(queries.invited(&invitation).await, Ok(team.asker(béla)));
    team.by(béla, Command::Member(béla, MemberCommand::Join)).await.unwrap();
    assert_eq!(queries.invited(&invitation).await, invalid, "they have joined");
    let state = app.parlance.commands.peek::<Member>(team.account, béla.uuid()).await.unwrap();
    let hash = tokens::hash(&invitation);
    let accept = || tokens::accept_invitation(store, &app.entropy, team.account, hash, (béla, &state), START);
    let api = accept().await.unwrap().expect("it is exchanged");
    assert_eq!(accept().await, Ok(None), "used");
    assert_eq!(named(&queries, &api).await, Ok(team.asker(béla)));
    assert_eq!(queries.invited(&api).await, invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_token_names_the_operator_and_survives_whatever_happens_to_read_models() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, operator) = (app.queries(), OperatorId::new(Uuid::from_u128(7)));
    let text = tokens::issue_operator(&app.parlance.store, &app.entropy, operator, START).await.unwrap();
    assert_eq!(queries.authenticate(&text).await, Ok(Principal::Operator(operator)));
    assert_eq!(queries.authenticate(&text.replace("pro_", "prl_")).await, Err(FrontError::NotFound));
    let page = queries.dead_letters(operator, team.account, None, 10).await.unwrap();
    assert!(page.items.is_empty() && !page.more);
    let unknown = queries.dead_letters(operator, Default::default(), None, 10).await;
    assert_eq!(unknown, Err(FrontError::NotFound));
}

//! Signing in as a browser does: by a password, into a cookie that no script sees.

use parlance_tests::{
    PATIENCE, on_postgres,
    served::{Browser, Office, word},
};
use serde_json::json;
use tokio::time::timeout;

use super::open;

const PASSWORD: &str = "éljen soká a nyár";
const ME: &str = "{ viewer { member { id } sessions { id current } apiTokens { id name scopes } } }";

/// Sets a member's password, as an operator does; gives what the command printed.
fn reset(office: &Office, account: &str, email: &str) -> String {
    let output = office.run(&["member", "reset-password", "--account", account, "--email", email]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[tokio::test]
async fn an_invitation_with_a_password_signs_its_member_in_by_a_cookie() {
    let office = Office::open(env!("CARGO_BIN_EXE_served")).await;
    let token = office.invites("eva@example.hu", &[]).await;
    let mut browser = Browser::new(&office.served);
    let accept = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
        viewer { member { id } sessions { current } } apiToken errors { code message path } } }";
    let input = |password: &str| json!({ "input": { "token": token, "password": password } });
    // A password that is not taken leaves the invitation as it was.
    let (answer, set) = browser.asks(accept, input("rövid")).await;
    let error = &answer["data"]["acceptInvitation"]["errors"][0];
    assert_eq!((&error["code"], &error["path"]), (&json!("TOO_SHORT"), &json!(["input", "password"])));
    assert!(set.is_empty());
    let (answer, set) = browser.asks(accept, input(PASSWORD)).await;
    let accepted = &answer["data"]["acceptInvitation"];
    assert_eq!(accepted["errors"], json!([]), "{answer}");
    assert_eq!(accepted["apiToken"], json!(null));
    assert_eq!(accepted["viewer"]["sessions"], json!([{ "current": true }]));
    let [cookie] = set.as_slice() else { panic!("one cookie is set: {set:?}") };
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.split("; ").any(|given| given == part), "{part} in {cookie}");
    }
    let secret = browser.cookie().expect("a session").to_owned();
    assert!(cookie.starts_with("__Host-parlance=prs_") && !cookie.contains("Domain"));
    assert!(!answer.to_string().contains(&secret), "the token is in no body");
    assert_eq!(browser.viewer().await, Some(word(&accepted["viewer"]["member"]["id"])));
    // Signed out, the same cookie is nobody's.
    let (answer, set) = browser.asks("mutation { signOut(input: {}) { errors { code } } }", json!({})).await;
    assert_eq!(answer["data"]["signOut"]["errors"], json!([]));
    assert!(set[0].contains("Max-Age=0"), "{set:?}");
    assert_eq!(browser.cookie(), None);
    assert_eq!(Browser::new(&office.served).with_cookie(Some(&secret)).viewer().await, None);
    let again = browser.signs_in("EVA@example.hu", PASSWORD, None).await;
    assert_eq!(again["viewer"]["member"]["id"], accepted["viewer"]["member"]["id"]);
}

#[tokio::test]
async fn one_address_in_two_accounts_chooses_among_those_that_its_password_opens() {
    let office = Office::open(env!("CARGO_BIN_EXE_served")).await;
    let (other, _) = office.another_account();
    let email = office.admin.email.clone();
    let (here, there) = (reset(&office, &office.account, &email), reset(&office, &other, &email));
    let mut browser = Browser::new(&office.served);
    let signed_in = browser.signs_in(&email, &there, None).await;
    assert_eq!(signed_in["viewer"]["account"]["id"], other.as_str());
    assert_eq!(browser.viewer().await, Some(word(&signed_in["viewer"]["member"]["id"])));
    let change = json!({ "currentPassword": there, "newPassword": here });
    assert_eq!(browser.does("changePassword", "viewer { member { id } }", change).await["errors"], json!([]));
    let several = browser.signs_in(&email, &here, None).await;
    assert_eq!(several["viewer"], json!(null));
    let mut choices: Vec<_> =
        several["accounts"].as_array().expect("a list").iter().map(|one| word(&one["id"])).collect();
    choices.sort_unstable();
    let mut expected = vec![office.account.clone(), other];
    expected.sort_unstable();
    assert_eq!(choices, expected);
    let chosen = browser.signs_in(&email, &here, Some(&office.account)).await;
    assert_eq!(chosen["viewer"]["member"]["id"], office.admin.id.as_str());
    assert_eq!(chosen["accounts"], json!([]));
}

#[tokio::test]
async fn unknown_addresses_and_wrong_passwords_are_refused_alike_and_slowed_down() {
    let (office, anna, _) = open().await;
    reset(&office, &office.account, &anna.email);
    let mut answers = Vec::new();
    for email in [anna.email.as_str(), "nobody@example.hu"] {
        let mut browser = Browser::new(&office.served);
        let mut told: Vec<_> = Vec::new();
        for _ in 0..11 {
            let refused = browser.signs_in(email, "not the password", None).await;
            let error = &refused["errors"][0];
            told.push((error["code"].clone(), error["path"].clone(), error["retryAfterSeconds"].is_i64()));
        }
        assert_eq!(browser.cookie(), None);
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1], "nobody learns whether an address is known");
    let codes: Vec<_> = answers[0].iter().map(|(code, _, wait)| (code.clone(), *wait)).collect();
    let mut expected = vec![(json!("SIGN_IN_REFUSED"), false); 10];
    expected.push((json!("TOO_MANY_ATTEMPTS"), true));
    assert_eq!(codes, expected);
}

#[tokio::test]
async fn signing_out_everywhere_and_a_new_password_end_every_session() {
    let (office, anna, _) = open().await;
    let password = reset(&office, &office.account, &anna.email);
    let (mut one, mut two) = (Browser::new(&office.served), Browser::new(&office.served));
    for browser in [&mut one, &mut two] {
        browser.signs_in(&anna.email, &password, None).await;
        assert_eq!(browser.viewer().await, Some(anna.id.clone()));
    }
    let out = one.does("signOut", "", json!({ "everywhere": true })).await;
    assert_eq!(out["errors"], json!([]));
    assert_eq!(two.viewer().await, None);
    // An API token goes on.
    office.ask(&anna, "{ viewer { member { id } } }", json!({})).await;
    two.signs_in(&anna.email, &password, None).await;
    assert_eq!(two.viewer().await, Some(anna.id.clone()));
    reset(&office, &office.account, &anna.email);
    // Where the operator's command is no part of the server, a hint tells that of it.
    let ended = async { while on_postgres() && two.viewer().await.is_some() {} };
    timeout(PATIENCE, ended).await.expect("a server is told");
    assert_eq!(two.viewer().await, None, "an operator's reset ends it");
    let refused = two.signs_in(&anna.email, &password, None).await;
    assert_eq!(refused["errors"][0]["code"], "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn api_tokens_are_made_and_revoked_by_who_is_signed_in_alone() {
    let (office, anna, _) = open().await;
    let password = reset(&office, &office.account, &anna.email);
    let mut browser = Browser::new(&office.served);
    browser.signs_in(&anna.email, &password, None).await;
    let past = json!({ "name": "Riport", "scopes": ["READ"], "expiresAt": "2020-01-01T00:00:00+01:00" });
    let refused = browser.does("createApiToken", "token", past).await;
    let error = &refused["errors"][0];
    assert_eq!((&error["code"], &error["path"]), (&json!("ALREADY_PAST"), &json!(["input", "expiresAt"])));
    let input = json!({ "name": "Riport", "scopes": ["READ"] });
    let made = browser.does("createApiToken", "token apiToken { id }", input.clone()).await;
    let (token, id) = (word(&made["token"]), word(&made["apiToken"]["id"]));
    let (listed, _) = browser.asks(ME, json!({})).await;
    let tokens = listed["data"]["viewer"]["apiTokens"].as_array().expect("a list");
    assert_eq!(tokens.len(), 2, "the one of the invitation, and this one");
    assert_eq!(tokens[1], json!({ "id": id, "name": "Riport", "scopes": ["READ"] }));
    // By the token: it reads, and neither changes anything nor sees the others.
    let by_token = async |query: &str| {
        let answer = office.served.graphql(Some(&token), query, json!({ "input": input })).await;
        answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
    };
    assert_eq!(by_token("{ viewer { member { id } } }").await, None);
    assert_eq!(by_token(ME).await.as_deref(), Some("SESSION_REQUIRED"));
    let create = "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    assert_eq!(by_token(create).await.as_deref(), Some("SESSION_REQUIRED"));
    let available = "mutation { setAvailability(input: { available: false }) { errors { code } } }";
    assert_eq!(by_token(available).await.as_deref(), Some("SCOPE_MISSING"));
    let revoked = browser.does("revokeApiToken", "viewer { apiTokens { id } }", json!({ "id": id })).await;
    assert_eq!(revoked["errors"], json!([]));
    assert_eq!(revoked["viewer"]["apiTokens"].as_array().map(Vec::len), Some(1));
    assert_eq!(by_token("{ viewer { member { id } } }").await.as_deref(), Some("UNAUTHENTICATED"));
    let again = browser.does("revokeApiToken", "viewer { member { id } }", json!({ "id": id })).await;
    assert_eq!(again["errors"][0]["code"], "NOT_FOUND");
}

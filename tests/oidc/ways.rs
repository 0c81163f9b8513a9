//! The ways that end well, and those that a person may take wrongly.

use parlance_tests::served::Office;
use serde_json::json;

use super::{
    PROGRAM,
    issuer::Issuer,
    open, open_with,
    surfer::{CARRIED, SESSION, Surfer},
};

#[tokio::test]
async fn a_member_without_a_password_signs_in_by_the_issuer_and_out_again() {
    let Some((office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    for alg in ["RS256", "ES256", "EdDSA"] {
        issuer.told(json!({ "alg": alg })).await;
        issuer.consents("Anna@Example.HU").await;
        let mut surfer = Surfer::new(&office, &issuer);
        let done = surfer.signs_in("?to=/inbox%3Fsection%3DCLOSED%23top").await;
        assert_eq!((done.status, done.to.as_str()), (303, "/inbox?section=CLOSED#top"), "{alg}: {done:?}");
        assert_eq!(done.set.len(), 2, "{done:?}");
        assert!(done.set[0].starts_with("__Host-parlance=prs_") && done.set[0].contains("Max-Age=2592000"));
        assert_eq!(surfer.cookies.keys().collect::<Vec<_>>(), [SESSION], "what was carried is forgotten");
        assert_eq!(surfer.viewer().await, Some(anna.id.clone()), "{alg}");
        let mut browser = surfer.browser();
        browser.does("signOut", "", json!({})).await;
        assert_eq!(surfer.viewer().await, None, "the session has ended");
    }
    let asked = issuer.told(json!({})).await;
    assert_eq!((&asked["discovery"], &asked["jwks"]), (&json!(1), &json!(1)), "both are kept: {asked}");
}

#[tokio::test]
async fn a_new_session_takes_the_place_of_the_browser_s_old_one() {
    let Some((office, issuer)) = open().await else { return };
    let (anna, bela) =
        (office.member("anna@example.hu", &[]).await, office.member("bela@example.hu", &[]).await);
    let mut surfer = Surfer::new(&office, &issuer);
    issuer.consents(&anna.email).await;
    assert_eq!(surfer.signs_in("").await.to, "/");
    let old = surfer.browser();
    issuer.consents(&bela.email).await;
    assert_eq!(surfer.signs_in("").await.to, "/");
    assert_eq!(surfer.viewer().await, Some(bela.id));
    let mut old = old;
    assert_eq!(old.viewer().await, None);
}

#[tokio::test]
async fn several_accounts_are_chosen_from() {
    let Some((office, issuer)) = open().await else { return };
    let (other, _) = office.another_account();
    issuer.consents(&office.admin.email).await;
    let mut surfer = Surfer::new(&office, &issuer);
    let asked = surfer.signs_in("?to=/inbox").await;
    assert_eq!(asked.status, 200, "{asked:?}");
    for account in [&office.account, &other] {
        assert!(asked.body.contains(&format!("value=\"{account}\"")), "{}", asked.body);
    }
    let policy = &asked.headers["content-security-policy"];
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert_eq!(asked.headers["referrer-policy"], "strict-origin", "or the form's Origin would be `null`");
    assert!(!asked.body.contains("<script"));
    assert!(!surfer.cookies.contains_key(SESSION));
    let own = office.served.url("");
    for foreign in [None, Some("https://evil.example"), Some("null")] {
        let refused = surfer.chooses(&other, foreign).await;
        assert_eq!(refused.code(), (403, "FORBIDDEN_ORIGIN"), "{foreign:?}");
    }
    let carried = surfer.cookies.clone();
    let chosen = surfer.chooses(&other, Some(&own)).await;
    assert_eq!((chosen.status, chosen.to.as_str()), (303, "/inbox"), "{chosen:?}");
    let (answer, _) = surfer.browser().asks("{ viewer { account { id } } }", json!({})).await;
    assert_eq!(answer["data"]["viewer"]["account"]["id"], other.as_str(), "{answer}");
    // The choice is made once.
    surfer.cookies = carried;
    assert_eq!(surfer.chooses(&office.account, Some(&own)).await.code(), (400, "START_AGAIN"));
    // A link may name the account; then there is nothing to choose.
    let mut surfer = Surfer::new(&office, &issuer);
    let done = surfer.signs_in(&format!("?account={}", office.account)).await;
    assert_eq!(done.status, 303, "{done:?}");
    assert_eq!(surfer.viewer().await, Some(office.admin.id.clone()));
}

#[tokio::test]
async fn an_account_that_is_not_theirs_cannot_be_chosen() {
    let Some((office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    let (other, _) = office.another_account();
    issuer.consents(&anna.email).await;
    let mut surfer = Surfer::new(&office, &issuer);
    let refused = surfer.signs_in(&format!("?account={other}")).await;
    assert_eq!(refused.code(), (403, "SIGN_IN_REFUSED"));
    issuer.consents(&office.admin.email).await;
    assert_eq!(surfer.signs_in("").await.status, 200);
    let made_up = format!("acct_{}", "7".repeat(32));
    let refused = surfer.chooses(&made_up, Some(&office.served.url(""))).await;
    assert_eq!(refused.code(), (403, "SIGN_IN_REFUSED"));
    assert!(!surfer.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn unknown_removed_and_invited_people_are_refused_alike() {
    let Some((office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    issuer.consents(&anna.email).await;
    let mut surfer = Surfer::new(&office, &issuer);
    assert_eq!(surfer.signs_in("").await.status, 303);
    office.does(&office.admin, "removeMember", json!({ "member": anna.id })).await;
    assert_eq!(surfer.viewer().await, None);
    office.invites("invited@example.hu", &[]).await;
    // Béla can sign in; whoever has a mailbox that only looks like his cannot.
    office.member("bela@example.hu", &[]).await;
    let mut pages = Vec::new();
    for email in [anna.email.as_str(), "nobody@example.hu", "invited@example.hu", "\u{ff42}ela@example.hu"] {
        issuer.consents(email).await;
        let mut surfer = Surfer::new(&office, &issuer);
        let refused = surfer.signs_in("").await;
        assert_eq!(refused.code(), (403, "SIGN_IN_REFUSED"), "{email}");
        assert!(surfer.cookies.is_empty(), "{email}");
        pages.push(refused.body);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "the pages differ");
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let Some((office, issuer)) = open().await else { return };
    let mut surfer = Surfer::new(&office, &issuer);
    for to in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "inbox",
        "%2F%2Fe",
    ] {
        let refused = surfer.gets(&format!("/auth/oidc/start?to={to}")).await;
        assert_eq!(refused.code(), (400, "BAD_LINK"), "{to}");
        assert!(refused.set.is_empty() && refused.to.is_empty(), "{to}");
    }
    for query in ["?account=7", "?to=/a&to=/b"] {
        assert_eq!(surfer.gets(&format!("/auth/oidc/start{query}")).await.code(), (400, "BAD_LINK"));
    }
}

#[tokio::test]
async fn what_another_browser_began_is_not_finished_here() {
    let Some((office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    issuer.consents(&anna.email).await;
    let (mut hers, mut other) = (Surfer::new(&office, &issuer), Surfer::new(&office, &issuer));
    let back = hers.goes("").await;
    assert_eq!(other.gets(&back).await.code(), (400, "START_AGAIN"), "no cookie");
    other.goes("").await;
    assert_eq!(other.gets(&back).await.code(), (400, "START_AGAIN"), "another one's cookie");
    assert!(other.cookies.contains_key(CARRIED), "their own sign-in goes on");
    let carried = hers.cookies.clone();
    let done = hers.gets(&back).await;
    assert_eq!(done.status, 303, "{done:?}");
    // The same answer again, with the cookie kept by hand.
    hers.cookies.clone_from(&carried);
    assert_eq!(hers.gets(&back).await.code(), (400, "START_AGAIN"), "used");
    let asked = issuer.told(json!({})).await;
    assert_eq!(asked["token"], 1, "the issuer is not asked again");
    // A code that was used, brought by a sign-in that is right otherwise.
    let code = |url: &str| url.split("code=").nth(1).expect("a code").split('&').next().map(str::to_owned);
    let fresh = hers.goes("").await;
    let reused = fresh.replace(&code(&fresh).expect("a code"), &code(&back).expect("a code"));
    assert_eq!(hers.gets(&reused).await.code(), (403, "ISSUER_NOT_BELIEVED"), "code reuse");
    // What is carried is sealed: one letter less or more and it is nothing.
    let back = hers.goes("").await;
    let sealed = hers.cookies[CARRIED].clone();
    for changed in [sealed[1..].to_owned(), sealed.clone() + "A", String::new(), "é".to_owned()] {
        if changed.is_ascii() {
            hers.cookies.insert(CARRIED.to_owned(), changed);
            assert_eq!(hers.gets(&back).await.code(), (400, "START_AGAIN"));
        }
    }
    hers.cookies.insert(CARRIED.to_owned(), sealed);
    assert_eq!(hers.gets(&back).await.status, 303);
}

#[tokio::test]
async fn a_sign_in_goes_on_over_a_restart_of_the_server() {
    let Some((mut office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    issuer.consents(&anna.email).await;
    let mut surfer = Surfer::new(&office, &issuer);
    let (back, cookies) = (surfer.goes("").await, surfer.cookies.clone());
    office.restart_in_place();
    let mut surfer = Surfer::new(&office, &issuer);
    surfer.cookies = cookies;
    assert_eq!(surfer.gets(&back).await.status, 303);
    assert_eq!(surfer.viewer().await, Some(anna.id));
}

#[tokio::test]
async fn a_client_shows_its_secret_as_the_issuer_wants_it_or_has_none() {
    let Some((office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    issuer.consents(&anna.email).await;
    issuer.told(json!({ "basic": false })).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.status, 303, "in the body");
    issuer.told(json!({ "basic": true })).await;
    let refused = Surfer::new(&office, &issuer).signs_in("").await;
    assert_eq!(refused.code(), (403, "ISSUER_NOT_BELIEVED"), "the issuer checks it");
    drop(office);
    let Some(issuer) = Issuer::start().await else { return };
    let flags = issuer.public_flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let office = Office::open_with(PROGRAM, &flags).await;
    issuer.told(json!({ "public": true })).await;
    issuer.consents(&office.admin.email).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.status, 303, "a public client");
}

#[tokio::test]
async fn an_e_mail_address_may_be_told_by_the_userinfo_endpoint_alone() {
    let Some((office, issuer)) = open().await else { return };
    issuer.told(json!({ "thin": true })).await;
    issuer.consents(&office.admin.email).await;
    let mut surfer = Surfer::new(&office, &issuer);
    assert_eq!(surfer.signs_in("").await.status, 303);
    assert_eq!(surfer.viewer().await, Some(office.admin.id.clone()));
    assert_eq!(issuer.told(json!({ "bad": "another person" })).await["userinfo"], 1);
    let mut surfer = Surfer::new(&office, &issuer);
    assert_eq!(surfer.signs_in("").await.code(), (403, "ISSUER_NOT_BELIEVED"));
    assert!(surfer.cookies.is_empty());
}

#[tokio::test]
async fn without_an_issuer_there_are_no_such_routes_and_without_an_answer_it_is_said() {
    let office = Office::open(PROGRAM).await;
    assert_eq!(office.served.get("/auth/oidc/start").await.0, 404);
    assert_eq!(office.served.get("/auth/oidc/callback").await.0, 404);
    drop(office);
    // Nobody listens there: the server starts all the same.
    let flags = ["--oidc-issuer", "http://127.0.0.1:9", "--oidc-client-id", "parlance"];
    let office = Office::open_with(PROGRAM, &flags).await;
    let (status, page) = office.served.get("/auth/oidc/start").await;
    assert_eq!(status, 503);
    assert!(page.contains("ISSUER_UNAVAILABLE") && page.contains("sign in by password"), "{page}");
}

#[tokio::test]
async fn sign_ins_from_one_address_are_limited() {
    let Some((office, issuer)) = open_with(&["--trusted-hops", "1"]).await else { return };
    issuer.consents("nobody@example.hu").await;
    let mut surfer = Surfer::new(&office, &issuer);
    for _ in 0..30 {
        assert_eq!(surfer.signs_in("").await.code(), (403, "SIGN_IN_REFUSED"));
    }
    let limited = surfer.signs_in("").await;
    assert_eq!(limited.code(), (429, "TOO_MANY_ATTEMPTS"));
    assert!(limited.headers.contains_key("retry-after"));
    assert_eq!(issuer.told(json!({})).await["token"], 30, "the issuer is not asked");
}

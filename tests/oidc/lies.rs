//! An issuer that misbehaves, in every way it can be told to: nobody is signed in, and it is not asked more often.

use serde_json::{Value, json};

use super::{
    open,
    surfer::{Seen, Surfer},
};

const NOT_BELIEVED: (u16, &str) = (403, "ISSUER_NOT_BELIEVED");
const UNAVAILABLE: (u16, &str) = (503, "ISSUER_UNAVAILABLE");

/// Every lie, by which key it is told, and what becomes of it.
const LIES: [(&str, &str, (u16, &str)); 30] = [
    ("wrong nonce", "RS256", NOT_BELIEVED),
    ("no nonce", "RS256", NOT_BELIEVED),
    ("wrong aud", "RS256", NOT_BELIEVED),
    ("more aud", "RS256", NOT_BELIEVED),
    ("wrong azp", "RS256", NOT_BELIEVED),
    ("wrong iss", "RS256", NOT_BELIEVED),
    ("expired", "RS256", NOT_BELIEVED),
    ("from the future", "RS256", NOT_BELIEVED),
    ("not yet", "RS256", NOT_BELIEVED),
    ("no exp", "RS256", NOT_BELIEVED),
    ("critical", "RS256", NOT_BELIEVED),
    ("other key", "RS256", NOT_BELIEVED),
    ("none", "RS256", NOT_BELIEVED),
    ("HS256", "RS256", NOT_BELIEVED),
    ("HS256", "ES256", NOT_BELIEVED),
    ("own jwk", "RS256", NOT_BELIEVED),
    ("stranger", "RS256", NOT_BELIEVED),
    ("stranger", "ES256", NOT_BELIEVED),
    ("stranger", "EdDSA", NOT_BELIEVED),
    ("tampered", "RS256", NOT_BELIEVED),
    ("tampered", "ES256", NOT_BELIEVED),
    ("tampered", "EdDSA", NOT_BELIEVED),
    ("mixed up", "RS256", NOT_BELIEVED),
    ("unnamed", "RS256", NOT_BELIEVED),
    ("denied", "RS256", (403, "DENIED_BY_ISSUER")),
    ("strange error", "RS256", (403, "DENIED_BY_ISSUER")),
    ("unknown kid", "RS256", NOT_BELIEVED),
    ("no JSON", "RS256", UNAVAILABLE),
    ("huge", "RS256", UNAVAILABLE),
    ("silent", "RS256", UNAVAILABLE),
];

/// What a page must not show, whatever was sent.
fn is_plain(seen: &Seen) -> bool {
    !seen.body.contains("<script") && !seen.body.contains("alert") && !seen.body.contains("example.hu")
}

#[tokio::test]
async fn no_lie_of_an_issuer_signs_anybody_in() {
    let Some((office, issuer)) = open().await else { return };
    let anna = office.member("anna@example.hu", &[]).await;
    issuer.consents(&anna.email).await;
    let mut believed = Vec::new();
    // One at a time, from one address: no more than its limit.
    for (bad, alg, expected) in LIES {
        issuer.told(json!({ "bad": bad, "alg": alg })).await;
        let mut surfer = Surfer::new(&office, &issuer);
        let seen = surfer.signs_in("?to=/inbox").await;
        if seen.code() != expected || !surfer.cookies.is_empty() || !is_plain(&seen) {
            believed.push((bad, alg, seen.status, seen.body));
        }
    }
    assert!(believed.is_empty(), "{believed:#?}");
}

#[tokio::test]
async fn an_address_counts_only_where_the_issuer_has_verified_it() {
    let Some((office, issuer)) = open().await else { return };
    let email = office.admin.email.clone();
    for unverified in [json!(false), json!(null), json!(1), json!("yes"), json!("false")] {
        let user = json!({ "sub": "u-1", "email": email, "email_verified": unverified });
        issuer.told(json!({ "user": user })).await;
        let mut surfer = Surfer::new(&office, &issuer);
        assert_eq!(surfer.signs_in("").await.code(), (403, "EMAIL_NOT_VERIFIED"), "{unverified}");
        assert!(surfer.cookies.is_empty());
    }
    issuer.told(json!({ "user": { "sub": "u-1" } })).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.code(), (403, "EMAIL_NOT_VERIFIED"));
    let user = json!({ "sub": "u-1", "email": email, "email_verified": "true" });
    issuer.told(json!({ "user": user })).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.status, 303, "as some issuers write it");
}

#[tokio::test]
async fn a_new_key_is_looked_for_once_and_not_again_within_a_minute() {
    let Some((office, issuer)) = open().await else { return };
    issuer.consents(&office.admin.email).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.status, 303);
    issuer.told(json!({ "rotate": true })).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.status, 303, "the new key is found");
    issuer.told(json!({ "bad": "no kid" })).await;
    assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.status, 303, "a key without a name");
    issuer.told(json!({ "bad": "unknown kid" })).await;
    for _ in 0..3 {
        assert_eq!(Surfer::new(&office, &issuer).signs_in("").await.code(), NOT_BELIEVED);
    }
    let asked: Value = issuer.told(json!({})).await;
    assert_eq!((&asked["discovery"], &asked["jwks"]), (&json!(1), &json!(2)), "{asked}");
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_not_used() {
    for bad in ["other issuer", "moved", "down"] {
        let Some((office, issuer)) = open().await else { return };
        issuer.told(json!({ "bad": bad })).await;
        let mut surfer = Surfer::new(&office, &issuer);
        for _ in 0..3 {
            let seen = surfer.gets("/auth/oidc/start").await;
            assert_eq!(seen.code(), UNAVAILABLE, "{bad}");
            assert!(seen.headers.contains_key("retry-after") && seen.set.is_empty());
        }
        assert_eq!(issuer.told(json!({})).await["discovery"], 1, "{bad}: not asked again at once");
    }
}

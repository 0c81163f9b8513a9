//! Both providers' answers, over a listener on loopback.

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::*;
use crate::{sender::client, signature::appsecret_proof};

const SID: &str = "AC00000000000000000000000000000001";

struct Asking {
    base: String,
    api: Api,
}

impl Asking {
    async fn start() -> Self {
        let page = Page {
            id: "682498302938465".to_owned(),
            name: "Őrségi Műhely".to_owned(),
            app_secret: "secret".to_owned(),
            access_token: "EAAtoken".to_owned(),
        };
        let number = |at: u32| Number {
            number: format!("whatsapp:+3620000000{at}"),
            account_sid: SID.to_owned(),
            auth_token: "12345".to_owned(),
        };
        let other = Number { account_sid: "AC2".to_owned(), ..number(9) };
        let api = Api::new([page], [number(1), number(2), number(3), other]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound listener"));
        let served = api.clone();
        tokio::spawn(async move { served.serve(listener).await });
        Self { base, api }
    }

    async fn get(&self, path: &str, authorization: &str) -> (u16, Value) {
        let mut call = client().get(format!("{}{path}", self.base));
        if !authorization.is_empty() {
            call = call.header("Authorization", HeaderValue::from_str(authorization).expect("ASCII"));
        }
        let response = call.send().await.expect("the simulator answers");
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.expect("a whole answer")).expect("JSON"))
    }
}

fn basic(sid: &str, token: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{sid}:{token}")))
}

fn me(proof: &str) -> String {
    format!("/v25.0/me?fields=id,name&appsecret_proof={proof}")
}

#[tokio::test]
async fn a_page_token_with_its_proof_names_the_page() {
    let asking = Asking::start().await;
    let path = me(&appsecret_proof("secret", "EAAtoken"));
    let page = json!({"id": "682498302938465", "name": "Őrségi Műhely"});
    assert_eq!(asking.get(&path, "Bearer EAAtoken").await, (200, page.clone()));
    assert_eq!(asking.get(&format!("{path}&access_token=EAAtoken"), "").await, (200, page));
}

#[tokio::test]
async fn meta_refuses_a_wrong_token_and_a_wrong_proof_each_with_its_code() {
    let asking = Asking::start().await;
    let proof = appsecret_proof("secret", "EAAtoken");
    for (path, authorization, code) in [
        (me(&proof), "", 2500),
        (me(&proof), "Bearer other", 190),
        (me(&appsecret_proof("other secret", "EAAtoken")), "Bearer EAAtoken", 100),
        ("/v25.0/me?fields=id,name".to_owned(), "Bearer EAAtoken", 100),
        (format!("/v25.0/me?fields=likes&appsecret_proof={proof}"), "Bearer EAAtoken", 100),
        ("/v25.0/you".to_owned(), "Bearer EAAtoken", 2500),
    ] {
        let (status, answer) = asking.get(&path, authorization).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(code)), "{path}");
        assert!(answer["error"]["message"].is_string() && answer["error"]["type"].is_string());
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused() {
    let asking = Asking::start().await;
    asking.api.set([], []);
    let path = me(&appsecret_proof("secret", "EAAtoken"));
    assert_eq!(asking.get(&path, "Bearer EAAtoken").await.1["error"]["code"], 190);
}

#[tokio::test]
async fn an_account_is_told_to_itself_alone() {
    let asking = Asking::start().await;
    let path = format!("/2010-04-01/Accounts/{SID}.json");
    let (status, answer) = asking.get(&path, &basic(SID, "12345")).await;
    assert_eq!((status, &answer["sid"], &answer["status"]), (200, &json!(SID), &json!("active")));
    for authorization in [String::new(), basic(SID, "other"), basic("AC9", "12345"), "Basic ?".to_owned()] {
        let (status, answer) = asking.get(&path, &authorization).await;
        assert_eq!((status, &answer["code"], &answer["status"]), (401, &json!(20003), &json!(401)));
    }
    let (status, answer) = asking.get(&path, &basic("AC2", "12345")).await;
    assert_eq!((status, &answer["code"]), (404, &json!(20404)));
}

#[tokio::test]
async fn an_account_sees_its_own_numbers_page_by_page() {
    let asking = Asking::start().await;
    let own = basic(SID, "12345");
    let (_, all) = asking.get("/v2/Channels/Senders?Channel=whatsapp&PageSize=100", &own).await;
    assert_eq!(all["senders"].as_array().map(Vec::len), Some(3));
    assert_eq!(all["meta"]["next_page_url"], Value::Null);
    let first = &all["senders"][0];
    assert_eq!((&first["status"], &first["sender_id"]), (&json!("ONLINE"), &json!("whatsapp:+36200000001")));
    assert!(first["sid"].as_str().is_some_and(|sid| sid.starts_with("XE") && sid.len() == 34));

    let (_, one) = asking.get("/v2/Channels/Senders?Channel=whatsapp&PageSize=2", &own).await;
    let next = one["meta"]["next_page_url"].as_str().and_then(|url| url.strip_prefix(&asking.base)).unwrap();
    let (_, two) = asking.get(next, &own).await;
    assert_eq!(two["senders"].as_array().map(Vec::len), Some(1));
    assert_eq!(two["meta"]["next_page_url"], Value::Null);
}

#[tokio::test]
async fn numbers_are_listed_of_one_kind_and_to_their_account_only() {
    let asking = Asking::start().await;
    let own = basic(SID, "12345");
    assert_eq!(asking.get("/v2/Channels/Senders?Channel=whatsapp", "").await.0, 401);
    assert_eq!(asking.get("/v2/Channels/Senders", &own).await.0, 400);
    assert_eq!(asking.get("/v2/Channels/Senders?Channel=rcs", &own).await.1["senders"], json!([]));
    assert_eq!(asking.get("/v2/Channels/Nobody", &own).await.0, 404);
}

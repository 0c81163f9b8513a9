//! The sender against a tiny server that answers what it was told to, in order.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, Uri},
    routing::any,
};
use tokio::net::TcpListener;

use super::*;
use crate::{Messenger, Twilio, signature, twilio::Contact};

const EVA: Contact<'_> = Contact { from: "whatsapp:+36201234567", name: "Kovács Éva" };

/// A status, or a wait without end.
type Script = Arc<Mutex<(VecDeque<Option<u16>>, Vec<(Uri, HeaderMap, Bytes)>)>>;

async fn answer(State(script): State<Script>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let next = {
        let mut script = script.lock().expect("nobody panics while holding it");
        script.1.push((uri, headers, body));
        script.0.pop_front().unwrap_or(Some(200))
    };
    match next {
        Some(status) => StatusCode::from_u16(status).expect("a status of three digits"),
        None => std::future::pending().await,
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("a bound listener"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn server(script: impl IntoIterator<Item = Option<u16>>) -> (String, Script) {
    let script: Script = Arc::new(Mutex::new((script.into_iter().collect(), Vec::new())));
    let router = Router::new().route("/hook", any(answer)).with_state(Arc::clone(&script));
    (serve(router).await, script)
}

fn sender() -> Sender {
    Sender::new(Duration::from_millis(1))
}

fn from_meta() -> Request {
    let page = Messenger::new("secret", "1");
    page.deliver(&[page.message("1", "m_1", "Szia!", 5)])
}

fn from_twilio(url: &str) -> Request {
    let number = Twilio::new("AC1", "12345", "whatsapp:+14155238886");
    number.deliver(url, &number.message("SM1", EVA, "Jó napot!"))
}

fn statuses(report: &Report) -> Vec<Result<u16, Failure>> {
    report.tries.iter().map(|outcome| outcome.as_ref().map(|answer| answer.status).map_err(|e| *e)).collect()
}

#[tokio::test]
async fn what_arrives_is_what_was_signed() {
    let (url, script) = server([]).await;
    let request = from_meta();
    let answer = sender().send(&url, &request).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let seen = script.lock().unwrap();
    let (_, headers, body) = &seen.1[0];
    assert_eq!(headers["x-hub-signature-256"], signature::meta("secret", body).as_str());
    assert_eq!(
        (headers["content-type"].as_bytes(), &body[..]),
        (&b"application/json"[..], &request.body[..])
    );
}

#[tokio::test]
async fn meta_tries_until_it_is_answered_with_200() {
    let (url, script) = server([Some(500), Some(404), Some(204), Some(200)]).await;
    let report = sender().deliver(&url, &from_meta()).await;
    assert_eq!(statuses(&report), [Ok(500), Ok(404), Ok(204), Ok(200)]);
    assert!(report.accepted);
    let seen = script.lock().unwrap();
    assert!(seen.1.windows(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].2 == pair[1].2), "as it was");
}

#[tokio::test]
async fn twilio_lets_a_500_be_the_end_unless_the_address_asks_for_more() {
    let (url, _) = server([Some(500)]).await;
    let report = sender().deliver(&url, &from_twilio(&url)).await;
    assert_eq!((statuses(&report), report.accepted), (vec![Ok(500)], false));

    let (url, script) = server([Some(500), Some(403), Some(503), Some(500), Some(500), Some(500)]).await;
    let url = format!("{url}?x=1#rc=5&rp=all");
    let report = sender().deliver(&url, &from_twilio(&url)).await;
    assert_eq!((report.tries.len(), report.accepted), (6, false));
    let seen = script.lock().unwrap();
    assert!(seen.1.iter().all(|(uri, ..)| *uri == "/hook?x=1"), "the fragment stays");
    let tokens: Vec<_> =
        seen.1.iter().map(|(_, headers, _)| &headers["i-twilio-idempotency-token"]).collect();
    assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]), "a retry repeats the token");
}

#[tokio::test]
async fn twilio_ends_all_tries_within_its_time() {
    let (url, _) = server([None, None, None, None]).await;
    let url = format!("{url}#rc=5&rp=rt&rt=40&tt=100");
    let report = sender().deliver(&url, &from_twilio(&url)).await;
    assert!(!report.accepted && report.tries.len() <= 4, "{report:?}");
    assert!(report.tries.iter().all(|outcome| *outcome == Err(Failure::TimedOut)), "{report:?}");
}

#[tokio::test]
async fn a_refused_connection_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(sender().send(&url, &from_meta()).await, Err(Failure::Connect));
    let report = sender().deliver(&url, &from_twilio(&url)).await;
    assert_eq!(statuses(&report), [Err(Failure::Connect); 2], "Twilio tries again once");
    for nonsense in ["", "inbox", "http://", "https://"] {
        assert_eq!(sender().send(nonsense, &from_meta()).await, Err(Failure::Connect), "{nonsense}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_reported() {
    let (url, _) = server([None]).await;
    let sender = sender().with_answer_max(Duration::from_millis(20));
    assert_eq!(sender.send(&url, &from_meta()).await, Err(Failure::TimedOut));
}

#[tokio::test]
async fn a_handshake_wants_its_challenge_back() {
    async fn verify(RawQuery(query): RawQuery) -> (StatusCode, String) {
        let query = query.unwrap_or_default();
        let pairs: std::collections::HashMap<_, _> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        match pairs["hub.mode"] == "subscribe" && pairs["hub.verify_token"] == "my tökén" {
            true => (StatusCode::OK, pairs["hub.challenge"].clone()),
            false => (StatusCode::FORBIDDEN, String::new()),
        }
    }
    let url = serve(Router::new().route("/hook", axum::routing::get(verify))).await;
    assert_eq!(sender().handshake(&url, "my tökén", "1158201444").await, Ok(true));
    assert_eq!(sender().handshake(&url, "other", "1158201444").await, Ok(false));
    assert_eq!(sender().subscribe(&url, "unsubscribe", "my tökén", "1").await.unwrap().status, 403);
}

//! GraphQL over WebSocket, over a front and a connection in memory: every message, every reason to close, and every
//! bound. Time is the test's.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt as _;
use parlance_graphql::{HttpSettings, ending};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, time::Instant};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    fake::Fake,
    wire::{Server, Socket},
};

const NAME: &str = "{ account { name } }";

fn slow() -> Server {
    Server::new(Fake { slow: true, ..Fake::default() })
}

fn init(payload: &Value) -> Value {
    json!({ "type": "connection_init", "payload": payload })
}

async fn closed(socket: &mut Socket, code: u16, reason: &str) {
    assert_eq!(socket.closes().await, (code, reason.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_query_is_answered_and_completed_and_its_id_is_free_again() {
    let mut socket = Server::new(Fake::default()).eva().await;
    for _ in 0..2 {
        socket.asks("1", NAME).await;
        let data = json!({ "data": { "account": { "name": "Acme" } } });
        assert_eq!(socket.hears().await, json!({ "type": "next", "id": "1", "payload": data }));
        assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "1" }));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_executed_is_an_error_and_what_is_has_its_errors_beside_its_data() {
    let mut socket = Server::new(Fake::default()).eva().await;
    socket.asks("1", "{ nothing }").await;
    let error = socket.hears().await;
    assert_eq!((&error["type"], &error["id"]), (&"error".into(), &"1".into()));
    assert_eq!(error["payload"][0]["extensions"]["code"], "BAD_REQUEST");
    socket
        .asks("1", "{ deadLetters(account: \"acct_1\", first: 1) { nodes { bytes } } account { name } }")
        .await;
    let next = socket.hears().await;
    let data = json!({ "account": { "name": "Acme" }, "deadLetters": null });
    assert_eq!((&next["type"], &next["payload"]["data"]), (&"next".into(), &data));
    assert_eq!(next["payload"]["errors"][0]["path"], json!(["deadLetters"]));
    assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "1" }));
}

/// The fake would give a session, or a choice of accounts.
#[tokio::test(start_paused = true)]
async fn what_a_cookie_would_answer_is_refused_where_none_can_be_set() {
    let mut socket = Server::new(Fake::default()).eva().await;
    for (field, input) in [
        ("signIn", r#"email: "eva@example.hu", password: "with a password""#),
        ("acceptInvitation", r#"token: "pri_x", password: "with a password""#),
    ] {
        socket
            .asks("1", &format!("mutation {{ {field}(input: {{ {input} }}) {{ errors {{ code }} }} }}"))
            .await;
        let next = socket.hears().await;
        let errors = &next["payload"]["data"][field]["errors"];
        assert_eq!(errors, &json!([{ "code": "COOKIE_IMPOSSIBLE" }]), "{next}");
        assert_eq!(socket.hears().await["type"], "complete");
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_that_wait_on_a_socket_are_bounded_together() {
    let mut socket = slow().eva().await;
    let large = |id: &str| {
        let payload = json!({ "query": NAME, "variables": { "more": "x".repeat(100 << 10) } });
        json!({ "type": "subscribe", "id": id, "payload": payload })
    };
    for id in ["1", "2", "3"] {
        socket.says(&large(id)).await;
    }
    let refused = socket.hears().await;
    assert_eq!((&refused["type"], &refused["id"]), (&"error".into(), &"3".into()));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_an_operation_that_the_client_completed() {
    let mut socket = slow().eva().await;
    socket.asks("1", NAME).await;
    socket.says(&json!({ "type": "complete", "id": "1" })).await;
    // Its id is free: this one is the second of that name, and no more than one.
    socket.asks("1", NAME).await;
    socket.says(&json!({ "type": "complete", "id": "1" })).await;
    socket.says(&json!({ "type": "complete", "id": "unknown" })).await;
    socket.says(&json!({ "type": "ping" })).await;
    assert_eq!(socket.hears().await, json!({ "type": "pong" }));
    let more = tokio::time::timeout(Duration::from_secs(20), socket.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_closes_with_4400() {
    let server = Server::new(Fake::default());
    for (message, reason) in [
        (Message::text("nonsense"), "Message is not a JSON object with a type"),
        (Message::binary(&b"{\"type\":\"ping\"}"[..]), "Messages are text, not binary"),
        (Message::text("x".repeat((256 << 10) + 1)), "Message is larger than 256 KiB"),
        (
            Message::text(r#"{"type":"subscribe","id":"1","payload":{}}"#),
            "Subscribe's payload is not a GraphQL request",
        ),
    ] {
        let mut socket = server.eva().await;
        // Not all of what is too large is read; the close is there all the same.
        let _ = socket.0.send(message).await;
        closed(&mut socket, 4400, reason).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_out_of_turn_closes_with_the_protocols_codes() {
    let server = slow();
    let mut early = server.socket().await;
    early.asks("1", NAME).await;
    closed(&mut early, 4401, "Unauthorized").await;

    let mut twice = server.eva().await;
    twice.says(&init(&json!({ "token": "prl_eva" }))).await;
    closed(&mut twice, 4429, "Too many initialisation requests").await;

    let mut same = server.eva().await;
    same.asks("a", NAME).await;
    same.asks("a", NAME).await;
    closed(&mut same, 4409, "Subscriber for a already exists").await;

    let begun = Instant::now();
    let mut silent = server.socket().await;
    closed(&mut silent, 4408, "Connection initialisation timeout").await;
    assert_eq!(begun.elapsed().as_secs(), 10);

    for other in ["", "Sec-WebSocket-Protocol: graphql-ws, GraphQL-Transport-WS\r\n"] {
        let mut foreign = server.socket_with(other).await;
        closed(&mut foreign, 4406, "Subprotocol not acceptable").await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_shows_no_credential_that_counts_is_closed_with_4403() {
    let server = Server::new(Fake::default());
    for payload in [
        json!({}),
        Value::Null,
        json!({ "token": "prl_unknown" }),
        json!({ "token": "eva" }),
        json!({ "token": 7 }),
        json!({ "authorization": "prl_eva" }),
        json!({ "authorization": "Basic prl_eva" }),
        json!({ "authorization": "Bearer prl_eva", "token": "prl_eva" }),
        json!({ "token": "prs_eva" }),
    ] {
        let mut socket = server.socket().await;
        socket.says(&init(&payload)).await;
        closed(&mut socket, 4403, "Forbidden").await;
    }
    let mut socket = server.socket().await;
    socket.says(&init(&json!({ "Authorization": "bearer prl_eva" }))).await;
    assert_eq!(socket.hears().await["type"], "connection_ack");
}

#[tokio::test(start_paused = true)]
async fn a_cookie_counts_on_our_own_pages_alone() {
    let public_url = Some("https://inbox.example.hu".to_owned());
    let server = Server::with(Fake::default(), HttpSettings { public_url, ..HttpSettings::default() });
    let protocol = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
    let cookie = "Cookie: a=b; __Host-parlance=prs_eva\r\n";
    for (origin, ours) in [
        ("Origin: https://inbox.example.hu\r\n", true),
        ("Origin: http://inbox.example.com\r\n", true),
        ("", false),
        ("Origin: null\r\n", false),
        ("Origin: https://evil.example\r\n", false),
        ("Origin: https://inbox.example.hu.evil.example\r\n", false),
        ("Origin: https://inbox.example.hu\r\nOrigin: https://inbox.example.hu\r\n", false),
    ] {
        let mut socket = server.socket_with(&format!("{protocol}{cookie}{origin}")).await;
        socket.says(&json!({ "type": "connection_init" })).await;
        if ours {
            assert_eq!(socket.hears().await["type"], "connection_ack", "{origin}");
        } else {
            closed(&mut socket, 4403, "Forbidden").await;
        }
    }
    // A token that the page's own code sends is believed whatever page it is, and before the cookie.
    let mut socket = server.socket_with(&format!("{protocol}{cookie}Origin: https://evil.example\r\n")).await;
    socket.says(&init(&json!({ "token": "prl_eva" }))).await;
    assert_eq!(socket.hears().await["type"], "connection_ack");
    let mut socket =
        server.socket_with(&format!("{protocol}{cookie}Origin: https://inbox.example.hu\r\n")).await;
    socket.says(&init(&json!({ "token": "prl_unknown" }))).await;
    closed(&mut socket, 4403, "Forbidden").await;
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_ends_takes_its_socket_with_it() {
    let fake = Fake::default();
    let ended = Arc::clone(&fake.ended);
    let mut socket = Server::new(fake).eva().await;
    ended.notify_one();
    closed(&mut socket, 4403, "Forbidden").await;
}

#[tokio::test(start_paused = true)]
async fn a_ping_has_its_payload_sent_back() {
    let mut socket = Server::new(Fake::default()).socket().await;
    socket.says(&json!({ "type": "ping", "payload": { "at": 7, "words": ["ő\n"] } })).await;
    let pong = json!({ "type": "pong", "payload": { "at": 7, "words": ["ő\n"] } });
    assert_eq!(socket.hears().await, pong);
    socket.sends(Message::Ping(b"x"[..].into())).await;
    assert_eq!(socket.next().await, Some(Message::Pong(b"x"[..].into())));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_lives_is_pinged_for_ever_and_a_dead_one_is_given_up() {
    let server = Server::new(Fake::default());
    let mut alive = server.eva().await;
    for _ in 0..10 {
        assert_eq!(alive.hears().await, json!({ "type": "ping" }));
        alive.says(&json!({ "type": "pong" })).await;
    }
    // Its end of the connection answers no ping by itself: nobody polls it.
    let dead = server.eva().await;
    let begun = Instant::now();
    let mut io = dead.0.into_inner();
    let mut rest = Vec::new();
    io.read_to_end(&mut rest).await.expect("it ends");
    assert_eq!(begun.elapsed().as_secs(), 75);
    assert!(!rest.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_told_so_by_a_trace_id_of_its_own() {
    let mut socket = slow().eva().await;
    let begun = Instant::now();
    socket.asks("1", NAME).await;
    socket.asks("2", NAME).await;
    let mut traces = Vec::new();
    while traces.len() < 2 {
        let heard = socket.hears().await;
        if heard["type"] == "ping" {
            continue;
        }
        assert_eq!((begun.elapsed().as_secs(), &heard["type"]), (30, &"error".into()));
        let extensions = &heard["payload"][0]["extensions"];
        assert_eq!(extensions["code"], "TIMED_OUT");
        traces.push(extensions["traceId"].as_str().expect("a trace id").to_owned());
    }
    assert!(traces[0] != traces[1] && traces[0].len() == 32);
}

#[tokio::test(start_paused = true)]
async fn one_operation_too_many_is_refused_and_the_others_go_on() {
    let mut socket = slow().eva().await;
    for n in 0..64 {
        socket.asks(&n.to_string(), NAME).await;
    }
    socket.asks("more", NAME).await;
    let refused = socket.hears().await;
    assert_eq!((&refused["type"], &refused["id"]), (&"error".into(), &"more".into()));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    socket.says(&json!({ "type": "complete", "id": "7" })).await;
    socket.asks("more", NAME).await;
    socket.says(&json!({ "type": "ping" })).await;
    assert_eq!(socket.hears().await["type"], "pong");
}

#[tokio::test(start_paused = true)]
async fn one_socket_too_many_of_a_member_is_told_to_come_back_later() {
    let server = Server::new(Fake::default());
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(server.eva().await);
    }
    let mut more = server.socket().await;
    more.says(&init(&json!({ "token": "prl_eva" }))).await;
    closed(&mut more, 1013, "Too many sockets: close some").await;
    let mut operator = server.socket().await;
    operator.says(&init(&json!({ "token": "pro_ops" }))).await;
    assert_eq!(operator.hears().await["type"], "connection_ack", "others have their own places");
    let mut one = held.pop().expect("there are many");
    one.0.close(None).await.expect("it is open");
    assert_eq!(one.closes().await.0, 1005);
    server.eva().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_read_no_further_and_given_up() {
    let mut socket = Server::new(Fake::default()).eva().await;
    let begun = Instant::now();
    let ping = json!({ "type": "ping", "payload": { "x": "x".repeat(10_000) } }).to_string();
    let mut taken = 0;
    // Never read: what it is sent stands in the way, and what it sends is not taken any more.
    while socket.0.send(Message::text(ping.clone())).await.is_ok() {
        taken += 1;
        assert!(taken < 20, "{taken} messages are taken, and none of their answers");
    }
    assert_eq!(begun.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn the_server_s_end_lets_answers_out_and_says_goodbye() {
    let (end, ending) = ending();
    let settings = HttpSettings { ending, ..HttpSettings::default() };
    let server = Server::with(Fake { slow: true, ..Fake::default() }, settings);
    let (mut idle, mut busy, mut new) = (server.eva().await, server.eva().await, server.socket().await);
    busy.asks("1", NAME).await;
    busy.says(&json!({ "type": "ping" })).await;
    assert_eq!(busy.hears().await["type"], "pong");
    let begun = Instant::now();
    end.begin();
    closed(&mut idle, 1001, "The server ends").await;
    closed(&mut new, 1001, "The server ends").await;
    assert_eq!(begun.elapsed().as_secs(), 0);
    busy.asks("2", NAME).await;
    closed(&mut busy, 1001, "The server ends").await;
    assert_eq!(begun.elapsed().as_secs(), 10, "what can still be answered has its time");
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_answered_over_http() {
    let server = Server::new(Fake::default());
    let head = "GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n";
    let (answer, _) = server.connect(&format!("{head}Connection: Upgrade\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("sec-websocket-version: 13"), "{answer}");
    let (answer, _) = server.connect(&format!("{head}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

//! More than anybody may have: subscriptions of one member, and sockets of one address that do not say whose they are.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{io::DuplexStream, time::timeout};

use crate::{
    fake::Fake,
    wire::{Server, Socket},
};

const INBOX: &str = "subscription { inboxChanged { position } }";
const OURS: &str = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
/// As many operations as a socket may have.
const EACH: usize = 64;
/// In the test's time, which passes only when nothing else can happen.
const SOON: Duration = Duration::from_secs(5);

fn endless() -> Server {
    Server::new(Fake { endless: true, ..Fake::default() })
}

/// Whatever waits on a socket was read once this is answered.
async fn is_heard(socket: &mut Socket) {
    socket.says(&json!({ "type": "ping" })).await;
    assert_eq!(socket.hears().await, json!({ "type": "pong" }), "and nothing was refused");
}

async fn full_of_subscriptions(server: &Server) -> Socket {
    let mut socket = server.eva().await;
    for n in 0..EACH {
        socket.asks(&n.to_string(), INBOX).await;
    }
    is_heard(&mut socket).await;
    socket
}

async fn by_events(server: &Server) -> (String, DuplexStream) {
    let body = json!({ "query": INBOX }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: inbox.example.com\r\nContent-Type: application/json\r\n\
         Authorization: Bearer prl_eva\r\nAccept: text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    server.connect(&request).await
}

fn code(heard: &Value) -> (&Value, &Value) {
    (&heard["type"], &heard["payload"][0]["extensions"]["code"])
}

#[tokio::test(start_paused = true)]
async fn one_subscription_too_many_of_a_member_is_refused_whatever_way_it_comes() {
    let server = endless();
    let mut full = Vec::new();
    for _ in 0..16 {
        full.push(full_of_subscriptions(&server).await);
    }
    let mut more = server.eva().await;
    more.asks("more", INBOX).await;
    let refused = more.hears().await;
    assert_eq!(code(&refused), (&"error".into(), &"TOO_MANY_SUBSCRIPTIONS".into()), "{refused}");
    let (head, _events) = by_events(&server).await;
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("retry-after: "), "{head}");
    more.asks("query", "{ account { name } }").await;
    assert_eq!(more.hears().await["type"], "next", "queries are not counted");
    assert_eq!(more.hears().await["type"], "complete");

    full[0].says(&json!({ "type": "complete", "id": "7" })).await;
    is_heard(&mut full[0]).await;
    let (head, events) = by_events(&server).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "what is completed makes room: {head}");
    more.asks("more", INBOX).await;
    let refused = more.hears().await;
    assert_eq!(code(&refused).1, "TOO_MANY_SUBSCRIPTIONS", "an event stream counts as much");
    drop(events);
    until_subscribed(&mut more).await;

    let mut gone = full.pop().expect("there are many");
    gone.0.close(None).await.expect("it is open");
    gone.closes().await;
    full_of_subscriptions(&server).await;
}

/// The server sees a connection's end when its task has its turn.
async fn until_subscribed(socket: &mut Socket) {
    let trying = async {
        loop {
            socket.asks("again", INBOX).await;
            socket.says(&json!({ "type": "ping" })).await;
            if socket.hears().await["type"] == "pong" {
                return;
            }
            assert_eq!(socket.hears().await["type"], "pong");
        }
    };
    timeout(SOON, trying).await.expect("there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_ended_by_itself_does_not_count() {
    let mut socket = Server::new(Fake::default()).eva().await;
    for _ in 0..1_100 {
        socket.asks("1", INBOX).await;
        assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "1" }));
    }
    for _ in 0..1_100 {
        socket.asks("1", "subscription { nothing }").await;
        assert_eq!(code(&socket.hears().await).1, "BAD_REQUEST");
    }
}

#[tokio::test(start_paused = true)]
async fn sockets_of_one_address_that_do_not_say_whose_they_are_do_not_take_all_the_places() {
    let server = endless();
    for (one, same, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
    ] {
        let mut silent = Vec::new();
        for _ in 0..64 {
            silent.push(server.from(one).socket().await);
        }
        for from in [one, same] {
            let (head, _) = server.from(from).knock(OURS).await;
            assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("retry-after: "), "{from}: {head}");
        }
        server.from(other).eva().await;
        server.eva().await;
        let (head, _events) = by_events(&server.from(one)).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "who is known is no stranger: {head}");
        silent[0].is_eva_s().await;
        let _more = server.from(same).socket().await;
        let (head, _) = server.from(one).knock(OURS).await;
        assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
        // Who says nothing is closed in time, and makes room.
        assert_eq!(silent[1].closes().await.0, 4408);
        server.from(one).eva().await;
    }
}

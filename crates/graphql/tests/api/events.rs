//! GraphQL over server-sent events, over a front and a connection in memory. Time is the test's.

use std::{sync::Arc, time::Duration};

use parlance_app::front::InboxChange;
use parlance_domain::Position;
use parlance_graphql::{HttpSettings, ending};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, DuplexStream},
    time::{Instant, timeout},
};

use crate::{
    fake::Fake,
    wire::{PATIENCE, Server},
};

const INBOX: &str = "subscription { inboxChanged { position gone } }";

/// An answer that comes in chunks (RFC 9112, section 7.1).
struct Events {
    head: String,
    io: BufReader<DuplexStream>,
}

impl Events {
    async fn of(server: &Server, query: &str, headers: &str) -> Self {
        let body = json!({ "query": query }).to_string();
        let (head, io) = server
            .connect(&format!(
                "POST /graphql HTTP/1.1\r\nHost: inbox.example.com\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n{headers}\r\n{body}",
                body.len(),
            ))
            .await;
        Self { head, io: BufReader::new(io) }
    }

    /// Eva's, who takes nothing but events.
    async fn eva(server: &Server, query: &str) -> Self {
        let headers = "Authorization: Bearer prl_eva\r\nAccept: text/event-stream\r\n";
        let events = Self::of(server, query, headers).await;
        assert!(events.head.starts_with("HTTP/1.1 200 "), "{}", events.head);
        assert!(events.head.contains("content-type: text/event-stream; charset=utf-8\r\n"));
        events
    }

    /// The next piece; `None`: the answer is whole.
    async fn next(&mut self) -> Option<String> {
        let piece = async {
            let mut length = String::new();
            self.io.read_line(&mut length).await.expect("a chunk's length");
            let length = usize::from_str_radix(length.trim(), 16).expect("hexadecimal");
            let mut piece = vec![0; length + 2];
            self.io.read_exact(&mut piece).await.expect("the whole chunk");
            piece.truncate(length);
            (length > 0).then(|| String::from_utf8(piece).expect("text"))
        };
        timeout(PATIENCE, piece).await.expect("something happens")
    }

    async fn all(mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await {
            all.push(piece);
        }
        all
    }
}

/// What a `next` event holds.
fn next(event: &str) -> Value {
    let json = event.strip_prefix("event: next\ndata: ").and_then(|rest| rest.strip_suffix("\n\n"));
    serde_json::from_str(json.unwrap_or_else(|| panic!("{event:?}"))).expect("JSON")
}

const COMPLETE: &str = "event: complete\ndata: \n\n";

#[tokio::test(start_paused = true)]
async fn a_query_is_one_event_and_its_end() {
    let server = Server::new(Fake::default());
    let events = Events::eva(&server, "{ account { name } }").await.all().await;
    assert_eq!(
        (next(&events[0]), &events[1..]),
        (json!({ "data": { "account": { "name": "Acme" } } }), &[COMPLETE.to_owned()][..])
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_executed_is_told_by_an_event_and_what_is_no_request_by_a_status() {
    let server = Server::new(Fake::default());
    for wrong in ["{ nothing }", "subscription { nothing }", "subscription {"] {
        let events = Events::eva(&server, wrong).await.all().await;
        let told = next(&events[0]);
        assert_eq!(told["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{wrong}: {told}");
        assert!(told.get("data").is_none() && events[1..] == [COMPLETE], "{events:?}");
    }
    let accept = "Accept: text/event-stream\r\n";
    let bad = Events::of(&server, INBOX, &format!("{accept}Authorization: Bearer prl_unknown\r\n")).await;
    assert!(bad.head.starts_with("HTTP/1.1 401 "), "{}", bad.head);
    let foreign = Events::of(&server, INBOX, &format!("{accept}Origin: https://evil.example\r\n")).await;
    assert!(foreign.head.starts_with("HTTP/1.1 403 "), "{}", foreign.head);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_told_event_by_event_to_its_end() {
    let change = |n| {
        Ok(InboxChange {
            position: Position::new(n),
            conversations: Vec::new(),
            gone: Vec::new(),
            channels_gone: Vec::new(),
            channels_to_load: Vec::new(),
            members: Vec::new(),
            channels: Vec::new(),
        })
    };
    let fake = Fake { inbox_changes: vec![change(1), change(2)], ..Fake::default() };
    let events = Events::eva(&Server::new(fake), INBOX).await.all().await;
    let told: Vec<_> =
        events.iter().filter(|event| event.starts_with("event: next")).map(|e| next(e)).collect();
    assert_eq!(told.len(), 2, "{events:?}");
    assert!(told.iter().all(|told| told["data"]["inboxChanged"]["gone"] == json!([])));
    assert_eq!(events.last().map(String::as_str), Some(COMPLETE));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_for_longer_than_any_request() {
    let server = Server::new(Fake { endless: true, ..Fake::default() });
    let mut events = Events::eva(&server, INBOX).await;
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(events.next().await.as_deref(), Some(":\n\n"));
    }
    assert_eq!(begun.elapsed().as_secs(), 19 * 15);
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_ends_is_the_last_that_is_told() {
    let fake = Fake { endless: true, ..Fake::default() };
    let ended = Arc::clone(&fake.ended);
    let mut events = Events::eva(&Server::new(fake), INBOX).await;
    assert_eq!(events.next().await.as_deref(), Some(":\n\n"));
    ended.notify_one();
    let events = events.all().await;
    assert_eq!(next(&events[0])["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(events[1..], [COMPLETE]);
}

#[tokio::test(start_paused = true)]
async fn the_server_s_end_ends_a_stream_without_completing_it() {
    let (end, ending) = ending();
    let settings = HttpSettings { ending, ..HttpSettings::default() };
    let server = Server::with(Fake { endless: true, ..Fake::default() }, settings);
    let mut events = Events::eva(&server, INBOX).await;
    assert_eq!(events.next().await.as_deref(), Some(":\n\n"));
    end.begin();
    assert_eq!(events.next().await, None);
    let late =
        Events::of(&server, INBOX, "Authorization: Bearer prl_eva\r\nAccept: text/event-stream\r\n").await;
    assert!(late.head.starts_with("HTTP/1.1 503 ") && late.head.contains("retry-after: "), "{}", late.head);
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_gives_the_place_back() {
    let server = Server::new(Fake { endless: true, ..Fake::default() });
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(Events::eva(&server, INBOX).await);
    }
    let headers = "Authorization: Bearer prl_eva\r\nAccept: text/event-stream\r\n";
    let more = Events::of(&server, INBOX, headers).await;
    assert!(more.head.starts_with("HTTP/1.1 429 "), "{}", more.head);
    held.pop();
    // The server sees the connection's end when its task has its turn.
    let free = async {
        while !Events::of(&server, INBOX, headers).await.head.starts_with("HTTP/1.1 200 ") {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), free).await.expect("the place is free");
}

#[tokio::test(start_paused = true)]
async fn who_takes_both_gets_events_for_a_subscription_alone() {
    let server = Server::new(Fake::default());
    let headers = "Authorization: Bearer prl_eva\r\n\
        Accept: application/graphql-response+json, application/json, text/event-stream\r\n";
    let query = Events::of(&server, "{ account { name } }", headers).await;
    assert!(query.head.contains("content-type: application/graphql-response+json"), "{}", query.head);
    let subscription = Events::of(&server, INBOX, headers).await;
    assert!(subscription.head.contains("content-type: text/event-stream"), "{}", subscription.head);
}

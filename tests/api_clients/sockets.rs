//! What the npm packages `ws` and `graphql-ws` see of a socket's end, and what a client that never reads does.

use std::time::Duration;

use parlance_tests::served::{Office, Wire};
use serde_json::json;

use super::{
    PROGRAM,
    node::{Script, installed},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_close_code_of_the_protocol_reaches_the_client() {
    if !installed() {
        return;
    }
    let office = Office::open(PROGRAM).await;
    let mut script = Script::start("ws.mjs", &["codes", &socket_url(&office), &office.admin.token]);
    for (name, code, reason) in [
        ("a message of no type", 4400, "Message is not a JSON object with a type"),
        ("no JSON", 4400, "Message is not a JSON object with a type"),
        ("a binary message", 4400, "Messages are text, not binary"),
        ("a message that is too large", 4400, "Message is larger than 256 KiB"),
        ("an id that is under way", 4409, "Subscriber for a already exists"),
        ("a second init", 4429, "Too many initialisation requests"),
        ("an operation before the init", 4401, "Unauthorized"),
        ("an init without a token", 4403, "Forbidden"),
        ("an init with a wrong token", 4403, "Forbidden"),
        ("another subprotocol", 4406, "Subprotocol not acceptable"),
        ("no init", 4408, "Connection initialisation timeout"),
    ] {
        let told = script.says().await.expect("every case is tried");
        assert_eq!(told, json!({ "name": name, "code": code, "reason": reason }));
    }
    assert_eq!(script.says().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_member_s_streams_end() {
    if !installed() {
        return;
    }
    let office = Office::open(PROGRAM).await;
    let anna = office.member("anna@example.hu", &[]).await;
    let mut socket = Script::start("ws.mjs", &["follow", &socket_url(&office), &anna.token]);
    let mut events = Script::start("sse.mjs", &["follow", &office.served.url("/graphql"), &anna.token]);
    socket.until("a first change", |line| line["position"].is_string()).await;
    events.until("a first change", |line| line["position"].is_string()).await;
    office.does(&office.admin, "removeMember", json!({ "member": anna.id })).await;
    let closed = socket.until("an end", |line| !line["closed"].is_null()).await;
    assert_eq!(closed, json!({ "closed": 4403, "reason": "Forbidden" }));
    // The subscription may see it before the stream's own look does, and end by itself.
    events.until("its end", |line| *line == json!({ "complete": true })).await;
    assert_eq!(events.says().await, None, "nobody tries again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_asked_to_end_says_so_and_ends() {
    if !installed() {
        return;
    }
    let mut office = Office::open(PROGRAM).await;
    let mut socket = Script::start("ws.mjs", &["follow", &socket_url(&office), &office.admin.token]);
    let mut events =
        Script::start("sse.mjs", &["follow", &office.served.url("/graphql"), &office.admin.token]);
    socket.until("a first change", |line| line["position"].is_string()).await;
    events.until("a first change", |line| line["position"].is_string()).await;
    assert!(office.served.end(), "it ends well, whoever is still there");
    let closed = socket.until("an end", |line| !line["closed"].is_null()).await;
    assert_eq!(closed, json!({ "closed": 1001, "reason": "The server ends" }));
}

/// A text message's frame, with the mask that changes nothing (RFC 6455, section 5.2).
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0xFE];
    frame.extend(u16::try_from(text.len()).expect("a short message").to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_bounded_and_let_go() {
    let office = Office::open(PROGRAM).await;
    let before = office.served.memory();
    let mut wire = Wire::open(office.served.address).await.expect("it listens");
    let handshake = "GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
    assert_eq!(wire.ask(handshake.as_bytes()).await.expect("it answers").status, 101);
    let init = json!({ "type": "connection_init", "payload": { "token": office.admin.token } });
    wire.say(&frame(&format!("{init:150}"))).await.expect("it reads");
    // Whole answers of some hundred KiB each, asked for and never read; padded to the length that has 16 bits.
    let query = "{ __schema { types { name description fields { name description type { name } \
        args { name description } } enumValues { name description } } } }";
    let mut asked = 0;
    while asked < ASKED_MAX {
        let ask = json!({ "type": "subscribe", "id": asked.to_string(), "payload": { "query": query } });
        if wire.say(&frame(&ask.to_string())).await.is_err() {
            break;
        }
        asked += 1;
    }
    assert!(asked < ASKED_MAX, "the server stops reading, and lets go of a client that takes nothing");
    let after = office.served.memory();
    let grown = after.most_mib.saturating_sub(before.most_mib);
    eprintln!("{asked} answers asked for and not read: the server grew by {grown} MiB at most");
    assert!(grown < 64, "{before:?} {after:?}");
    assert!(wire.ends(Duration::from_secs(30)).await);
}

/// Many times what the kernel keeps between the two, which may be some 40 MB.
const ASKED_MAX: u32 = 1_000_000;

fn socket_url(office: &Office) -> String {
    office.served.url("/graphql").replace("http://", "ws://")
}

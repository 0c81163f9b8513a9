//! Clients that follow the inbox while its server is killed, again and again, under the messages that keep coming:
//! they come back by themselves, go on from where they were cut off, and end with what a fresh load shows.

use parlance_simulator::Sender;
use parlance_tests::{
    PATIENCE,
    served::{Office, SECTIONS, at},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    PROGRAM,
    node::{Script, installed},
};

/// Lives of the server.
const LIVES: u32 = 4;
/// Messages sent while one life ends and the next begins.
const MESSAGES: usize = 40;
/// Contacts that they come from.
const CONTACTS: u32 = 7;

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(bound)).expect("below a u32")
    }
}

async fn follow(script: &str, scheme: &str) {
    if !installed() {
        return;
    }
    let seed = std::env::var("PARLANCE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("PARLANCE_SEED={seed}");
    let mut dice = Dice(seed);
    let mut office = Office::open(PROGRAM).await;
    let url = office.served.url("/graphql").replace("http", scheme);
    let mut client = Script::start(script, &["follow", &url, &office.admin.token]);
    client.until("a first change", |line| line["position"].is_string()).await;
    for life in 0..LIVES {
        let messages: Vec<_> = (0..MESSAGES)
            .map(|n| (format!("psid-{}", dice.below(CONTACTS)), office.fresh("m"), format!("{life}-{n}")))
            .collect();
        let (page, url) = (office.page(), office.messenger.webhook_url.clone());
        let mut post = tokio::spawn(async move {
            for (psid, mid, text) in messages {
                let request = page.deliver(&[page.message(&psid, &mid, &text, at(1))]);
                until_taken(&url, &request).await;
            }
        });
        // What was written while nobody folded is told at once: there may be fewer changes than messages.
        let mut posted = None;
        for _ in 0..dice.below(5) {
            tokio::select! {
                _ = client.until("a change", |line| line["position"].is_string()) => {}
                ended = &mut post => {
                    posted = Some(ended);
                    break;
                }
            }
        }
        office.restart_in_place();
        let posted = match posted {
            Some(ended) => ended,
            None => post.await,
        };
        posted.expect("every message is taken in the end");
    }
    let loaded = load(&office).await;
    let held = client.until("what a fresh load shows", |line| rows(&line["rows"]) == loaded).await;
    assert!(held["position"].is_string());
    assert!(!loaded.is_empty());
    // It goes on from there.
    office.writes("psid-last", &office.fresh("m"), "the last one", at(2)).await;
    let loaded = load(&office).await;
    client.until("the last message", |line| rows(&line["rows"]) == loaded).await;
}

async fn until_taken(url: &str, request: &parlance_simulator::Request) {
    let sender = Sender::new(std::time::Duration::from_millis(10));
    let sending = async {
        while !sender.send(url, request).await.is_ok_and(|answer| answer.status == 200) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, sending).await.expect("the server comes back");
}

/// What the inbox holds, loaded anew, in id order.
async fn load(office: &Office) -> Vec<Value> {
    let query = "query($at: Position, $section: Section!) { conversations(section: $section, first: 40, atLeast: $at) {
        nodes { id section unread messageCount lastMessage { text } } } }";
    let mut all = Vec::new();
    for section in SECTIONS {
        let variables = json!({ "at": office.head().await, "section": section });
        let shown = office.ask(&office.admin, query, variables).await;
        all.extend(shown["conversations"]["nodes"].as_array().expect("a list").iter().cloned());
    }
    rows(&Value::Array(all))
}

fn rows(value: &Value) -> Vec<Value> {
    let mut rows = value.as_array().cloned().unwrap_or_default();
    rows.sort_by_key(|row| row["id"].as_str().unwrap_or_default().to_owned());
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graphql_ws_comes_back_to_where_it_was_cut_off() {
    follow("ws.mjs", "ws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graphql_sse_comes_back_to_where_it_was_cut_off() {
    follow("sse.mjs", "http").await;
}

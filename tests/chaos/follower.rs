//! A client that follows the inbox by server-sent events, cut off again and again, and goes on at another server from
//! the position it was told last.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parlance_tests::{
    PATIENCE,
    served::{Person, SECTIONS},
};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::timeout};

use super::{
    dice::Dice,
    fleet::Fleet,
    hands::outside,
    told::{Asker, position},
};

/// A stream that is silent for so long is left: its server may be stopped.
const SILENT_MAX: Duration = Duration::from_secs(2);
/// Changes that are taken from one stream at most.
const CHANGES_MAX: usize = 40;
const AGAIN: Duration = Duration::from_millis(20);

const ROW: &str = "id section unread closed incarnation messageCount assignee { id } lastMessage { text }";

pub type Rows = BTreeMap<String, Value>;

/// What came of following.
pub struct Followed {
    pub rows: Rows,
    pub streams: u32,
    pub changes: u32,
    /// Loads of everything: one, where nothing was ever missed.
    pub loads: u32,
}

pub struct Follower {
    at_work: JoinHandle<Followed>,
    over: Arc<AtomicBool>,
    upto: Arc<std::sync::atomic::AtomicU64>,
}

struct Client {
    me: Person,
    fleet: Arc<Fleet>,
    asker: Arc<Asker>,
    dice: Dice,
    at: Option<u64>,
    followed: Followed,
}

/// Everything of an inbox as a server shows it, at a position at least; `None`: it does not at the moment.
pub async fn load(asker: &Asker, at: SocketAddr, me: &Person, at_least: u64) -> Option<Rows> {
    let query = format!(
        "query($at: Position, $section: Section!) {{ conversations(section: $section, first: 100, atLeast: $at) {{ \
         nodes {{ {ROW} }} pageInfo {{ hasNextPage }} }} }}"
    );
    let mut rows = Rows::new();
    for section in SECTIONS {
        let variables = json!({ "at": outside(at_least), "section": section });
        let shown = asker.ask(at, &me.token, &query, variables).await?;
        let page = &shown["conversations"];
        assert_eq!(page["pageInfo"]["hasNextPage"], false, "a section of this office is one page");
        for row in page["nodes"].as_array()? {
            rows.insert(row["id"].as_str()?.to_owned(), row.clone());
        }
    }
    Some(rows)
}

/// The data of a whole event, if it has any, and what comes after the event.
fn split(arrived: &mut Vec<u8>) -> Option<String> {
    let end = arrived.windows(2).position(|pair| pair == b"\n\n")?;
    let event: Vec<u8> = arrived.drain(..end + 2).collect();
    let text = String::from_utf8(event).expect("UTF-8");
    let data = text.lines().find_map(|line| line.strip_prefix("data:"));
    Some(data.unwrap_or_default().trim().to_owned())
}

impl Client {
    /// Follows one stream until it ends, is silent, or enough was taken of it, or everything up to `upto` was.
    async fn stream(&mut self, upto: impl Fn() -> u64) -> Option<()> {
        let query = format!(
            "subscription($after: Position) {{ inboxChanged(after: $after) {{ position gone channelsGone \
             channelsToLoad conversations {{ {ROW} }} }} }}"
        );
        let address = self.fleet.any_address(&self.dice);
        let body = json!({ "query": query, "variables": { "after": self.at.map(outside) } }).to_string();
        let request = self.asker.http().post(format!("http://{address}/graphql")).bearer_auth(&self.me.token);
        let request =
            request.header("content-type", "application/json").header("accept", "text/event-stream");
        let sending = request.timeout(PATIENCE).body(body).send();
        let mut stream = timeout(SILENT_MAX, sending).await.ok()?.ok()?;
        self.followed.streams += 1;
        let (mut arrived, mut taken) = (Vec::new(), 0);
        while taken < CHANGES_MAX && self.at.is_none_or(|at| at < upto()) {
            let chunk = timeout(SILENT_MAX, stream.chunk()).await.ok()?.ok()??;
            arrived.extend_from_slice(&chunk);
            while let Some(data) = split(&mut arrived) {
                if data.is_empty() {
                    continue;
                }
                let next: Value = serde_json::from_str(&data).expect("an event's data is JSON");
                if next.get("errors").is_some() {
                    self.asker.refuses(&next);
                    return None;
                }
                self.take(address, &next["data"]["inboxChanged"]).await?;
                taken += 1;
            }
        }
        Some(())
    }

    async fn take(&mut self, address: SocketAddr, change: &Value) -> Option<()> {
        let told = position(&change["position"]).expect("a change has a position");
        assert!(self.at.is_none_or(|at| at <= told), "a position goes back");
        if self.at.is_none() {
            self.followed.rows = load(&self.asker, address, &self.me, told).await?;
            self.followed.loads += 1;
        }
        for id in change["gone"].as_array()? {
            self.followed.rows.remove(id.as_str()?);
        }
        for row in change["conversations"].as_array()? {
            self.followed.rows.insert(row["id"].as_str()?.to_owned(), row.clone());
        }
        assert_eq!(change["channelsGone"], json!([]), "no channel goes out of sight here");
        assert_eq!(change["channelsToLoad"], json!([]), "no channel comes into sight here");
        self.at = Some(told);
        self.followed.changes += 1;
        Some(())
    }
}

impl Follower {
    pub fn begin(me: &Person, fleet: &Arc<Fleet>, asker: &Arc<Asker>, seed: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let upto = Arc::new(std::sync::atomic::AtomicU64::new(u64::MAX));
        let followed = Followed { rows: Rows::new(), streams: 0, changes: 0, loads: 0 };
        let mut client = Client {
            me: me.clone(),
            fleet: Arc::clone(fleet),
            asker: Arc::clone(asker),
            dice: Dice::new(seed, 400),
            at: None,
            followed,
        };
        let (ended, end) = (Arc::clone(&over), Arc::clone(&upto));
        let at_work = tokio::spawn(async move {
            let mut since = None;
            loop {
                let upto = || end.load(Ordering::Acquire);
                let _ = client.stream(upto).await;
                if ended.load(Ordering::Acquire) {
                    if client.at.is_some_and(|at| at >= upto()) {
                        return client.followed;
                    }
                    let since = *since.get_or_insert_with(Instant::now);
                    assert!(since.elapsed() < PATIENCE, "a follower is told of everything in the end");
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        Self { at_work, over, upto }
    }

    /// Follows up to a position, and no further.
    pub async fn finish(self, upto: u64) -> Followed {
        self.upto.store(upto, Ordering::Release);
        self.over.store(true, Ordering::Release);
        self.at_work.await.expect("no follower panics")
    }
}

//! What is left of a destroyed key in the files of a database, by a search of their bytes.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    time::Duration,
};

use parlance_domain::{AccountId, KeyId};
use parlance_private_postgres::{Options, Server};
use parlance_store::{Batch, EventLog as _, KeyOp, Keys as _, Outcome, StoreError, StoredKey};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::support::log::{Random, seed};

/// Bytes of a wrapped key, and how many of them in a row count as a trace of it.
const WRAPPED: usize = 73;
const TRACE: usize = 8;
/// A deletion is answered after a second at most; on a busy machine that takes longer, but never the ten seconds for
/// which things are asked again.
const ANSWERED_MAX: Duration = Duration::from_secs(5);
/// The pauses between two rounds are a minute at most.
const ERASED_MAX: Duration = Duration::from_secs(120);

struct Store {
    store: PostgresStore,
    client: Client,
    url: String,
    account: AccountId,
    server: Server,
    random: Random,
}

impl Store {
    async fn new() -> Option<Self> {
        Server::shared()?;
        let server = Server::start(&Options::default()).expect("a server starts");
        // Not one that goes when this does: the server itself goes.
        let database = server.empty_database().await;
        PostgresStore::migrate(&database.url).await.expect("an empty database is migrated");
        let options = PostgresOptions { trying_max: Duration::from_secs(2), ..PostgresOptions::default() };
        let store = PostgresStore::connect(&database.url, options).await.expect("it is connected to");
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
        tokio::spawn(connection);
        let url = database.url.clone();
        std::mem::forget(database);
        let mut random = Random(seed());
        let account = AccountId::new(random.id());
        Some(Self { store, client, url, account, server, random })
    }

    fn wrapped(&mut self) -> Vec<u8> {
        let bytes = std::iter::repeat_with(|| self.random.next().to_be_bytes()).flatten();
        bytes.take(WRAPPED).collect()
    }

    async fn ask(&self, keys: Vec<KeyOp>) {
        let batch = Batch { keys, ..Batch::new(self.account) };
        assert!(matches!(self.store.append(batch).await, Ok(Outcome::Appended(_))));
    }

    /// Makes so many keys, a few at a time.
    async fn make(&mut self, count: usize) -> Vec<(KeyId, Vec<u8>)> {
        let keys: Vec<_> = (0..count).map(|_| (KeyId::new(self.random.id()), self.wrapped())).collect();
        for some in keys.chunks(7) {
            let create =
                |(key, wrapped): &(KeyId, Vec<u8>)| KeyOp::Create { key: *key, wrapped: wrapped.clone() };
            self.ask(some.iter().map(create).collect()).await;
        }
        keys
    }

    async fn destroy(&self, keys: &[(KeyId, Vec<u8>)]) {
        for some in keys.chunks(3) {
            self.ask(some.iter().map(|(key, _)| KeyOp::Destroy { key: *key }).collect()).await;
        }
    }

    async fn confirm(&self) -> Result<(), StoreError> {
        let pending = self.store.pending_erasures(usize::MAX).await.expect("they can be listed");
        self.store.confirm_erasures(pending).await
    }

    /// The bytes are gone when the deletion is answered, or as soon as nothing of PostgreSQL's own is in the way.
    async fn erased(&self) {
        timeout(ERASED_MAX, self.store.erased()).await.expect("nothing stays in the way");
    }

    async fn waiting(&self) -> i64 {
        let count = "SELECT count(*) FROM erasures_pending";
        self.client.query_one(count, &[]).await.expect("they can be counted").get(0)
    }

    /// How many of the keys have left a trace in the files, once all is written to them.
    async fn traces(&self, keys: &[(KeyId, Vec<u8>)]) -> usize {
        self.client.batch_execute("CHECKPOINT").await.expect("everything is written");
        let mut files = Vec::new();
        read_all(&self.server.folder().join("data"), &mut files);
        let mut traces = HashMap::new();
        for (place, (_, wrapped)) in keys.iter().enumerate() {
            traces.extend(wrapped.windows(TRACE).map(|trace| (number(trace), place)));
        }
        let begins: HashSet<u64> = traces.keys().map(|trace| trace >> 48).collect();
        let begins: Vec<bool> = (0..1 << 16).map(|begin| begins.contains(&begin)).collect();
        let mut found = HashSet::new();
        for file in &files {
            let mut last = 0;
            for byte in file {
                last = (last << 8) | u64::from(*byte);
                let begin = usize::try_from(last >> 48).expect("two bytes");
                if begins[begin]
                    && let Some(place) = traces.get(&last)
                {
                    found.insert(*place);
                }
            }
        }
        found.len()
    }
}

fn number(trace: &[u8]) -> u64 {
    u64::from_be_bytes(trace.try_into().expect("eight bytes"))
}

/// All of a cluster's files but its own log, which goes with its recycling.
fn read_all(folder: &Path, files: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder of the cluster") {
        let path = entry.expect("an entry").path();
        let is_log = path.ends_with("pg_wal");
        // Databases of the cluster's own hold nothing of ours.
        let is_ours = !path.ends_with("base/1") && !path.ends_with("base/4") && !path.ends_with("base/5");
        if path.is_dir() && !is_log && is_ours {
            read_all(&path, files);
        } else if path.is_file() {
            files.push(fs::read(&path).unwrap_or_default());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_destroyed_key_is_left_in_the_files() {
    let Some(mut store) = Store::new().await else { return };
    let mut living = store.make(150).await;
    let before = store.make(40).await;
    living.extend(store.make(30).await);
    // Statistics keep samples of what is in the columns.
    store.client.batch_execute("ANALYZE").await.expect("statistics are made");
    assert_eq!(store.traces(&before).await, before.len(), "the search finds what is there");
    store.destroy(&before).await;
    assert!(store.traces(&before).await > 0, "destroyed alone is not gone");
    store.confirm().await.expect("nothing is in the way");
    store.erased().await;
    assert_eq!(store.traces(&before).await, 0, "a byte search finds nothing");
    assert_eq!(store.store.pending_erasures(9).await, Ok(vec![]));

    // Some of each page, one by one, with keys made in between.
    for round in 0..6 {
        let one: Vec<_> = living.iter().skip(round).step_by(29).cloned().collect();
        living.retain(|key| !one.contains(key));
        store.destroy(&one).await;
        living.extend(store.make(5).await);
        store.confirm().await.expect("nothing is in the way");
        store.erased().await;
        assert_eq!(store.traces(&one).await, 0, "round {round}");
    }
    for (key, wrapped) in &living {
        let stored = store.store.data_key(store.account, *key).await;
        assert_eq!(stored, Ok(StoredKey::Wrapped(wrapped.clone())), "the others are as they were");
    }
    for (key, _) in &before {
        assert_eq!(store.store.data_key(store.account, *key).await, Ok(StoredKey::Destroyed));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_waits_for_no_long_transaction_and_the_bytes_go_when_it_ends() {
    let Some(mut store) = Store::new().await else { return };
    let keys = store.make(20).await;
    let look = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM data_keys";
    store.client.batch_execute(look).await.expect("a snapshot is taken");
    store.destroy(&keys[3..5]).await;
    timeout(ANSWERED_MAX, store.confirm()).await.expect("it is answered in time").expect("it is listed");
    assert_eq!(store.store.pending_erasures(9).await, Ok(vec![]), "nothing is left to list");
    for (key, _) in &keys[3..5] {
        assert_eq!(store.store.data_key(store.account, *key).await, Ok(StoredKey::Destroyed));
    }
    // Nobody else's deletion waits for it either.
    store.destroy(&keys[9..10]).await;
    timeout(ANSWERED_MAX, store.confirm()).await.expect("it is answered in time").expect("it is listed");
    store.client.batch_execute("COMMIT").await.expect("it ends");
    store.erased().await;
    assert_eq!(store.traces(&keys[3..5]).await + store.traces(&keys[9..10]).await, 0);
    assert_eq!(store.waiting().await, 0);
    assert_eq!(store.traces(&keys[..3]).await, 3, "the others are there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_left_in_the_files_the_next_one_takes_out() {
    let Some(mut store) = Store::new().await else { return };
    let keys = store.make(20).await;
    let look = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM data_keys";
    store.client.batch_execute(look).await.expect("a snapshot is taken");
    store.destroy(&keys[3..5]).await;
    store.confirm().await.expect("it is listed");
    let next = PostgresStore::connect(&store.url, PostgresOptions::default()).await;
    // The one before goes, and its task with it.
    store.store = next.expect("it is connected to");
    assert_eq!(store.traces(&keys[3..5]).await, 2, "the transaction keeps them");
    store.client.batch_execute("COMMIT").await.expect("it ends");
    store.erased().await;
    assert_eq!((store.waiting().await, store.traces(&keys[3..5]).await), (0, 0));
}

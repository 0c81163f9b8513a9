//! Connections that end under load, and a server that does: nothing acknowledged is missing, nothing is there twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parlance_domain::AccountId;
use parlance_private_postgres::{Options, Server, Stop};
use parlance_store::EventLog as _;
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::NoTls;

use crate::support::{
    self,
    log::{Random, Told, check, seed, write_one},
};

const WRITERS: u64 = 6;
/// Acknowledged appends between two blows, so that each blow meets a load that has come to itself.
const BETWEEN: usize = 60;
/// A blow is waited for this long to be survived.
const SURVIVED_MAX: Duration = Duration::from_secs(60);

/// Writers of two accounts, and how much was acknowledged so far.
struct Load {
    accounts: [AccountId; 2],
    writers: Vec<JoinHandle<Vec<(AccountId, Told)>>>,
    told: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    fn start(store: &PostgresStore, seed: u64) -> Self {
        let mut random = Random(seed);
        let accounts = [AccountId::new(random.id()), AccountId::new(random.id())];
        let (told, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let writers = (0..WRITERS).map(|number| {
            let (store, told, is_over) = (store.clone(), Arc::clone(&told), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut random = Random(seed ^ (number + 1));
                let mut mine = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let account = accounts[usize::from(random.below(2) == 0)];
                    if let Some(one) = write_one(&store, account, &mut random).await {
                        told.fetch_add(1, Ordering::Relaxed);
                        mine.push((account, one));
                    }
                }
                mine
            })
        });
        Self { accounts, writers: writers.collect(), told, is_over }
    }

    /// Waits until so many more are acknowledged.
    async fn goes_on(&self, store: &PostgresStore) {
        let from = self.told.load(Ordering::Relaxed);
        let mut appended = store.appended();
        let more = async {
            while self.told.load(Ordering::Relaxed) < from + BETWEEN {
                appended.changed().await.expect("the store is there");
            }
        };
        timeout(SURVIVED_MAX, more).await.expect("appends go on");
    }

    async fn end(self, store: &PostgresStore) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        for writer in self.writers {
            told.extend(writer.await.expect("no writer panics"));
        }
        for account in self.accounts {
            let mine: Vec<_> = told.iter().filter(|(of, _)| *of == account).map(|(_, told)| *told).collect();
            assert!(check(store, account, &mine).await > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_that_are_ended_lose_and_double_nothing() {
    let Some(database) = support::database().await else { return };
    let store = support::store(&database).await;
    let (killer, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let load = Load::start(&store, seed());
    for _ in 0..8 {
        load.goes_on(&store).await;
        // Those that are appending just now.
        let kill = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid() \
                      AND query LIKE '%append_batch%' LIMIT 5) ended";
        killer.query_one(kill, &[]).await.expect("it answers");
    }
    load.goes_on(&store).await;
    load.end(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_crashes_and_comes_back_loses_and_doubles_nothing() {
    if Server::shared().is_none() {
        return;
    }
    let server = Server::start(&Options { durable: true, ..Options::default() }).expect("a server starts");
    let server = Arc::new(server);
    let database = server.empty_database().await;
    PostgresStore::migrate(&database.url).await.expect("an empty database is migrated");
    let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await;
    let store = store.expect("a migrated database is connected to");
    let load = Load::start(&store, seed());
    for how in [Stop::Immediate, Stop::Fast, Stop::Immediate] {
        load.goes_on(&store).await;
        let server = Arc::clone(&server);
        let restart = tokio::task::spawn_blocking(move || server.restart(how));
        restart.await.expect("a restart does not panic").expect("the server comes back");
    }
    load.goes_on(&store).await;
    load.end(&store).await;
}

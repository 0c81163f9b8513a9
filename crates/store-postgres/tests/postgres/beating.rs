//! Beats: not behind anybody's requests, never for long, and not fooled by a clock that was set back.

use std::time::Duration;

use parlance_domain::{AccountId, CommandId};
use parlance_private_postgres::Database;
use parlance_store::{BUCKETS, EventLog as _, Leases as _, Outcome, ServerId, StoreError};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::support::{
    self,
    log::{Random, batch, seed, streams},
};

const TTL: Duration = Duration::from_secs(60);
/// A beat is given up after one second; on a busy machine that takes a little longer.
const SHORT: Duration = Duration::from_secs(4);

async fn beside(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beat_waits_for_no_request() {
    let Some(database) = support::database().await else { return };
    let options = PostgresOptions { connections: 1, ..PostgresOptions::default() };
    let store = PostgresStore::connect(&database.url, options).await.expect("it is connected to");
    let mut random = Random(seed());
    let (me, account) = (ServerId(random.id()), AccountId::new(random.id()));
    let cause = CommandId::new(random.id());
    let next = |version| batch(account, streams(account)[0], version, 1, cause);
    assert!(matches!(store.append(next(0)).await, Ok(Outcome::Appended(_))));
    let mut holder = beside(&database).await;
    let holding = holder.transaction().await.expect("a transaction begins");
    holding.batch_execute("SELECT * FROM log_heads FOR UPDATE").await.expect("the head can be held");
    let append = tokio::spawn({
        let (store, batch) = (store.clone(), next(1));
        async move { store.append(batch).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock' AND query LIKE '%append_batch%'";
    let until = async {
        while holding.query_one(waiting, &[]).await.expect("it answers").get::<_, i64>(0) < 1 {
            // The view keeps what it showed for as long as the transaction lasts.
            holding.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("it answers");
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), until).await.expect("the append waits");
    let beat = timeout(SHORT, store.beat(me, TTL)).await.expect("it is answered at once");
    assert_eq!(beat.map(|beat| beat.held.len()), Ok(usize::from(BUCKETS)));
    timeout(SHORT, store.leave(me)).await.expect("it is answered at once").expect("a server can leave");
    holding.commit().await.expect("the head is let go");
    assert!(matches!(append.await.expect("no panic"), Ok(Outcome::Appended(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beat_is_given_up_soon_and_the_next_one_tells() {
    let Some(database) = support::database().await else { return };
    let store = support::store(&database).await;
    let me = ServerId(Random(seed()).id());
    let first = store.beat(me, TTL).await.expect("a beat is answered");
    let mut holder = beside(&database).await;
    let holding = holder.transaction().await.expect("a transaction begins");
    holding.batch_execute("SELECT * FROM beats FOR UPDATE").await.expect("the turn can be held");
    let given_up = timeout(SHORT, store.beat(me, TTL)).await.expect("it is not waited for");
    assert!(matches!(given_up, Err(StoreError::Unavailable(_))), "{given_up:?}");
    holding.commit().await.expect("the turn is let go");
    assert_eq!(store.beat(me, TTL).await.as_ref(), Ok(&first));
    // A connection that is lost is made again, within the same beat.
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = current_database() AND query LIKE '%beat(%' AND pid <> pg_backend_pid()";
    let killed: i64 = holder.query_one(kill, &[]).await.expect("it answers").get(0);
    assert!(killed >= 1, "the line was open");
    assert_eq!(store.beat(me, TTL).await, Ok(first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_before_the_clock_was_set_back_has_ended() {
    let Some(database) = support::database().await else { return };
    let store = support::store(&database).await;
    let client = beside(&database).await;
    let mut random = Random(seed());
    let (dead, heir) = (ServerId(random.id()), ServerId(random.id()));
    let before = store.beat(dead, TTL).await.expect("a beat is answered").held;
    assert_eq!(store.beat(heir, TTL).await.map(|beat| (beat.servers, beat.held.len())), Ok((2, 0)));
    // As if it had been an hour later than it is.
    let ahead = "UPDATE servers SET expires_at = expires_at + 3600000000; \
                 UPDATE leases SET expires_at = expires_at + 3600000000";
    client.batch_execute(ahead).await.expect("the rows are there");
    let beat = store.beat(heir, TTL).await.expect("a beat is answered");
    assert_eq!((beat.servers, beat.held.len()), (1, before.len()));
    assert!(beat.held.iter().zip(&before).all(|(after, before)| after.fence > before.fence));
    // One's own is renewed, and not lost.
    client.batch_execute(ahead).await.expect("the rows are there");
    assert_eq!(store.beat(heir, TTL).await, Ok(beat));
}

//! Appends whose answer is lost: recorded once, and told as if nothing had been.

use std::time::Duration;

use crate::support::{
    self,
    log::{Random, all, batch, check, seed, streams},
    proxy::{Cut, Proxy},
};
use parlance_domain::{AccountId, CommandId, KeyId, Position, StreamRef, Timestamp};
use parlance_private_postgres::Database;
use parlance_store::{
    AccountKeys, Appended, Batch, EventLog as _, KeyOp, Keys as _, Outcome, StoreError, StoredKey,
};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio_postgres::NoTls;

/// A server that listens on a port, a database of it, and a store that reaches it through a proxy.
struct Between {
    proxy: Proxy,
    store: PostgresStore,
    account: AccountId,
    stream: StreamRef,
    random: Random,
    database: Database,
}

impl Between {
    async fn new() -> Option<Self> {
        Self::with(2, PostgresOptions::default().statement_timeout).await
    }

    async fn with(connections: usize, statement_timeout: Duration) -> Option<Self> {
        let server = support::listening()?;
        let database = server.empty_database().await;
        PostgresStore::migrate(&database.url).await.expect("an empty database is migrated");
        let proxy = Proxy::before(server.port()).await;
        let url = server.tcp_url(&database.name).expect("it has a port");
        let url = url.replace(&server.port().to_string(), &proxy.port.to_string());
        let options = PostgresOptions { connections, statement_timeout, trying_max: Duration::from_secs(3) };
        let store = PostgresStore::connect(&url, options).await.expect("it is connected to");
        // What it asks by itself at first is not what is cut.
        store.erased().await;
        let mut random = Random(seed());
        let account = AccountId::new(random.id());
        let stream = streams(account)[0];
        Some(Self { proxy, store, account, stream, random, database })
    }

    fn next(&mut self, version: u64, count: u64) -> Batch {
        batch(self.account, self.stream, version, count, CommandId::new(self.random.id()))
    }

    /// Appends with everything prepared, so that the next thing that is asked is an append.
    async fn begin(&mut self) {
        let first = self.next(0, 2);
        assert!(matches!(self.store.append(first).await, Ok(Outcome::Appended(_))));
    }
}

fn appended(first: u64, last: u64) -> Result<Outcome, StoreError> {
    let time = Timestamp::from_micros(1_700_000_000_000_000);
    let (first, last) = (Position::new(first), Position::new(last));
    Ok(Outcome::Appended(Appended { first, last, not_before: time, recorded_at: time }))
}

#[tokio::test]
async fn an_append_is_recorded_once_wherever_it_is_cut() {
    let Some(mut between) = Between::new().await else { return };
    between.begin().await;
    let mut version = 2;
    for cut in [Cut::Before, Cut::After, Cut::Aside, Cut::Told, Cut::Ended, Cut::After] {
        for count in [1, 3] {
            let batch = between.next(version, count);
            between.proxy.cut_next(cut);
            let outcome = between.store.append(batch).await;
            assert_eq!(between.proxy.made.recv().await, Some(cut), "the append was cut");
            assert_eq!(outcome, appended(version + 1, version + count), "{cut:?}");
            version += count;
            // The pool is whole again.
            let next = between.next(version, 1);
            assert_eq!(between.store.append(next).await, appended(version + 1, version + 1));
            version += 1;
        }
    }
    assert_eq!(check(&between.store, between.account, &[]).await as u64, version);
}

#[tokio::test]
async fn a_connection_that_is_stuck_is_nobody_s_any_more() {
    let Some(mut between) = Between::with(1, Duration::from_millis(100)).await else { return };
    between.begin().await;
    let batch = between.next(2, 1);
    between.proxy.cut_next(Cut::Mute);
    let outcome = between.store.append(batch).await;
    assert_eq!(between.proxy.made.recv().await, Some(Cut::Mute));
    assert_eq!(outcome, appended(3, 3), "the one connection of the pool is a new one");
}

#[tokio::test]
async fn a_try_that_comes_late_is_no_second_one() {
    let Some(mut between) = Between::new().await else { return };
    between.begin().await;
    let (holder, connection) =
        tokio_postgres::connect(&between.database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    for round in 0..4 {
        let version = 2 + round;
        let hold = "BEGIN; SELECT * FROM log_heads FOR UPDATE";
        holder.batch_execute(hold).await.expect("the head can be held");
        let batch = between.next(version, 1);
        between.proxy.cut_next(Cut::Aside);
        let store = between.store.clone();
        let append = tokio::spawn(async move { store.append(batch).await });
        // Both tries wait for the head.
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%append_batch%'";
        let both = async {
            while holder.query_one(waiting, &[]).await.expect("it answers").get::<_, i64>(0) < 2 {
                // The view keeps what it showed for as long as the transaction lasts.
                holder.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("it answers");
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), both).await.expect("both tries wait");
        holder.batch_execute("COMMIT").await.expect("the head is let go");
        let outcome = append.await.expect("an append does not panic");
        assert_eq!(outcome, appended(version + 1, version + 1));
    }
    assert_eq!(check(&between.store, between.account, &[]).await, 6);
}

#[tokio::test]
async fn keys_without_events_are_made_once() {
    let Some(mut between) = Between::new().await else { return };
    let Between { account, .. } = between;
    let nothing = Batch::new(account);
    assert!(matches!(between.store.append(nothing).await, Ok(Outcome::Appended(_))));
    for cut in [Cut::Before, Cut::After] {
        let account = AccountId::new(between.random.id());
        let (one, two) = (KeyId::new(between.random.id()), KeyId::new(between.random.id()));
        let keys = AccountKeys { account_key: vec![1; 40], id_key: vec![2; 40] };
        let mut batch = Batch::new(account);
        batch.keys = vec![
            KeyOp::CreateAccount(keys.clone()),
            KeyOp::Create { key: one, wrapped: vec![3; 73] },
            KeyOp::Create { key: two, wrapped: vec![4; 73] },
            KeyOp::Destroy { key: two },
        ];
        between.proxy.cut_next(cut);
        let outcome = between.store.append(batch.clone()).await;
        assert_eq!(between.proxy.made.recv().await, Some(cut));
        let first = Position::new(1);
        assert!(matches!(outcome, Ok(Outcome::Appended(appended)) if appended.first == first), "{outcome:?}");
        assert_eq!(between.store.account_keys(account).await, Ok(Some(keys)));
        let stored = between.store.data_keys(account, vec![one, two]).await;
        assert_eq!(stored, Ok(vec![StoredKey::Wrapped(vec![3; 73]), StoredKey::Destroyed]));
        let again = between.store.append(batch).await;
        assert!(matches!(again, Err(StoreError::Refused(_))), "who asks twice is told so: {again:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_found_out_is_unknown_and_what_was_never_sent_is_not() {
    let Some(mut between) = Between::new().await else { return };
    between.begin().await;
    let batch = between.next(2, 1);
    between.proxy.close();
    between.proxy.cut_next(Cut::After);
    let outcome = between.store.append(batch).await;
    assert!(matches!(outcome, Err(StoreError::Unknown(_))), "{outcome:?}");
    let batch = between.next(3, 1);
    let outcome = between.store.append(batch).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "nobody was asked: {outcome:?}");
    let direct = support::store(&between.database).await;
    assert_eq!(all(&direct, between.account).await.len(), 3, "the lost one was recorded");
}

#[tokio::test]
async fn a_rejection_behind_a_lost_try_is_another_s() {
    let Some(mut between) = Between::new().await else { return };
    between.begin().await;
    let others = between.next(2, 1);
    let direct = support::store(&between.database).await;
    assert_eq!(direct.append(others).await, appended(3, 3));
    let late = between.next(2, 1);
    between.proxy.cut_next(Cut::After);
    let outcome = between.store.append(late).await;
    assert_eq!(between.proxy.made.recv().await, Some(Cut::After));
    let Ok(Outcome::Rejected(rejection)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(rejection.stale, [(between.stream, 3)]);
    assert_eq!(check(&direct, between.account, &[]).await, 3);
}

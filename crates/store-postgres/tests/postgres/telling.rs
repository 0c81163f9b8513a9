//! Hints from one store to another on one database.

use std::time::Duration;

use parlance_domain::{AccountId, MemberId, Position};
use parlance_store::{Hint, Hints as _};
use tokio::{sync::broadcast, time::timeout};
use tokio_postgres::{Client, NoTls};

use crate::support::{
    self,
    log::{Random, seed},
};

const HEARD_MAX: Duration = Duration::from_secs(20);

async fn next(told: &mut broadcast::Receiver<Hint>) -> Hint {
    timeout(HEARD_MAX, told.recv()).await.expect("a hint comes").expect("nobody is behind")
}

/// The first hint behind the one that every listener begins with: what was told before is lost on it.
async fn first(told: &mut broadcast::Receiver<Hint>) -> Hint {
    match next(told).await {
        Hint::Missed => next(told).await,
        hint => hint,
    }
}

/// Waits until so many listen.
async fn listening(client: &Client, count: i64) {
    let listening = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'";
    let all = async {
        while client.query_one(listening, &[]).await.expect("it answers").get::<_, i64>(0) < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(HEARD_MAX, all).await.expect("they listen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_store_tells_the_other_and_never_itself() {
    let Some(database) = support::database().await else { return };
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let (one, two) = (support::store(&database).await, support::store(&database).await);
    assert!(one.is_shared());
    listening(&client, 2).await;
    let (mut to_one, mut to_two) = (one.told(), two.told());
    let mut random = Random(seed());
    let account = AccountId::new(random.id());
    let hints = [
        Hint::Appended { account, position: Position::new(7) },
        Hint::Shown { account, position: Position::new(6) },
        Hint::Ended { account, member: MemberId::new(random.id()) },
    ];
    for (place, hint) in hints.into_iter().enumerate() {
        one.tell(hint);
        let heard = if place == 0 { first(&mut to_two).await } else { next(&mut to_two).await };
        assert_eq!(heard, hint);
    }
    // What the other one answers is the first that is heard here: the own ones are not.
    let answer = Hint::Appended { account, position: Position::new(8) };
    two.tell(answer);
    assert_eq!(first(&mut to_one).await, answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_hints_the_newest_comes_and_few_are_sent() {
    let Some(database) = support::database().await else { return };
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let (one, two) = (support::store(&database).await, support::store(&database).await);
    listening(&client, 2).await;
    let mut told = two.told();
    let account = AccountId::new(Random(seed()).id());
    let last = 20_000;
    for number in 1..=last {
        one.tell(Hint::Appended { account, position: Position::new(number) });
    }
    let mut heard = 0;
    let mut before = 0;
    loop {
        let hint = if heard == 0 { first(&mut told).await } else { next(&mut told).await };
        let Hint::Appended { position, .. } = hint else { panic!("nothing was lost") };
        assert!(position.number() > before, "only newer ones come");
        (before, heard) = (position.number(), heard + 1);
        if before == last {
            break;
        }
    }
    assert!(heard < last / 10, "they are gathered: {heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_cut_off_is_told_that_hints_were_missed() {
    let Some(database) = support::database().await else { return };
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let (one, two) = (support::store(&database).await, support::store(&database).await);
    listening(&client, 2).await;
    let mut told = two.told();
    let account = AccountId::new(Random(seed()).id());
    for round in 1..=3 {
        // All connections for hints, the tellers' too.
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.query_one(kill, &[]).await.expect("it answers");
        while next(&mut told).await != Hint::Missed {}
        listening(&client, 2).await;
        // The first telling may meet the lost connection; then it is told that something was missed.
        let hint = Hint::Shown { account, position: Position::new(round) };
        loop {
            one.tell(hint);
            if next(&mut told).await == hint {
                break;
            }
        }
    }
}

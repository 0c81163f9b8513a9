//! Many at once: no gap, no double, nothing seen out of order, nothing lost by who gives up.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use parlance_domain::{Position, StreamRef};

use super::given::{Log, Write as _, conversation, event, places, token, with_token};
use crate::{Outcome, Store};

/// Appends one event to `stream` and, told to be late, tries again from where the stream is.
async fn append_optimistically<S: Store + Clone>(
    log: &Log<S>,
    stream: StreamRef,
    mut version: u64,
) -> (u64, u64) {
    loop {
        match log.store.append(log.batch().write(stream, version, 1)).await {
            Ok(Outcome::Appended(appended)) => return (appended.first.number(), version + 1),
            Ok(Outcome::Rejected(rejection)) => {
                assert_eq!(rejection.known, []);
                let [(told, now)] = rejection.stale[..] else { panic!("one stream is stale: {rejection:?}") };
                assert_eq!(told, stream);
                assert!(now > version, "a stream only grows: {now} after {version}");
                version = now;
            }
            Err(error) => panic!("an append failed: {error}"),
        }
    }
}

pub async fn one_stream_written_by_many_has_no_gap_and_no_double(store: impl Store + Clone) {
    const TASKS: u64 = 32;
    const EACH: u64 = 8;
    let log = Log::new(&store);
    let stream = conversation();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut won = Vec::new();
                let mut version = 0;
                for _ in 0..EACH {
                    let (position, now) = append_optimistically(&log, stream, version).await;
                    assert_eq!(position, now, "the account has this one stream");
                    version = now;
                    won.push(position);
                }
                won
            })
        })
        .collect();
    let mut won = BTreeSet::new();
    for task in tasks {
        for position in task.await.expect("no task panics") {
            assert!(won.insert(position), "position {position} was given twice");
        }
    }
    assert_eq!(won.into_iter().collect::<Vec<_>>(), (1..=TASKS * EACH).collect::<Vec<_>>());
    let expected: Vec<_> = (1..=TASKS * EACH).map(|version| (stream, version)).collect();
    assert_eq!(places(&log.all().await), expected);
}

pub async fn one_token_told_by_many_is_recorded_once(store: impl Store + Clone) {
    const TASKS: usize = 64;
    let log = Log::new(&store);
    let token = token();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let log = log.clone();
            let stream = conversation();
            let batch = log.batch().write(stream, 0, 2).event(with_token(event(stream, 3), token));
            tokio::spawn(async move { log.store.append(batch).await })
        })
        .collect();
    let (mut recorded, mut told) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.expect("no task panics").expect("an append is answered") {
            Outcome::Appended(appended) => recorded.push(appended.last),
            Outcome::Rejected(rejection) => {
                assert_eq!(rejection.stale, []);
                told.extend(rejection.known);
            }
        }
    }
    assert_eq!(recorded, [Position::new(3)]);
    assert_eq!(told, vec![(token, Position::new(3)); TASKS - 1]);
    log.holds(3).await;
}

pub async fn a_reader_never_sees_a_position_before_the_one_before_it(store: impl Store + Clone) {
    const TASKS: u64 = 12;
    const EACH: u64 = 25;
    let log = Log::new(&store);
    let writers: Vec<_> = (0..TASKS)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let stream = conversation();
                for version in 0..EACH {
                    log.append(log.batch().write(stream, version * 3, 3)).await;
                }
            })
        })
        .collect();
    let total = TASKS * EACH * 3;
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let (mut seen, mut polls) = (0, 0);
                while seen < total {
                    let head = log.head().await;
                    let page = log.read(seen, 100).await;
                    for event in &page {
                        seen += 1;
                        assert_eq!(event.position.number(), seen, "a gap was seen");
                    }
                    assert!(page.len() == 100 || seen >= head.position.number(), "a head before its events");
                    assert_eq!(
                        seen % 3,
                        if page.len() == 100 { seen % 3 } else { 0 },
                        "half a batch was seen"
                    );
                    polls += 1;
                    assert!(polls < 1_000_000, "the log stopped growing");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in writers.into_iter().chain(readers) {
        task.await.expect("no task panics");
    }
    log.holds(total).await;
}

/// Begins `work` and gives it up.
fn give_up(work: impl Future) {
    let _begun = pin!(work).poll(&mut Context::from_waker(Waker::noop()));
}

pub async fn who_gives_up_takes_nothing_from_the_others(store: impl Store + Clone) {
    const ROUNDS: u64 = 300;
    let log = Log::new(&store);
    let stream = conversation();
    log.append(log.batch().write(stream, 0, 500)).await;
    for round in 0..ROUNDS {
        give_up(store.read(log.account, Position::START, 500));
        give_up(store.head(log.account));
        give_up(store.append(log.batch().guard(stream, 0)));
        if round % 10 == 0 {
            assert_eq!(log.read(0, 5).await.len(), 5);
        }
    }
    log.append(log.batch().write(stream, 500, 1)).await;
    log.holds(501).await;
}

//! What no store ever takes, and that nobody else suffers from it.

use parlance_domain::StreamRef;

use super::given::{Log, Write as _, conversation, event, token, with_token};
use crate::{Batch, EVENT_BYTES_MAX, EVENTS_PER_BATCH_MAX, NewEvent, Outcome, RefusedBecause, Store};

async fn refused_as_malformed<S: Store + Clone>(log: &Log<S>, batch: Batch) {
    let because = log.refused(batch).await;
    assert!(matches!(because, RefusedBecause::Malformed(_)), "{because:?}");
}

pub async fn an_event_without_expectation_is_malformed(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (expected, other) = (conversation(), conversation());
    refused_as_malformed(&log, log.batch().event(event(other, 1))).await;
    refused_as_malformed(&log, log.batch().write(expected, 0, 2).event(event(other, 1))).await;
    log.holds(0).await;
}

pub async fn a_version_that_does_not_follow_is_malformed(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    log.append(log.batch().write(stream, 0, 2)).await;
    for wrong in [0, 1, 2, 4, u64::MAX] {
        refused_as_malformed(&log, log.batch().guard(stream, 2).event(event(stream, wrong))).await;
    }
    let twice = log.batch().guard(stream, 2).event(event(stream, 3)).event(event(stream, 3));
    refused_as_malformed(&log, twice).await;
    let skipped = log.batch().guard(stream, 2).event(event(stream, 3)).event(event(stream, 5));
    refused_as_malformed(&log, skipped).await;
    log.holds(2).await;
    log.append(log.batch().write(stream, 2, 1)).await;
}

fn sized(payload: usize, sealed: usize, stream: StreamRef, version: u64) -> NewEvent {
    NewEvent { payload: vec![b' '; payload], sealed: Some(vec![7; sealed]), ..event(stream, version) }
}

pub async fn too_large_an_event_is_refused_and_the_largest_is_not(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    let large = sized(1, EVENT_BYTES_MAX, stream, 2);
    let batch = log.batch().write(stream, 0, 1).event(large);
    assert_eq!(log.refused(batch).await, RefusedBecause::TooLarge { limit: EVENT_BYTES_MAX });
    log.holds(0).await;
    let largest = sized(1, EVENT_BYTES_MAX - 1, stream, 1);
    log.append(log.batch().guard(stream, 0).event(largest.clone())).await;
    let other = sized(EVENT_BYTES_MAX, 0, stream, 2);
    log.append(log.batch().guard(stream, 1).event(other.clone())).await;
    let read = log.all().await;
    assert!(read[0].sealed == largest.sealed && read[1].payload == other.payload, "all bytes came back");
}

pub async fn too_many_events_are_refused(store: impl Store + Clone) {
    let log = Log::new(&store);
    let most = u64::try_from(EVENTS_PER_BATCH_MAX).expect("a small number");
    let because = log.refused(log.batch().write(conversation(), 0, most + 1)).await;
    assert_eq!(because, RefusedBecause::TooMany { limit: EVENTS_PER_BATCH_MAX });
    log.holds(0).await;
}

/// How many batches of each kind are under way at once.
const NEIGHBOURS: u64 = 24;

pub async fn neighbours_of_a_refused_batch_are_recorded(store: impl Store + Clone) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for number in 0..NEIGHBOURS {
        let log = Log::new(&store);
        let (stream, twice) = (conversation(), token());
        log.append(log.batch().write(stream, 0, 1)).await;
        let spoilt = log.batch().write(conversation(), 0, 3).guard(stream, 1);
        let batch = match number % 5 {
            0 => spoilt.event(event(stream, 9)),
            1 => spoilt.event(sized(1, EVENT_BYTES_MAX, stream, 2)),
            2 => spoilt.event(with_token(event(stream, 2), twice)).event(with_token(event(stream, 3), twice)),
            3 => spoilt.event(event(conversation(), 1)),
            _ => spoilt.guard(conversation(), 4),
        };
        let neighbour = Log::new(&store);
        let fine = neighbour.batch().write(conversation(), 0, 4);
        let (a, b) = (store.clone(), store.clone());
        bad.push((log, tokio::spawn(async move { a.append(batch).await })));
        good.push((neighbour, tokio::spawn(async move { b.append(fine).await })));
    }
    for (log, task) in good {
        let outcome = task.await.expect("an append does not panic");
        assert!(matches!(outcome, Ok(Outcome::Appended(_))), "a neighbour is recorded: {outcome:?}");
        log.holds(4).await;
    }
    for (log, task) in bad {
        let outcome = task.await.expect("an append does not panic");
        assert!(!matches!(outcome, Ok(Outcome::Appended(_))), "{outcome:?}");
        log.holds(1).await;
    }
}

//! Cold loads: the snapshot of the right shape and what came after it.

use parlance_domain::StreamRef;

use super::given::{Log, Write as _, at, conversation, event, places};
use crate::{Loaded, NewEvent, Snapshot, Store};

async fn load<S: Store + Clone>(log: &Log<S>, stream: StreamRef, shape: u32) -> Loaded {
    log.store.load(log.account, stream, shape).await.expect("a stream can be loaded")
}

pub async fn a_load_begins_at_the_snapshot(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    log.append(log.batch().write(stream, 0, 3).snapshot(stream, 3, 7, b"three")).await;
    let loaded = load(&log, stream, 7).await;
    let snapshot = Snapshot { stream, version: 3, shape: 7, state: b"three".to_vec() };
    assert_eq!(loaded, Loaded { snapshot: Some(snapshot.clone()), events: vec![], complete: true });
    log.append(log.batch().write(stream, 3, 2)).await;
    let loaded = load(&log, stream, 7).await;
    assert_eq!(loaded.snapshot, Some(snapshot));
    assert_eq!(places(&loaded.events), [(stream, 4), (stream, 5)]);
    assert!(loaded.complete);
}

pub async fn a_snapshot_of_another_shape_is_ignored(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    log.append(log.batch().write(stream, 0, 2).snapshot(stream, 2, u32::MAX, b"odd")).await;
    for shape in [0, 1, u32::MAX - 1] {
        let loaded = load(&log, stream, shape).await;
        assert_eq!(loaded.snapshot, None);
        assert_eq!(places(&loaded.events), [(stream, 1), (stream, 2)]);
    }
    assert!(load(&log, stream, u32::MAX).await.snapshot.is_some());
}

pub async fn a_newer_snapshot_takes_the_older_one_s_place(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, other) = (conversation(), conversation());
    log.append(log.batch().write(stream, 0, 1).snapshot(stream, 1, 1, b"one")).await;
    let batch = log.batch().write(stream, 1, 1).write(other, 0, 1);
    log.append(batch.snapshot(stream, 2, 2, b"").snapshot(other, 1, 2, b"other")).await;
    assert_eq!(load(&log, stream, 1).await.snapshot, None);
    let newer = Snapshot { stream, version: 2, shape: 2, state: vec![] };
    assert_eq!(load(&log, stream, 2).await.snapshot, Some(newer));
    let beside = Snapshot { stream: other, version: 1, shape: 2, state: b"other".to_vec() };
    assert_eq!(load(&log, other, 2).await.snapshot, Some(beside));
}

pub async fn a_rejected_batch_leaves_the_snapshot_as_it_was(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    log.append(log.batch().write(stream, 0, 1).snapshot(stream, 1, 1, b"one")).await;
    log.rejected(log.batch().write(stream, 0, 1).snapshot(stream, 1, 1, b"wrong")).await;
    let state = load(&log, stream, 1).await.snapshot.map(|snapshot| snapshot.state);
    assert_eq!(state, Some(b"one".to_vec()));
}

pub async fn a_snapshot_that_was_made_with_other_times_is_not_kept(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, other) = (conversation(), conversation());
    let timed = |version, micros| NewEvent { recorded_at: at(micros), ..event(stream, version) };
    let held = async || load(&log, stream, 1).await.snapshot.map(|snapshot| snapshot.version);
    let first = log.batch().guard(stream, 0).event(timed(1, 100));
    log.append(first.snapshot(stream, 1, 1, b"one")).await;
    assert_eq!(held().await, Some(1));
    // Before the log's last.
    let behind = log.batch().guard(stream, 1).event(timed(2, 99));
    log.append(behind.snapshot(stream, 2, 1, b"two")).await;
    assert_eq!(held().await, Some(1), "the one before goes on being right");
    // Before another one of the batch.
    let crossed = log.batch().guard(stream, 2).event(timed(3, 300)).event(timed(4, 200));
    log.append(crossed.snapshot(stream, 4, 1, b"four")).await;
    assert_eq!(held().await, Some(1));
    assert_eq!(places(&load(&log, stream, 1).await.events), [(stream, 2), (stream, 3), (stream, 4)]);
    // The same time is not lifted; and nothing is where nothing is written.
    let level = log.batch().guard(stream, 4).event(timed(5, 300));
    log.append(level.snapshot(stream, 5, 1, b"five")).await;
    assert_eq!(held().await, Some(5));
    log.append(log.batch().guard(stream, 5).snapshot(stream, 5, 2, b"again")).await;
    assert!(load(&log, stream, 2).await.snapshot.is_some());
    assert_eq!(load(&log, other, 1).await.snapshot, None);
}

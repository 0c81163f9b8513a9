//! What an accepted batch writes, and that a rejected one writes nothing.

use parlance_domain::{Position, StreamRef, StreamType};

use super::given::{Log, Write as _, conversation, event, places, token, with_token};
use crate::{EVENTS_PER_BATCH_MAX, Rejection, Store};

pub async fn positions_are_gapless_from_one_in_batch_order(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (a, b) = (conversation(), conversation());
    let first = log.append(log.batch().write(a, 0, 3)).await;
    assert_eq!((first.first, first.last), (Position::new(1), Position::new(3)));
    let second = log.append(log.batch().write(b, 0, 2).write(a, 3, 1)).await;
    assert_eq!((second.first, second.last), (Position::new(4), Position::new(6)));
    log.holds(6).await;
    assert_eq!(places(&log.all().await), [(a, 1), (a, 2), (a, 3), (b, 1), (b, 2), (a, 4)]);
}

pub async fn one_batch_interleaves_streams(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (a, b) = (conversation(), conversation());
    log.append(log.batch().write(a, 0, 1)).await;
    let mut batch = log.batch().guard(b, 0).guard(a, 1);
    for round in 1..=3 {
        batch = batch.event(event(b, round)).event(event(a, 1 + round));
    }
    log.append(batch).await;
    let expected = [(a, 1), (b, 1), (a, 2), (b, 2), (a, 3), (b, 3), (a, 4)];
    assert_eq!(places(&log.all().await), expected);
    assert_eq!(places(&log.stream(b, 0, 10).await), [(b, 1), (b, 2), (b, 3)]);
}

pub async fn streams_of_one_id_and_two_types_are_two_streams(store: impl Store + Clone) {
    let log = Log::new(&store);
    let streams = StreamType::ALL.map(|kind| StreamRef::new(kind, conversation().id));
    let streams = streams.map(|stream| StreamRef::new(stream.kind, streams[0].id));
    for stream in streams {
        log.append(log.batch().write(stream, 0, 2)).await;
    }
    for stream in streams {
        assert_eq!(places(&log.stream(stream, 0, 10).await), [(stream, 1), (stream, 2)]);
    }
    log.holds(14).await;
}

pub async fn one_stale_stream_rejects_everything_and_all_stale_ones_are_told(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (moved, gone_on, missing, good) = (conversation(), conversation(), conversation(), conversation());
    log.append(log.batch().write(moved, 0, 2).write(gone_on, 0, 5)).await;
    let before = log.head().await;
    let batch = log
        .batch()
        .write(good, 0, 1)
        .write(moved, 1, 1)
        .write(gone_on, 0, 1)
        .write(missing, 3, 1)
        .guard(good, 0);
    let rejection = log.rejected(batch).await;
    assert_eq!(rejection, Rejection { stale: vec![(moved, 2), (gone_on, 5), (missing, 0)], known: vec![] });
    assert_eq!(log.head().await, before);
    log.holds(7).await;
    assert_eq!(log.stream(good, 0, 10).await, []);
    // What was rejected can be written as if nothing had been.
    log.append(log.batch().write(good, 0, 1).write(missing, 0, 1)).await;
    log.holds(9).await;
}

pub async fn a_stale_batch_tells_its_known_tokens_too(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, other) = (conversation(), conversation());
    let (known, also_known, new) = (token(), token(), token());
    let batch = log.batch().guard(stream, 0).event(event(stream, 1));
    let batch =
        batch.event(with_token(event(stream, 2), known)).event(with_token(event(stream, 3), also_known));
    log.append(batch).await;
    let batch = log.batch().guard(stream, 1).guard(other, 0).event(with_token(event(other, 1), new));
    let batch =
        batch.event(with_token(event(other, 2), also_known)).event(with_token(event(stream, 2), known));
    let rejection = log.rejected(batch).await;
    assert_eq!(rejection.stale, [(stream, 3)]);
    assert_eq!(rejection.known, [(also_known, Position::new(3)), (known, Position::new(2))]);
    for (token, position) in [(known, Some(Position::new(2))), (new, None)] {
        assert_eq!(store.position_of(log.account, token).await, Ok(position));
    }
    log.holds(3).await;
}

pub async fn a_guard_that_moved_rejects(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (guarded, absent, written) = (conversation(), conversation(), conversation());
    log.append(log.batch().write(guarded, 0, 1)).await;
    log.append(log.batch().write(written, 0, 1).guard(guarded, 1).guard(absent, 0)).await;
    log.append(log.batch().write(guarded, 1, 1).write(absent, 0, 1)).await;
    let rejection = log.rejected(log.batch().write(written, 1, 1).guard(guarded, 1)).await;
    assert_eq!(rejection.stale, [(guarded, 2)]);
    let rejection = log.rejected(log.batch().write(written, 1, 1).guard(absent, 0)).await;
    assert_eq!(rejection.stale, [(absent, 1)]);
    let rejection =
        log.rejected(log.batch().write(written, 1, 1).guard(absent, 7).guard(guarded, u64::MAX)).await;
    assert_eq!(rejection.stale, [(absent, 1), (guarded, 2)]);
    log.holds(4).await;
}

pub async fn a_batch_of_guards_alone_is_checked_and_writes_nothing(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    let appended = log.append(log.batch().guard(stream, 0)).await;
    assert_eq!((appended.first, appended.last), (Position::new(1), Position::START));
    log.holds(0).await;
    let known = store.accounts(None, usize::MAX).await.expect("accounts can be listed");
    assert!(!known.contains(&log.account), "an account without an event is none");
    log.append(log.batch().write(stream, 0, 2)).await;
    let head = log.head().await;
    let appended = log.append(log.batch().guard(stream, 2)).await;
    assert_eq!((appended.first, appended.last), (Position::new(3), Position::new(2)));
    assert_eq!(appended.recorded_at, head.recorded_at);
    assert_eq!(log.rejected(log.batch().guard(stream, 1)).await.stale, [(stream, 2)]);
    assert_eq!(log.head().await, head);
    log.append(log.batch()).await;
    log.holds(2).await;
}

pub async fn the_largest_batch_is_taken(store: impl Store + Clone) {
    let log = Log::new(&store);
    let most = u64::try_from(EVENTS_PER_BATCH_MAX).expect("a small number");
    let appended = log.append(log.batch().write(conversation(), 0, most)).await;
    assert_eq!((appended.first, appended.last), (Position::new(1), Position::new(most)));
    log.holds(most).await;
}

pub async fn an_append_wakes_who_waits_for_one(store: impl Store + Clone) {
    let log = Log::new(&store);
    let mut appended = store.appended();
    appended.borrow_and_update();
    log.append(log.batch().write(conversation(), 0, 1)).await;
    let woken = tokio::time::timeout(super::WAIT_MAX, appended.changed()).await;
    woken.expect("an append is announced").expect("the store is still there");
}

//! What the cases are made of: ids that nobody else has, plain events and batches, and a log at hand.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, MemberId, Position, RecordedEvent,
    StreamRef, StreamType, Timestamp,
};
use uuid::Uuid;

use crate::{
    Appended, Batch, Expectation, KeyOp, NewEvent, Outcome, RefusedBecause, Rejection, Snapshot, Store,
    StoreError,
};

/// Where the events' times begin, unless a case says otherwise.
pub(super) const START_MICROS: i64 = 1_700_000_000_000_000;

/// An id that no other case, run or process has: stores may be shared between them.
pub(super) fn fresh_id() -> Uuid {
    static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = Seed(*RUN ^ NUMBER.fetch_add(1, Ordering::Relaxed).rotate_left(32)).next();
    Uuid::from_u64_pair(number, Seed(number ^ *RUN).next())
}

pub(super) fn conversation() -> StreamRef {
    StreamRef::new(StreamType::Conversation, fresh_id())
}

pub(super) fn token() -> DedupeToken {
    DedupeToken::from_bytes(fresh_id().into_bytes())
}

pub(super) fn key_id() -> KeyId {
    KeyId::new(fresh_id())
}

/// Repeatable numbers; a failing case prints what they began with.
pub(super) struct Seed(pub u64);

impl Seed {
    /// `SplitMix64`.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_of<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        let count = u64::try_from(among.len()).expect("a slice is shorter than 2^64");
        let place = usize::try_from(self.below(count)).expect("below the slice's length");
        &among[place]
    }
}

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(START_MICROS + micros)
}

/// An event that says as little as one can.
pub(super) fn event(stream: StreamRef, version: u64) -> NewEvent {
    NewEvent {
        stream,
        version,
        event_type: "Noted",
        schema_version: 1,
        recorded_at: at(0),
        actor: Actor::Member(MemberId::new(Uuid::from_u128(1))),
        correlation: CorrelationId::new(Uuid::from_u128(2)),
        causation: CommandId::new(Uuid::from_u128(3)),
        payload: b"{}".to_vec(),
        sealed: None,
        key: None,
        dedupe: None,
    }
}

pub(super) fn with_token(event: NewEvent, token: DedupeToken) -> NewEvent {
    NewEvent { dedupe: Some(token), ..event }
}

/// Batches as the cases write them down.
pub(super) trait Write: Sized {
    /// Expects `stream` to be at `version` and writes nothing there.
    fn guard(self, stream: StreamRef, version: u64) -> Self;
    /// Expects `stream` to be at `version` and writes the next `count` events.
    fn write(self, stream: StreamRef, version: u64, count: u64) -> Self;
    fn event(self, event: NewEvent) -> Self;
    fn key(self, op: KeyOp) -> Self;
    fn snapshot(self, stream: StreamRef, version: u64, shape: u32, state: &[u8]) -> Self;
}

impl Write for Batch {
    fn guard(mut self, stream: StreamRef, version: u64) -> Self {
        self.expectations.push(Expectation { stream, version });
        self
    }

    fn write(mut self, stream: StreamRef, version: u64, count: u64) -> Self {
        self.events.extend((1..=count).map(|next| event(stream, version + next)));
        self.guard(stream, version)
    }

    fn event(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }

    fn key(mut self, op: KeyOp) -> Self {
        self.keys.push(op);
        self
    }

    fn snapshot(mut self, stream: StreamRef, version: u64, shape: u32, state: &[u8]) -> Self {
        self.snapshots.push(Snapshot { stream, version, shape, state: state.to_vec() });
        self
    }
}

/// One account's log, fresh.
#[derive(Clone)]
pub(super) struct Log<S> {
    pub store: S,
    pub account: AccountId,
}

impl<S: Store + Clone> Log<S> {
    pub(super) fn new(store: &S) -> Self {
        Self { store: store.clone(), account: AccountId::new(fresh_id()) }
    }

    pub(super) fn batch(&self) -> Batch {
        Batch::new(self.account)
    }

    pub(super) async fn append(&self, batch: Batch) -> Appended {
        match self.store.append(batch).await {
            Ok(Outcome::Appended(appended)) => appended,
            other => panic!("the batch should have been recorded, but: {other:?}"),
        }
    }

    pub(super) async fn rejected(&self, batch: Batch) -> Rejection {
        match self.store.append(batch).await {
            Ok(Outcome::Rejected(rejection)) => rejection,
            other => panic!("the batch should have been rejected, but: {other:?}"),
        }
    }

    pub(super) async fn refused(&self, batch: Batch) -> RefusedBecause {
        match self.store.append(batch).await {
            Err(StoreError::Refused(because)) => because,
            other => panic!("the batch should have been refused, but: {other:?}"),
        }
    }

    pub(super) async fn read(&self, after: u64, limit: usize) -> Vec<RecordedEvent> {
        self.store.read(self.account, Position::new(after), limit).await.expect("a log can be read")
    }

    /// The whole log, page by page.
    pub(super) async fn all(&self) -> Vec<RecordedEvent> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.position.number());
            let page = self.read(after, usize::MAX).await;
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    pub(super) async fn stream(&self, stream: StreamRef, after: u64, limit: usize) -> Vec<RecordedEvent> {
        self.store.read_stream(self.account, stream, after, limit).await.expect("a stream can be read")
    }

    pub(super) async fn head(&self) -> crate::Head {
        self.store.head(self.account).await.expect("a head can be read")
    }

    /// That the log holds `count` events and its head says so.
    pub(super) async fn holds(&self, count: u64) {
        let positions: Vec<_> = self.all().await.iter().map(|event| event.position.number()).collect();
        assert_eq!(positions, (1..=count).collect::<Vec<_>>(), "the log is gapless from 1");
        assert_eq!(self.head().await.position, Position::new(count), "the head is the last event's");
    }
}

/// (stream, version) of each event.
pub(super) fn places(events: &[RecordedEvent]) -> Vec<(StreamRef, u64)> {
    events.iter().map(|event| (event.stream, event.version)).collect()
}

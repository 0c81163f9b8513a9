//! Writers of a log that tell what was acknowledged, and what must then be true of it.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, MemberId, Position, RecordedEvent, StreamRef,
    StreamType, Timestamp,
};
use parlance_store::{Batch, EventLog, Expectation, NewEvent, Outcome, StoreError};
use uuid::Uuid;

/// What a run began with, printed.
pub fn seed() -> u64 {
    let seed = std::env::var("PARLANCE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("seed: run again with PARLANCE_SEED={seed}");
    seed
}

/// Repeatable numbers (`SplitMix64`).
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }
}

pub fn event(stream: StreamRef, version: u64, cause: CommandId) -> NewEvent {
    NewEvent {
        stream,
        version,
        event_type: "Noted",
        schema_version: 1,
        recorded_at: Timestamp::from_micros(1_700_000_000_000_000),
        actor: Actor::Member(MemberId::new(Uuid::from_u128(1))),
        correlation: CorrelationId::new(Uuid::from_u128(2)),
        causation: cause,
        payload: b"{\"a\":1}".to_vec(),
        sealed: Some(vec![7; 90]),
        key: None,
        dedupe: None,
    }
}

/// The next `count` events of a stream that is at `version`.
pub fn batch(account: AccountId, stream: StreamRef, version: u64, count: u64, cause: CommandId) -> Batch {
    let mut batch = Batch::new(account);
    batch.expectations.push(Expectation { stream, version });
    batch.events.extend((1..=count).map(|next| event(stream, version + next, cause)));
    batch
}

/// The streams that all writers of an account share.
pub fn streams(account: AccountId) -> Vec<StreamRef> {
    let mut random = Random(account.uuid().as_u64_pair().1);
    (0..5).map(|_| StreamRef::new(StreamType::Conversation, random.id())).collect()
}

/// An append that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub cause: CommandId,
    pub first: Position,
    pub count: u64,
}

/// Appends one random batch to one of the account's streams. `None`: it was rejected, or the store could not say.
pub async fn write_one(store: &impl EventLog, account: AccountId, random: &mut Random) -> Option<Told> {
    let streams = streams(account);
    let at = usize::try_from(random.below(streams.len() as u64)).expect("a small number");
    let (stream, cause) = (streams[at], CommandId::new(random.id()));
    let count = 1 + random.below(4);
    let stored = store.load(account, stream, 0).await;
    let version = match stored {
        Ok(loaded) => loaded.events.last().map_or(0, |event| event.version),
        Err(StoreError::Unavailable(_)) => return None,
        Err(error) => panic!("a load failed: {error}"),
    };
    let mut batch = batch(account, stream, version, count, cause);
    batch.events[0].dedupe = Some(DedupeToken::from_bytes(cause.bytes()));
    match store.append(batch).await {
        Ok(Outcome::Appended(appended)) => {
            assert_eq!(appended.last.number() + 1 - appended.first.number(), count);
            Some(Told { cause, first: appended.first, count })
        }
        Ok(Outcome::Rejected(rejection)) => {
            assert_eq!(
                rejection.known,
                [],
                "no token is used twice: its batch was recorded and not acknowledged"
            );
            None
        }
        Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => None,
        Err(error) => panic!("an append failed: {error}"),
    }
}

pub async fn all(store: &impl EventLog, account: AccountId) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map_or(Position::START, |event| event.position);
        let page = store.read(account, after, 997).await.expect("a log can be read");
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// Gapless, versions contiguous, every batch whole and once, and every acknowledged one where it was said to be.
pub async fn check(store: &impl EventLog, account: AccountId, told: &[Told]) -> usize {
    let events = all(store, account).await;
    let mut versions: HashMap<StreamRef, u64> = HashMap::new();
    let mut causes: HashMap<CommandId, Vec<u64>> = HashMap::new();
    for (position, event) in (1..).zip(&events) {
        assert_eq!(event.position.number(), position, "a gap, or two of one position");
        let version = versions.entry(event.stream).or_default();
        *version += 1;
        assert_eq!(event.version, *version, "versions follow each other");
        causes.entry(event.causation).or_default().push(position);
    }
    for (cause, places) in &causes {
        let whole = (places[0]..).take(places.len()).collect::<Vec<_>>();
        assert_eq!(places, &whole, "{cause} is in one piece, once");
    }
    let mut met = HashSet::new();
    for told in told {
        assert!(met.insert(told.cause), "{told:?} was acknowledged twice");
        let places = causes.get(&told.cause).unwrap_or_else(|| panic!("{told:?} is missing"));
        assert_eq!((places[0], places.len() as u64), (told.first.number(), told.count), "{told:?}");
    }
    let head = store.head(account).await.expect("a head can be read");
    assert_eq!(head.position.number(), events.len() as u64);
    events.len()
}

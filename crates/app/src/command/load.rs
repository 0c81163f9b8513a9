//! Cold loads: the newest snapshot and the events after it, folded by the aggregate's own `apply`. And the
//! snapshots themselves.

use std::{collections::HashMap, sync::Arc};

use parlance_domain::{AccountId, Decider, RecordedEvent, Stamped, StampedEvent, StreamRef};
use parlance_store::{EventLog, Keys, Loaded, PAGE_MAX, Snapshot, StoreError};

use super::state::Entry;
use crate::keys::{AccountRing, Keyring, Opened};

/// A snapshot is due when this many events came after the last: a cold load folds fewer than that, and a
/// busy stream writes one row more for every so many events.
pub(super) const SNAPSHOT_EVERY: u64 = 16;

/// Raised when a state's serialised form changes meaning; older snapshots are then ignored and replaced.
const SNAPSHOT_SHAPE: u32 = 2;
/// What a snapshot's personal parts are sealed as.
const SNAPSHOT_KIND: &str = "snapshot";

type Fact<A> = <<A as cqrs_es::Aggregate>::Event as StampedEvent>::Fact;

/// Loads a stream's state; one that has no events is the default, at version 0.
pub(super) async fn load<A: Decider>(
    store: &(impl EventLog + Keys),
    keyring: &Keyring,
    account: AccountId,
    stream: StreamRef,
) -> Result<Entry, StoreError> {
    let loaded = store.load(account, stream, SNAPSHOT_SHAPE).await?;
    load_from::<A>(store, keyring, account, stream, loaded).await
}

/// The first pages of several streams, by one reading.
pub(super) async fn look_ahead(
    store: &impl EventLog,
    account: AccountId,
    streams: Vec<StreamRef>,
) -> Result<HashMap<StreamRef, Loaded>, StoreError> {
    let loaded = store.load_many(account, streams.clone(), SNAPSHOT_SHAPE).await?;
    Ok(streams.into_iter().zip(loaded).collect())
}

/// A stream's state from its first page on.
pub(super) async fn load_from<A: Decider>(
    store: &(impl EventLog + Keys),
    keyring: &Keyring,
    account: AccountId,
    stream: StreamRef,
    mut loaded: Loaded,
) -> Result<Entry, StoreError> {
    let stored = loaded.snapshot.take();
    let snapshot = stored.as_ref().and_then(|snapshot| {
        // A snapshot is disposable: one that does not read as today's state is ignored.
        serde_json::from_slice::<A>(&snapshot.state).ok().map(|state| (state, snapshot.version))
    });
    if stored.is_some() && snapshot.is_none() {
        loaded.events = store.read_stream(account, stream, 0, PAGE_MAX).await?;
        loaded.complete = loaded.events.len() < PAGE_MAX;
    }
    let (mut state, snapshot_version) = snapshot.unwrap_or_default();
    let mut version = snapshot_version;
    loop {
        for recorded in &loaded.events {
            if recorded.version != version + 1 {
                return Err(StoreError::Corrupt(format!("{stream} misses its version {}", version + 1)));
            }
            version = recorded.version;
            state.apply(stamped::<A>(recorded)?);
        }
        if loaded.complete {
            break;
        }
        loaded.events = store.read_stream(account, stream, version, PAGE_MAX).await?;
        loaded.complete = loaded.events.len() < PAGE_MAX;
    }
    open_parts(store, keyring, account, &mut state).await?;
    Ok(Entry::new(state, version, snapshot_version))
}

fn stamped<A: Decider>(recorded: &RecordedEvent) -> Result<A::Event, StoreError> {
    let event = recorded.decode_as::<Fact<A>>().map_err(|error| {
        StoreError::Corrupt(format!("position {} of {}: {error}", recorded.position, recorded.account))
    })?;
    Ok(A::Event::stamp(recorded.recorded_at, recorded.actor, event))
}

/// Decisions compare what people wrote (a name that stays the same is no event), so the state's few personal
/// values are opened.
async fn open_parts<A: Decider>(
    store: &impl Keys,
    keyring: &Keyring,
    account: AccountId,
    state: &mut A,
) -> Result<(), StoreError> {
    for (_, part) in state.personal_parts() {
        let Some(sealed) = part.sealed().cloned() else { continue };
        match keyring.open(store, account, &sealed).await? {
            Opened::Plain(bytes) => {
                part.set_plaintext(&bytes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            }
            Opened::Erased => part.erase(),
        }
    }
    Ok(())
}

/// A state as a snapshot, its personal values sealed again. `None`: a value's key is not at hand, and
/// the next snapshot will do.
pub(super) fn snapshot<A: Decider>(
    keyring: &Keyring,
    ring: &AccountRing,
    account: AccountId,
    stream: StreamRef,
    entry: &Entry,
) -> Option<Snapshot> {
    let mut state = (*entry.state::<A>()).clone();
    for (number, part) in state.personal_parts() {
        if let Some(plaintext) = part.plaintext() {
            let key = match &entry.key {
                Some((known, key)) if *known == number => Arc::clone(key),
                _ => keyring.cached(ring.key_id(stream, number))?,
            };
            let sealed =
                key.seal(keyring.entropy(), account, stream, entry.version, SNAPSHOT_KIND, &plaintext);
            part.seal(sealed);
        }
    }
    let state = serde_json::to_vec(&state).expect("states hold ids, numbers and codes: always JSON");
    Some(Snapshot { stream, version: entry.version, shape: SNAPSHOT_SHAPE, state })
}

/// Takes a stamped event apart.
pub(super) fn take<A: Decider>(event: A::Event) -> Stamped<Fact<A>> {
    event.take()
}

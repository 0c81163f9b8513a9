//! The log as a cqrs-es `EventStore`, one instance an account: for tools and tests that speak that trait. The
//! running command path does not go through it (it batches), but through the same `handle` and `apply`.
//!
//! What its `commit` cannot carry travels as metadata: `causation_id` and `correlation_id`, ids as Parlance
//! writes them (`cmd_…`, `corr_…`).

use std::{collections::HashMap, sync::Arc};

use cqrs_es::{AggregateContext, AggregateError, EventEnvelope, EventStore};
use parlance_domain::{
    AccountId, CommandId, CorrelationId, Decider, PersonalPart, StampedEvent, StoredEvent as _, StreamRef,
};
use parlance_store::{Batch, EventLog, Expectation, KeyOp, Keys, NewEvent, Outcome, PAGE_MAX, StoreError};
use uuid::Uuid;

use crate::keys::{FoundKey, Keyring, Opened};

/// One account's streams.
pub struct AccountEventStore<S> {
    pub store: S,
    pub keyring: Arc<Keyring>,
    pub account: AccountId,
}

/// A loaded aggregate and the version it was loaded at.
pub struct LoadedAggregate<A> {
    stream: StreamRef,
    version: u64,
    state: A,
}

impl<A: Decider> AggregateContext<A> for LoadedAggregate<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.state
    }
}

fn failed<E: std::error::Error>(error: StoreError) -> AggregateError<E> {
    match error {
        StoreError::Conflict(_) => AggregateError::AggregateConflict,
        StoreError::Corrupt(_) => AggregateError::DeserializationError(Box::new(error)),
        StoreError::Unavailable(_) => AggregateError::DatabaseConnectionError(Box::new(error)),
        StoreError::Refused(_) | StoreError::Unknown(_) => AggregateError::UnexpectedError(Box::new(error)),
    }
}

fn stream_of<A: Decider>(aggregate_id: &str) -> Result<StreamRef, StoreError> {
    let id = Uuid::try_parse(aggregate_id);
    id.map(|id| StreamRef::new(A::STREAM, id))
        .map_err(|_| StoreError::Corrupt("an aggregate id is a UUID".to_owned()))
}

impl<S: EventLog + Keys> AccountEventStore<S> {
    async fn events<A: Decider>(&self, stream: StreamRef) -> Result<Vec<EventEnvelope<A>>, StoreError> {
        let mut envelopes = Vec::new();
        loop {
            let page = self.store.read_stream(self.account, stream, envelopes.len() as u64, PAGE_MAX).await?;
            let more = page.len() == PAGE_MAX;
            for recorded in page {
                let mut event = recorded
                    .decode_as::<<A::Event as StampedEvent>::Fact>()
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?;
                if let Some(sealed) = recorded.sealed_part() {
                    let opened = self.keyring.open(&self.store, self.account, &sealed).await?;
                    if let Some(part) = event.facts_mut().personal_mut() {
                        match opened {
                            Opened::Plain(bytes) => part
                                .set_plaintext(&bytes)
                                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
                            Opened::Erased => part.erase(),
                        }
                    }
                }
                envelopes.push(EventEnvelope {
                    aggregate_id: stream.id.simple().to_string(),
                    sequence: usize::try_from(recorded.version).unwrap_or(usize::MAX),
                    payload: A::Event::stamp(recorded.recorded_at, recorded.actor, event),
                    metadata: HashMap::from([
                        ("causation_id".to_owned(), recorded.causation.to_string()),
                        ("correlation_id".to_owned(), recorded.correlation.to_string()),
                    ]),
                });
            }
            if !more {
                return Ok(envelopes);
            }
        }
    }

    async fn append<A: Decider>(
        &self,
        events: &[A::Event],
        loaded: &LoadedAggregate<A>,
        metadata: &HashMap<String, String>,
    ) -> Result<(), StoreError> {
        let ring = self.keyring.account(&self.store, self.account).await?;
        let ring = ring.ok_or_else(|| StoreError::Corrupt(format!("{} has no keys", self.account)))?;
        let (stream, mut version) = (loaded.stream, loaded.version);
        let mut batch = Batch::new(self.account);
        batch.expectations.push(Expectation { stream, version });
        let mut made = HashMap::new();
        for event in events.iter().cloned() {
            let stamped = event.take();
            let event = stamped.event;
            version += 1;
            let mut sealed = None;
            if let Some(plaintext) = event.facts().personal().and_then(PersonalPart::plaintext) {
                let id = ring.key_id(stream, event.facts().key_number());
                let found = match made.get(&id) {
                    Some(key) => FoundKey::Found(Arc::clone(key)),
                    None => self.keyring.data_key(&self.store, &ring, id).await?,
                };
                let key = match found {
                    FoundKey::Found(key) => key,
                    FoundKey::Absent => {
                        let (key, wrapped) = ring.create(self.keyring.entropy(), id);
                        batch.keys.push(KeyOp::Create { key: id, wrapped });
                        made.insert(id, Arc::clone(&key));
                        key
                    }
                    FoundKey::Destroyed => return Err(StoreError::Conflict("the key was destroyed")),
                };
                let entropy = self.keyring.entropy();
                sealed =
                    Some(key.seal(entropy, self.account, stream, version, event.event_type(), &plaintext));
            }
            if event.facts().destroys_key().is_some() {
                // Deleting also writes the list of erasures; that is the command path's to do.
                return Err(StoreError::Unavailable("deletions go through the command path".to_owned()));
            }
            let id = |name: &str| metadata.get(name).map(String::as_str).unwrap_or_default();
            batch.events.push(NewEvent {
                stream,
                version,
                event_type: event.event_type(),
                schema_version: event.schema_version(),
                recorded_at: stamped.at,
                actor: stamped.by,
                correlation: id("correlation_id").parse::<CorrelationId>().unwrap_or_default(),
                causation: id("causation_id").parse::<CommandId>().unwrap_or_default(),
                payload: event.payload(),
                key: sealed.as_ref().map(|sealed| sealed.key),
                sealed: sealed.map(|sealed| sealed.bytes),
                dedupe: event.facts().dedupe(),
            });
        }
        match self.store.append(batch).await? {
            Outcome::Appended(_) => Ok(()),
            Outcome::Rejected(_) => Err(StoreError::Conflict("the stream has moved on")),
        }
    }
}

impl<A: Decider, S: EventLog + Keys> EventStore<A> for AccountEventStore<S> {
    type AC = LoadedAggregate<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let stream = stream_of::<A>(aggregate_id).map_err(failed)?;
        self.events::<A>(stream).await.map_err(failed)
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Self::AC, AggregateError<A::Error>> {
        let stream = stream_of::<A>(aggregate_id).map_err(failed)?;
        let events = self.events::<A>(stream).await.map_err(failed)?;
        let mut loaded = LoadedAggregate { stream, version: events.len() as u64, state: A::default() };
        events.into_iter().for_each(|envelope| loaded.state.apply(envelope.payload));
        Ok(loaded)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        self.append(&events, &context, &metadata).await.map_err(failed)?;
        let envelope = |(index, payload)| EventEnvelope {
            aggregate_id: context.stream.id.simple().to_string(),
            sequence: usize::try_from(context.version).unwrap_or(usize::MAX) + index + 1,
            payload,
            metadata: metadata.clone(),
        };
        Ok(events.into_iter().enumerate().map(envelope).collect())
    }
}

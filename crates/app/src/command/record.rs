//! Recording within a flush: an event becomes a row of the batch, its personal part sealed under its stream's
//! data key.

use std::sync::Arc;

use parlance_domain::{PersonalPart, Stamped, StoredEvent, StreamRef};
use parlance_store::{EVENT_BYTES_MAX, EventLog, KeyOp, Keys, NewEvent, RefusedBecause, StoreError};

use super::{
    Ask, CommandError,
    decide::{Flushing, Stopped},
};
use crate::keys::{DataKey, FoundKey};

/// What sealing adds: format, nonce and tag.
const SEALING_BYTES: usize = 1 + 24 + 16;

impl<S: EventLog + Keys + Clone> Flushing<S> {
    /// Puts one event into the batch, its personal part sealed.
    pub(super) async fn record<E: StoredEvent>(
        &mut self,
        ask: &Ask,
        stream: StreamRef,
        stamped: Stamped<E>,
    ) -> Result<(), Stopped> {
        let event = stamped.event;
        let version = self.slots[&stream].entry.version + 1;
        let plaintext = event.facts().personal().and_then(PersonalPart::plaintext);
        let payload = event.payload();
        // Told before it is sealed: refused by the store it would cost its neighbours a second flush.
        if payload.len() + plaintext.as_ref().map_or(0, Vec::len) > EVENT_BYTES_MAX - SEALING_BYTES {
            let too_large = StoreError::Refused(RefusedBecause::TooLarge { limit: EVENT_BYTES_MAX });
            return Err(Stopped::Command(CommandError::Store(too_large)));
        }
        let (number, destroys) = (event.facts().key_number(), event.facts().destroys_key());
        let sealed = match plaintext {
            Some(plaintext) => {
                let key = self.key(stream, number).await?;
                let entropy = self.shared.keyring.entropy();
                Some(key.seal(entropy, self.account, stream, version, event.event_type(), &plaintext))
            }
            None => None,
        };
        if let Some(number) = destroys {
            self.shared
                .erasures
                .ready(&self.shared.store)
                .await
                .map_err(|error| Stopped::Command(CommandError::Store(error)))?;
            let key = self.ring.key_id(stream, number);
            self.keys.push(KeyOp::Destroy { key });
            self.destroyed.push(key);
            self.deleting.push(self.events.len());
            self.slot(stream).entry.key = None;
        }
        self.slot(stream).entry.version = version;
        self.events.push(NewEvent {
            stream,
            version,
            event_type: event.event_type(),
            schema_version: event.schema_version(),
            recorded_at: stamped.at,
            actor: stamped.by,
            correlation: ask.correlation,
            causation: ask.id,
            payload,
            key: sealed.as_ref().map(|sealed| sealed.key),
            sealed: sealed.map(|sealed| sealed.bytes),
            dedupe: event.facts().dedupe(),
        });
        Ok(())
    }

    /// The stream's `number`th data key, made if there is none yet.
    async fn key(&mut self, stream: StreamRef, number: u32) -> Result<Arc<DataKey>, StoreError> {
        if let Some((known, key)) = &self.slots[&stream].entry.key
            && *known == number
        {
            return Ok(Arc::clone(key));
        }
        let id = self.ring.key_id(stream, number);
        let found = match self.made.get(&id) {
            Some(key) => FoundKey::Found(Arc::clone(key)),
            // A stream without events has no key to look for.
            None if self.slots[&stream].entry.version == 0 => FoundKey::Absent,
            None => self.shared.keyring.data_key(&self.shared.store, &self.ring, id).await?,
        };
        let key = match found {
            FoundKey::Found(key) => key,
            FoundKey::Absent => {
                let (key, wrapped) = self.ring.create(self.shared.keyring.entropy(), id);
                self.keys.push(KeyOp::Create { key: id, wrapped });
                self.made.insert(id, Arc::clone(&key));
                key
            }
            FoundKey::Destroyed => {
                return Err(StoreError::Corrupt(format!(
                    "the key {id} of {stream} is destroyed, its stream is not"
                )));
            }
        };
        self.slot(stream).entry.key = Some((number, Arc::clone(&key)));
        Ok(key)
    }
}

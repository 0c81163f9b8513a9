//! An event as the log gives it back: the row, with bytes where the event's own fields are.

use crate::{
    AccountId, Actor, CommandId, CorrelationId, DecodeError, DedupeToken, Event, KeyId, Personal, Position,
    Sealed, StoredEvent, StreamRef, Timestamp, upcast,
};

/// One row of an account's log, as written: it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    pub account: AccountId,
    pub position: Position,
    pub stream: StreamRef,
    /// The number inside the stream, from 1.
    pub version: u64,
    pub event_type: String,
    pub schema_version: u16,
    /// Never earlier than that of the position before.
    pub recorded_at: Timestamp,
    pub actor: Actor,
    pub correlation: CorrelationId,
    pub causation: CommandId,
    /// Clear JSON of the event's fields.
    pub payload: Vec<u8>,
    /// Format byte, nonce, ciphertext of the personal part, if the event has one.
    pub sealed: Option<Vec<u8>>,
    pub key: Option<KeyId>,
    pub dedupe: Option<DedupeToken>,
}

impl RecordedEvent {
    /// The personal part as it lies in the row, to be carried along or opened at the edge.
    pub fn sealed_part(&self) -> Option<Sealed> {
        match (&self.sealed, self.key) {
            (Some(bytes), Some(key)) => Some(Sealed {
                key,
                stream: self.stream,
                version: self.version,
                kind: self.event_type.clone(),
                bytes: bytes.clone(),
            }),
            _ => None,
        }
    }

    /// Reads the row as an event of one aggregate, upcast to today's shape; its personal part stays sealed.
    pub fn decode_as<E: StoredEvent>(&self) -> Result<E, DecodeError> {
        let newest =
            E::CATALOGUE.iter().find(|(name, _)| *name == self.event_type).map(|(_, version)| *version);
        let mut event = match newest {
            Some(known) if self.schema_version > known => {
                return Err(DecodeError::TooNew {
                    event_type: self.event_type.clone(),
                    stored: self.schema_version,
                    known,
                });
            }
            Some(known) if self.schema_version < known => {
                E::from_payload(&self.event_type, &upcast::upcast(self, upcast::UPCASTERS)?)?
            }
            _ => E::from_payload(&self.event_type, &self.payload)?,
        };
        if let (Some(part), Some(sealed)) = (event.facts_mut().personal_mut(), self.sealed_part()) {
            part.seal(sealed);
        }
        Ok(event)
    }

    /// Reads the row as whatever event it is.
    pub fn decode(&self) -> Result<Event, DecodeError> {
        Event::decode(self)
    }
}

impl<T> Personal<T> {
    /// The ciphertext, where it is still sealed.
    pub fn as_sealed(&self) -> Option<&Sealed> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            _ => None,
        }
    }
}

//! What is appended: all of a batch or nothing of it.

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef,
    Timestamp,
};

/// A batch holds at most this many events: a transaction stays short, and five hundred commands fit easily.
pub const EVENTS_PER_BATCH_MAX: usize = 4_096;
/// An event's payload and sealed part together: a kept body of the largest size that webhooks take, with room.
pub const EVENT_BYTES_MAX: usize = 1 << 21;

/// An event to be recorded. Its version follows from the batch's expectation and the events before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub stream: StreamRef,
    /// The number inside the stream, from 1.
    pub version: u64,
    pub event_type: &'static str,
    pub schema_version: u16,
    /// When; never taken as earlier than the log's last.
    pub recorded_at: Timestamp,
    pub actor: Actor,
    pub correlation: CorrelationId,
    pub causation: CommandId,
    pub payload: Vec<u8>,
    pub sealed: Option<Vec<u8>>,
    pub key: Option<KeyId>,
    pub dedupe: Option<DedupeToken>,
}

impl NewEvent {
    /// The event as the log will give it back.
    pub fn recorded(self, account: AccountId, position: Position, recorded_at: Timestamp) -> RecordedEvent {
        RecordedEvent {
            account,
            position,
            stream: self.stream,
            version: self.version,
            event_type: self.event_type.to_owned(),
            schema_version: self.schema_version,
            recorded_at,
            actor: self.actor,
            correlation: self.correlation,
            causation: self.causation,
            payload: self.payload,
            sealed: self.sealed,
            key: self.key,
            dedupe: self.dedupe,
        }
    }
}

/// The version that a stream must still be at when the batch starts; 0: it must not exist. One for each
/// stream that the batch writes, and one for each that its decisions looked at (a *guard*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub stream: StreamRef,
    pub version: u64,
}

/// An account's own keys, wrapped; see "Keys and erasure" in ARCHITECTURE.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKeys {
    /// Wraps the account's data keys; wrapped by the master key.
    pub account_key: Vec<u8>,
    /// Derives ids; wrapped by the account key; never replaced.
    pub id_key: Vec<u8>,
}

/// What happens to keys in the batch's transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOp {
    CreateAccount(AccountKeys),
    Create {
        key: KeyId,
        wrapped: Vec<u8>,
    },
    /// The key opens nothing any more when this is answered, and a pending erasure is recorded. Its bytes leave
    /// the store's files with the erasure's confirmation ([`crate::Keys::confirm_erasures`]).
    Destroy {
        key: KeyId,
    },
}

/// A state at a version: disposable, only there so that a cold load is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub stream: StreamRef,
    pub version: u64,
    /// What shape the bytes have; ignored when it is not the reader's.
    pub shape: u32,
    pub state: Vec<u8>,
}

/// One account's events of any number of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub account: AccountId,
    pub expectations: Vec<Expectation>,
    pub events: Vec<NewEvent>,
    pub keys: Vec<KeyOp>,
    pub snapshots: Vec<Snapshot>,
}

impl Batch {
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            expectations: Vec::new(),
            events: Vec::new(),
            keys: Vec::new(),
            snapshots: Vec::new(),
        }
    }
}

/// A batch that was recorded: its events have the positions from `first` to `last`; of a batch without events
/// `last` is the head's and `first` the one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub first: Position,
    pub last: Position,
    /// The log's last recorded time before the batch. Each event's is the latest of this, the times passed in
    /// for the events before it, and its own.
    pub not_before: Timestamp,
    /// The recorded time of the log's last event.
    pub recorded_at: Timestamp,
}

/// Why a batch was not recorded: all of it, so that one answer is enough to decide again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejection {
    /// Streams that are at another version than expected, with the one they are at.
    pub stale: Vec<(StreamRef, u64)>,
    /// Tokens that the log has already, with their positions.
    pub known: Vec<(DedupeToken, Position)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Appended(Appended),
    Rejected(Rejection),
}

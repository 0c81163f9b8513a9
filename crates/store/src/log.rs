//! The event log and the keys beside it.

use std::future::Future;

use parlance_domain::{
    AccountId, CommandId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef, Timestamp,
};
use tokio::sync::watch;

use crate::{AccountKeys, Batch, Outcome, Snapshot, StoreError};

/// A page of a log or stream holds at most this many events, whatever is asked.
pub const PAGE_MAX: usize = 10_000;

/// A page of a log ends with the event that brings its content to this many bytes: memory is bounded, however
/// large the events are.
pub const PAGE_BYTES_MAX: usize = 32 << 20;

/// Where an account's log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// [`Position::START`] for a log without events.
    pub position: Position,
    pub recorded_at: Timestamp,
    /// Raised by a restore, so that cursors from before are refused and never misread.
    pub epoch: u32,
}

/// What a cold load needs: the newest snapshot of the wanted shape, and the events after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    pub snapshot: Option<Snapshot>,
    pub events: Vec<RecordedEvent>,
    /// Whether `events` ends with the stream; else read on from its last version.
    pub complete: bool,
}

/// What is touched is told for at most this many events at once.
pub const TOUCHED_MAX: usize = 10_000;

/// That an event is in a stream, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    pub position: Position,
    pub stream: StreamRef,
    pub version: u64,
    pub event_type: String,
}

/// The log of every account: written once, never changed.
pub trait EventLog: Send + Sync + 'static {
    /// Records all of the batch or nothing. Answered when durable. In an account positions are gapless and in
    /// commit order, and recorded times never go back.
    fn append(&self, batch: Batch) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    fn head(&self, account: AccountId) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// The events after `after`, in position order, at most `limit` (and [`PAGE_MAX`]), and no more once they
    /// hold [`PAGE_BYTES_MAX`]. Empty only at the end of the log.
    fn read(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<RecordedEvent>, StoreError>> + Send;

    /// A stream's events after version `after`, in version order, at most `limit` (and [`PAGE_MAX`]).
    fn read_stream(
        &self,
        account: AccountId,
        stream: StreamRef,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<RecordedEvent>, StoreError>> + Send;

    /// A stream's snapshot, if it has one of this `shape`, and the first page of what came after it.
    fn load(
        &self,
        account: AccountId,
        stream: StreamRef,
        shape: u32,
    ) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// The same of several streams, in their order; an adapter reads them in one go.
    fn load_many(
        &self,
        account: AccountId,
        streams: Vec<StreamRef>,
        shape: u32,
    ) -> impl Future<Output = Result<Vec<Loaded>, StoreError>> + Send {
        async move {
            let mut all = Vec::with_capacity(streams.len());
            for stream in streams {
                all.push(self.load(account, stream, shape).await?);
            }
            Ok(all)
        }
    }

    /// The positions of the events that a command caused, looked for after `after`: "was it mine?" after an
    /// unknown outcome. Reads no more than [`PAGE_MAX`] events.
    fn caused_by(
        &self,
        account: AccountId,
        command: CommandId,
        after: Position,
    ) -> impl Future<Output = Result<Vec<Position>, StoreError>> + Send;

    /// Where what a provider told was recorded.
    fn position_of(
        &self,
        account: AccountId,
        token: DedupeToken,
    ) -> impl Future<Output = Result<Option<Position>, StoreError>> + Send;

    /// All accounts, for operators and runners: at most `limit` after `after`, in id order.
    fn accounts(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<AccountId>, StoreError>> + Send;

    /// Where the accounts' logs end, for sweeps: at most `limit` (and [`PAGE_MAX`]) after `after`, in id order.
    fn heads(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(AccountId, Position)>, StoreError>> + Send;

    /// Which streams the events after `after` are in, in position order: at most `limit` (and [`TOUCHED_MAX`]). An
    /// event of a stream of a type that this build does not know is passed over: nothing of it can be kept here.
    fn touched(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Touched>, StoreError>> + Send;

    /// Counts up with every append of this process: a hint to look at the heads, never the truth.
    fn appended(&self) -> watch::Receiver<u64>;
}

/// A key that was destroyed and is not yet known to be on the list of erasures outside the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub account: AccountId,
    pub key: KeyId,
    pub recorded_at: Timestamp,
}

/// What the store knows of a data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredKey {
    /// Never made.
    Absent,
    Wrapped(Vec<u8>),
    /// Made, and destroyed: what it sealed is erased.
    Destroyed,
}

/// Wrapped keys. They are written by [`EventLog::append`] only.
pub trait Keys: Send + Sync + 'static {
    fn account_keys(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Option<AccountKeys>, StoreError>> + Send;

    /// A data key.
    fn data_key(
        &self,
        account: AccountId,
        key: KeyId,
    ) -> impl Future<Output = Result<StoredKey, StoreError>> + Send;

    /// Data keys in the order of the ids, in one statement. `Refused` beyond [`crate::NAMED_MAX`].
    fn data_keys(
        &self,
        account: AccountId,
        keys: Vec<KeyId>,
    ) -> impl Future<Output = Result<Vec<StoredKey>, StoreError>> + Send;

    /// Erasures not yet confirmed, at most `limit`.
    fn pending_erasures(&self, limit: usize)
    -> impl Future<Output = Result<Vec<Erasure>, StoreError>> + Send;

    /// Says that these are on the list: then they are not pending any more. Where the keys were there are zeros
    /// since they were destroyed; copies of the old bytes leave the store's files, as far as the store can see to
    /// it. The embedded store has done that when this is answered. PostgreSQL keeps what an open transaction may
    /// still see: its adapter answers after about a second at most, and goes on by itself until the bytes are
    /// gone (its own log goes with its recycling).
    fn confirm_erasures(&self, erasures: Vec<Erasure>)
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The installation's key check: what was sealed under the master key when the store was made.
    fn key_check(&self) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Sets the key check, once.
    fn set_key_check(&self, sealed: Vec<u8>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

//! Read models and their checkpoints: written together, thrown away at will.

use std::future::Future;

use parlance_domain::{AccountId, Position, StreamRef};
use parlance_projections::{Change, Row, RowKey, Table, Touch};

use crate::{Fence, StoreError};

/// Which copy of a read model's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub i64);

/// The generation that every account starts with.
pub const FIRST_GENERATION: Generation = Generation(1);

/// How far a projection has folded an account's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Every event up to here is in the rows, or parked.
    pub position: Position,
    /// How many events were taken: always the position's number. Kept apart, so that a checkpoint that was
    /// moved by hand contradicts itself.
    pub taken: u64,
    /// The projector's version that made the rows.
    pub version: u32,
}

/// A stream that a projection cannot take any further, from `position` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedStream {
    pub projection: String,
    pub stream: StreamRef,
    /// The event that could not be taken.
    pub position: Position,
    /// How many events of the stream wait, that one included.
    pub events: u64,
    pub reason: String,
}

/// A page of folded events, as one transaction.
#[derive(Clone, Debug)]
pub struct PageWrite {
    pub account: AccountId,
    pub generation: Generation,
    pub projection: &'static str,
    /// The fence of the account's bucket, of whoever holds its lease; if it is higher by now, nothing is written
    /// (`Conflict`). `None`: an operator's command, which the checkpoint alone keeps in order.
    pub fence: Option<Fence>,
    /// The checkpoint it was folded from; if it is another by now, nothing is written (`Conflict`).
    pub from: Option<Checkpoint>,
    pub to: Checkpoint,
    pub changes: Vec<Change>,
    /// Streams parked by this page, or with more waiting events than before.
    pub parked: Vec<ParkedStream>,
}

/// A projection's state in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionState {
    pub projection: String,
    pub generation: Generation,
    pub checkpoint: Checkpoint,
}

/// The tables of the read models.
pub trait ReadModels: Send + Sync + 'static {
    fn checkpoint(
        &self,
        account: AccountId,
        projection: &'static str,
        generation: Generation,
    ) -> impl Future<Output = Result<Option<Checkpoint>, StoreError>> + Send;

    /// Every projection's checkpoints in an account.
    fn checkpoints(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Vec<ProjectionState>, StoreError>> + Send;

    /// For each touch, its rows.
    fn load_rows(
        &self,
        account: AccountId,
        generation: Generation,
        touches: Vec<Touch>,
    ) -> impl Future<Output = Result<Vec<(Touch, Vec<Row>)>, StoreError>> + Send;

    /// Writes pages in order, all in one transaction.
    fn write_pages(&self, pages: Vec<PageWrite>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Rows in key order after `after`, at most `limit`.
    fn scan_rows(
        &self,
        account: AccountId,
        generation: Generation,
        table: &'static Table,
        after: Option<RowKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// The parked streams of a projection, or of all.
    fn parked_streams(
        &self,
        account: AccountId,
        generation: Generation,
        projection: Option<&'static str>,
    ) -> impl Future<Output = Result<Vec<ParkedStream>, StoreError>> + Send;

    /// Removes a projection's rows, checkpoint and parked streams of a generation, in bounded steps.
    fn drop_generation(
        &self,
        account: AccountId,
        projection: &'static str,
        tables: &'static [&'static Table],
        generation: Generation,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Conversations that `assignee` holds in `channel` (or any), in id order after `after`, at most `limit`.
    fn held_conversations(
        &self,
        account: AccountId,
        generation: Generation,
        assignee: uuid::Uuid,
        channel: Option<uuid::Uuid>,
        after: Option<uuid::Uuid>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<uuid::Uuid>, StoreError>> + Send;

    /// A policy's own checkpoint; policies act, so theirs are no part of any generation.
    fn policy_checkpoint(
        &self,
        account: AccountId,
        policy: &'static str,
    ) -> impl Future<Output = Result<Position, StoreError>> + Send;

    /// Moves it on, never back: where it is further already, nothing changes. `Conflict` where `fence` is not the
    /// account's bucket's any more; see [`PageWrite::fence`].
    fn set_policy_checkpoint(
        &self,
        account: AccountId,
        policy: &'static str,
        position: Position,
        fence: Option<Fence>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

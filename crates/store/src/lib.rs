//! The ports between Parlance and its stores: [`EventLog`], [`Keys`], [`ReadModels`], [`Pages`], [`Tokens`],
//! [`SignIns`], [`Leases`], [`Hints`], [`Transfer`], what they can answer, the canonical form of a row, and the suite that every adapter must pass.
//!
//! To add an adapter: a crate that implements [`Store`], migrations with the same numbers and names, and a
//! test that calls [`contract_tests!`].

pub mod canonical;
pub mod contract;

mod batch;
mod error;
mod hints;
mod leases;
mod log;
mod pages;
mod read_models;
mod sign_ins;
mod tokens;
mod transfer;

pub use batch::{
    AccountKeys, Appended, Batch, EVENT_BYTES_MAX, EVENTS_PER_BATCH_MAX, Expectation, KeyOp, NewEvent,
    Outcome, Rejection, Snapshot,
};
pub use error::{RefusedBecause, StoreError};
pub use hints::{HINTS_BEHIND_MAX, Hint, Hints};
pub use leases::{AccountBucket, BUCKETS, Beat, Fence, Holding, Lease, Leases, ServerId, fair_share};
pub use log::{
    Erasure, EventLog, Head, Keys, Loaded, PAGE_BYTES_MAX, PAGE_MAX, StoredKey, TOUCHED_MAX, Touched,
};
pub use pages::{Bucket, NAMED_MAX, PAGE_ROWS_MAX, Pages, Place, ThreadOrder, Wanted};
pub use read_models::{
    Checkpoint, FIRST_GENERATION, Generation, PageWrite, ParkedStream, ProjectionState, ReadModels,
};
pub use sign_ins::{EmailHash, MEMBERSHIPS_MAX, Sessions, SignIns, StoredPassword};
pub use tokens::{StoredToken, TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind, Tokens};
pub use transfer::{ACCOUNT_TABLES, COPIED_ROWS_MAX, CopiedTable, INSTALLATION_TABLES, Transfer};

/// Everything a store offers.
pub trait Store: EventLog + Keys + ReadModels + Pages + Tokens + SignIns + Leases + Hints + Transfer {}

impl<T: EventLog + Keys + ReadModels + Pages + Tokens + SignIns + Leases + Hints + Transfer> Store for T {}

//! The rules of Parlance: what may happen to accounts, members, channels, conversations and the rest,
//! and nothing else. No I/O, no SQL, no clock, no randomness: time and ids come in with the command.
//!
//! Every aggregate is a folder with the same files: `command` (what can be asked), `event` (what can have
//! happened), `decide` (every rule), `evolve` (every change of state), `error`, `tests`. `decide` and
//! `evolve` are private to their folder; the only way in is `cqrs_es::Aggregate::handle` and `apply`.
//!
//! To add an aggregate: copy a small folder (`reading/`), give it a [`StreamType`], a variant in [`Command`]
//! and [`Event`], and fixtures in `fixtures/<aggregate>/`; `tests/fixtures.rs` names those that are missing.

pub mod account;
pub mod channel;
pub mod connection;
pub mod conversation;
pub mod delivery;
pub mod member;
pub mod permissions;
pub mod reading;

mod actor;
mod aggregate;
mod catalogue;
mod event;
mod ids;
mod personal;
mod recorded;
mod surroundings;
#[cfg(test)]
mod testing;
mod text;
mod time;
mod upcast;

pub use actor::{Actor, SystemReason};
pub use aggregate::{Command, Decider, Issued, Refusal, Stamped, StampedEvent};
pub use catalogue::{Event, catalogue, destroys_key};
pub use event::{DecodeError, Facts, StoredEvent, StreamRef, StreamType};
pub use ids::{
    AccountId, ChannelId, CommandId, ConnectionId, ConversationId, CorrelationId, DedupeToken, DeliveryId,
    IdError, KeyId, MemberId, MessageId, OperatorId, Position, ReadingId, TokenId,
};
pub use personal::{OpenError, Personal, PersonalPart, Sealed};
pub use recorded::RecordedEvent;
pub use surroundings::Surroundings;
pub use text::{Email, Name, TextError};
pub use time::Timestamp;

//! The shell around the pure core: keys and sealing, the command path, the projection runner, policies, and
//! the only clock and randomness there are.
//!
//! A command's way: [`command::CommandPath::submit`] puts it into its account's queue; a flush takes all that
//! wait, decides them one after the other, seals what is personal, and appends them in one batch. The runner
//! ([`projections::Projections`]) folds what was recorded; policies turn events into further commands.

pub mod account;
pub mod clock;
pub mod cluster;
pub mod command;
pub mod entropy;
pub mod erasures;
pub mod front;
pub mod ingestion;
pub mod keys;
pub mod measures;
pub mod policies;
pub mod projections;
pub mod queries;
pub mod sign_in;
pub mod tokens;

mod event_store;
mod feed;
mod parlance;
mod wakeup;

pub use event_store::AccountEventStore;
pub use parlance::{OpenError, Parlance, Settings};

//! What the tests share: a whole Parlance on the store under test, in a [`Home`] of its own ([`TestApp`]), and an
//! account with members and a channel to play with ([`Team`]); a store that can be watched and held up
//! ([`WatchedStore`]), and a second opinion on what a log may hold ([`Checker`]). What must survive the end of
//! its process runs in one of its own ([`driven`]).

mod app;
mod beside;
mod checker;
pub mod driven;
pub mod home;
mod search;
pub mod served;
mod team;
mod watched;

pub use app::{PATIENCE, START, TestApp, WEAK, at_once};
pub use beside::Beside;
pub use checker::Checker;
pub use home::{Home, on_postgres};
pub use search::{files_among, files_with, spellings};
pub use team::Team;
pub use watched::WatchedStore;

//! What the tests share: a whole Parlance on the embedded store in a folder of its own ([`TestApp`]), and an
//! account with members and a channel to play with ([`Team`]). What must survive the end of its process runs in
//! one of its own ([`driven`]).

mod app;
pub mod driven;
mod team;

pub use app::{PATIENCE, TestApp};
pub use team::Team;

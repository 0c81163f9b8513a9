//! What the tests share: a whole Parlance on the embedded store in a folder of its own ([`TestApp`]), and an
//! account with members and a channel to play with ([`Team`]).

mod app;
mod team;

pub use app::TestApp;
pub use team::Team;

//! One of several servers on one store: what this one holds ([`Leased`]), how it keeps it ([`membership`]), and how it
//! hears of what the others do ([`news`]).
//!
//! Every server takes commands and answers questions of every account. Projections and policies of an account run
//! where its bucket's lease is held, and nowhere else; what was slower than its lease is refused by its fence.
//! Hints make it quick, sweeps make it sure.

mod alarm;
mod leased;
mod membership;
mod news;

pub use self::leased::Leased;
pub(crate) use self::{
    alarm::Tasks,
    membership::hold,
    news::{Listening, Sweeper, tell},
};

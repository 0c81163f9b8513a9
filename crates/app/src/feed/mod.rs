//! What happened lately, kept once for all who follow an account: the log is read once, into a bounded ring of
//! which thing was touched at which position. And rows that were read for one
//! follower are kept for the others, for as long as they are new. Nothing is judged here: who may be told is asked of
//! the permissions table each time, by [`queries`](crate::queries).

mod ring;
mod rows;
mod shared;
mod touch;

pub(crate) use self::{
    ring::Known,
    rows::OpenedRow,
    shared::{Feed, Feeds},
    touch::{Touch, Touched},
};

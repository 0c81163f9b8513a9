//! What happened lately, kept once for all who follow an account: the log is read once, into a bounded ring of
//! which thing was touched at which position. No content is kept, and nothing is judged here: who may be told is
//! asked of the permissions table each time, by [`queries`](crate::queries).

mod ring;
mod shared;
mod touch;

pub(crate) use self::{
    ring::Versions,
    shared::{Feed, Feeds},
    touch::{Touch, Touched},
};

//! Policies turn events into commands. Each keeps a checkpoint of its own and acts at least once; the commands
//! are such that asking again changes nothing, so that it happens exactly once. A rebuild does not run them.

mod directory;
mod release;
mod runner;

pub use self::{
    directory::Directory,
    release::Release,
    runner::{Policy, PolicyError, PolicyRunner},
};

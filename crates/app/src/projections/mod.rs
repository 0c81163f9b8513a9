//! The projection runner: reads the log, folds it, writes rows and checkpoint in one transaction, wakes whoever
//! waits to read their own writes.

mod elsewhere;
mod fold;
mod runner;
mod status;
mod verify;

pub use self::{
    runner::{Projections, WaitError},
    status::{AccountStatus, status},
    verify::{Finding, Problem, verify},
};

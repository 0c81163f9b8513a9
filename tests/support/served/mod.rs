//! `parlance serve` as a process of its own, asked over HTTP alone, with the simulator beside it.

mod office;
mod running;

pub use self::{
    office::{Channel, Office, Person},
    running::Served,
};

//! `parlance serve` as a process of its own, asked over HTTP alone, with the simulator beside it.

mod browser;
mod customers;
mod inbox;
mod office;
mod running;
mod wire;

pub use self::{
    browser::Browser,
    customers::{MORNING, at},
    inbox::{CONVERSATION, Counts, SECTIONS, word},
    office::{ACCOUNT_SID, APP_SECRET, AUTH_TOKEN, Channel, NUMBER, Office, PAGE, PAGE_TOKEN, Person},
    running::{Memory, Served, run},
    wire::{Said, Wire, head, posted},
};

//! Whatever the log, the read models hold what the definitions say: the same as a naive model, however the log
//! is cut into pages, whatever order a provider tells things in, and beside what cannot be folded.

#[path = "../support/mod.rs"]
mod support;

mod arrival;
mod definition;
mod pages;
mod parking;
mod rows;

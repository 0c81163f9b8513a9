//! The GraphQL API as other people's programs meet it: their clients and audits against a `parlance serve` in a
//! process of its own, and what attackers send. The programs are in `tests/clients/`, and run where `npm ci` was run.

mod abuse;
mod audits;
mod documents;
mod following;
mod libraries;
pub(crate) mod node;
mod sockets;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_served");

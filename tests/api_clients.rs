//! Other people's GraphQL clients and audits against a `parlance serve` in a process of its own. They are in
//! `tests/clients/`, and run where `npm ci` was run there.

mod following;
mod node;
mod sockets;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_served");

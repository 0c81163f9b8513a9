//! Several servers on one PostgreSQL, each a process of its own, while everything that can happen to them does:
//! `kill -9`, SIGSTOP for longer than a lease, PostgreSQL gone and back, another release in their place. Meanwhile
//! providers deliver, members change things over whichever server, and clients follow. What was answered must be
//! there exactly once, and work must be taken over in time.
//!
//! Short by itself; `PARLANCE_CHAOS_SECONDS=300` goes on for that long (`just chaos`), `PARLANCE_CHAOS_SEED` is
//! another course, `PARLANCE_OLD_BINARY` an earlier release to begin with (`just rolling`).

mod dice;
mod disturbances;
mod fleet;
mod follower;
mod hands;
mod posting;
mod probes;
mod rolling;
mod told;
mod truth;
mod world;

use std::time::Duration;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_served");

/// Where the world reaches the servers, whichever it reaches.
const PUBLIC_URL: &str = "https://inbox.example.hu";

/// How long a lease outlives the last beat of whoever held it, as `docs/postgresql.md` says it.
const LEASE: Duration = Duration::from_secs(3);
/// What a takeover may take besides: a beat of the others (1 s), reading what waits and folding it, both on a machine
/// that is busy with three servers built for debugging.
const MARGIN: Duration = Duration::from_secs(7);

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

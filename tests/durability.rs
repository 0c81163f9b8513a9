//! What was answered with success stays, whatever happens to the process or the disk: kills, full disks, failing
//! writes and syncs. The Parlance under test runs in a process of its own, `driven`.

mod asked;
mod faults;
mod kills;
mod syncs;
mod trace;
mod truth;

use parlance_tests::driven::Launch;

/// The program under test.
fn driven() -> Launch {
    Launch::program(env!("CARGO_BIN_EXE_driven"))
}

//! Webhooks as the internet sends them, to a `parlance serve` in a process of its own: what was answered 2xx is in
//! the log exactly once whatever happens to the server, and what is refused leaves nothing there.

mod ended;
mod forged;
mod framing;
mod kills;
mod large;
pub(crate) mod ledger;
pub(crate) mod mailbag;
mod slow;

use parlance_tests::served::Office;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_served");

/// Where the world reaches the server: neither its address, nor its scheme, nor only its paths.
const PUBLIC_URL: &str = "https://inbox.example.hu/crm";

/// An office whose webhook addresses outlive its server.
async fn office() -> Office {
    Office::open_with(PROGRAM, &["--public-url", PUBLIC_URL]).await
}

//! Signing in by an OpenID Connect issuer, as a browser does: `parlance serve` in one process, an issuer of the tests'
//! own in another (`tests/clients/issuer.mjs`), and nothing between them but HTTP.

mod issuer;
mod lies;
mod surfer;
mod ways;

use parlance_tests::served::Office;

use self::issuer::Issuer;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_served");

/// An office whose members may sign in by the issuer; `None`: there is no node to run one.
async fn open() -> Option<(Office, Issuer)> {
    open_with(&[]).await
}

async fn open_with(flags: &[&str]) -> Option<(Office, Issuer)> {
    let issuer = Issuer::start().await?;
    let mut all = issuer.flags();
    all.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Some((Office::open_with(PROGRAM, &all).await, issuer))
}

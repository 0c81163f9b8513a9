//! The life of an inbox, told through HTTP alone: customers write by signed webhooks, members ask and answer by
//! GraphQL, and nothing reaches into the process. One file an area of the specification.

mod arriving;
mod assigning;
mod borrowing;
mod closing;
mod connecting;
mod crowds;
mod deleting;
mod echoes;
mod languages;
mod letters;
mod members;
mod paging;
mod permissions;
mod privacy;
mod providers;
mod secrets;
mod sections;
mod seen;
mod signing_in;
mod strangers;

use parlance_tests::served::{Office, Person};

/// An office with an admin, who installed both channels, and two members.
async fn open() -> (Office, Person, Person) {
    let office = Office::open(env!("CARGO_BIN_EXE_served")).await;
    let anna = office.member("anna@example.hu", &[]).await;
    let bela = office.member("bela@example.hu", &[]).await;
    (office, anna, bela)
}

/// An id of that kind that nothing has.
fn nothing(kind: &str) -> String {
    format!("{kind}_{}", "7".repeat(32))
}

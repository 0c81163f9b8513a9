//! The npm package `graphql-http` audits the running server. Its program is in `tests/clients/`, and runs where
//! `npm ci` was run there.

use std::{path::Path, process::Command, time::Duration};

use parlance_tests::Home;
use parlance_tests::served::Served;
use serde_json::Value;
use tokio::{task::spawn_blocking, time::timeout};

/// As many as the pinned version has: one that goes missing is noticed.
const AUDITS: usize = 61;
/// All of them take a second or two.
const AUDITS_WAIT: Duration = Duration::from_secs(60);

/// Whether other people's clients are installed; where they need not be, that is said aloud.
fn installed(package: &str) -> bool {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/node_modules");
    if clients.join(package).is_dir() {
        return true;
    }
    let required = std::env::var("PARLANCE_REQUIRE_NODE").is_ok_and(|required| required == "1");
    assert!(!required, "{package} is required: run `npm ci` in tests/clients");
    eprintln!("PASSED OVER: {package} is not installed; run `npm ci` in tests/clients");
    false
}

#[tokio::test]
async fn every_audit_of_graphql_over_http_passes_on_the_running_server() {
    if !installed("graphql-http") {
        return;
    }
    let folder = Home::new();
    let served = Served::start(super::PROGRAM, folder.path(), "http://127.0.0.1:9", &[]);
    let mut program = Command::new("node");
    program
        .args(["audits.mjs", &served.url("/graphql")])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients"));
    let audited = timeout(AUDITS_WAIT, spawn_blocking(move || program.output())).await;
    let output = audited.expect("it ends in time").expect("it does not panic").expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: Vec<Value> = serde_json::from_slice(&output.stdout).expect("the results are JSON");
    let failed: Vec<_> = results.iter().filter(|result| result["status"] != "ok").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(results.len(), AUDITS);
}

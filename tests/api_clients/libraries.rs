//! The client libraries that front ends are written with: urql and Apollo Client against the running server, the Relay
//! compiler against the schema, and the schema against the one that was released last.

use std::{path::Path, process::Command};

use parlance_tests::served::{Office, at};

use super::{PROGRAM, node::installed};

fn clients() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Runs a program of the clients' to its end; what it printed, as lines.
async fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    let ran = tokio::task::spawn_blocking(move || command.output());
    let ended = tokio::time::timeout(parlance_tests::PATIENCE, ran).await.expect("it ends in time");
    let output = ended.expect("it does not panic").expect("it runs");
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    told.lines().map(str::to_owned).collect()
}

/// An office with three conversations; asked by its admin, who assigns one to the person given.
async fn asked_by(script: &str) -> Vec<String> {
    let office = Office::open(PROGRAM).await;
    let anna = office.member("anna@example.hu", &[]).await;
    for n in 0..3 {
        office.begins(&format!("p-{n}"), &format!("Szia {n}!"), at(n)).await;
    }
    office.head().await;
    let url = office.served.url("/graphql");
    run(&clients(), "node", &[script, &url, &office.admin.token, &anna.id]).await
}

#[tokio::test]
async fn urql_finds_nothing_surprising() {
    if installed() {
        assert_eq!(asked_by("urql.mjs").await.len(), 8);
    }
}

#[tokio::test]
async fn apollo_client_finds_nothing_surprising() {
    if installed() {
        assert_eq!(asked_by("apollo.mjs").await.len(), 7);
    }
}

#[tokio::test]
async fn the_relay_compiler_takes_the_schema() {
    if !installed() {
        return;
    }
    // It writes what it makes beside what it reads, so it works on a copy.
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (clients().join("relay"), folder.path());
    for made in ["src", "__generated__"] {
        std::fs::create_dir(to.join(made)).expect("a folder");
    }
    std::fs::copy(from.join("src/Inbox.ts"), to.join("src/Inbox.ts")).expect("a file");
    std::fs::copy(clients().join("../../schema.graphql"), to.join("schema.graphql")).expect("a file");
    let config = std::fs::read_to_string(from.join("relay.config.json")).expect("a file");
    let here = config.replace("../../../schema.graphql", "./schema.graphql");
    std::fs::write(to.join("relay.config.json"), here).expect("a file");
    let compiler = clients().join("node_modules/relay-compiler/cli.js");
    let compiler = compiler.to_str().expect("UTF-8");
    run(to, "node", &[compiler, "relay.config.json", "--noWatchman"]).await;
    let made = std::fs::read_dir(to.join("__generated__")).expect("a folder").count();
    assert_eq!(made, 11, "eight operations and three fragments");
}

#[tokio::test]
async fn nothing_that_was_released_is_gone_from_the_schema() {
    if !installed() {
        return;
    }
    let broken = run(&clients(), "node", &["breaking.mjs", "released.graphql", "../../schema.graphql"]).await;
    assert_eq!(broken, Vec::<String>::new());
    let folder = tempfile::tempdir().expect("a folder");
    let released = std::fs::read_to_string(clients().join("released.graphql")).expect("a file");
    let without = released.replacen("\tunread: Boolean!\n", "\tread: Boolean!\n", 1);
    assert_ne!(without, released);
    let file = folder.path().join("without.graphql");
    std::fs::write(&file, without).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let mut command = Command::new("node");
    let gone = command.args(["breaking.mjs", "released.graphql", file]).current_dir(clients()).output();
    let gone = gone.expect("node runs");
    assert_eq!(gone.status.code(), Some(1), "a field that is gone is found");
    assert!(String::from_utf8_lossy(&gone.stdout).contains("Conversation.unread was removed"));
}

//! A server and the command line beside it: operators' commands reach the store through the server that holds it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLANCE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder);
    command
}

fn parlance(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the binary runs")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&out(output)).expect("JSON")
}

/// A server that is killed at the latest when the test ends.
struct Server {
    process: Child,
    address: String,
    lines: Option<BufReader<std::process::ChildStdout>>,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = command(folder, arguments).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("it says where it listens");
        let address = match serde_json::from_str::<Value>(&line) {
            Ok(told) => told["address"].as_str().expect("an address").to_owned(),
            Err(_) => line.trim().rsplit(' ').next().expect("an address").to_owned(),
        };
        Self { process, address: address.replace("http://", ""), lines: Some(lines) }
    }

    fn get(&self, path: &str) -> String {
        self.ask("GET", path)
    }

    fn post(&self, path: &str) -> String {
        self.ask("POST", path)
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out can be set");
        let request = format!("{method} {path} HTTP/1.1\r\nhost: parlance\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    fn terminate(&mut self) -> bool {
        let asked = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        assert!(asked.expect("kill runs").success());
        drop(self.lines.take());
        self.process.wait().expect("it ends").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--log", "warn"];
const CREATE: [&str; 6] = [
    "account",
    "create",
    "--name=Példa Kft.",
    "--admin-email=admin@example.hu",
    "--admin-name=Ádám",
    "--json",
];

#[test]
fn operators_work_through_the_server_that_holds_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path(), &SERVE);
    let created = json(&parlance(folder.path(), &CREATE));
    let account = created["account"].as_str().expect("an id");
    assert!(created["token"].as_str().expect("a token").starts_with("prl_"));
    let status = json(&parlance(folder.path(), &["projections", "status", "--json"]));
    assert_eq!(status["account"], account);
    let token = out(&parlance(
        folder.path(),
        &["member", "token", "--account", account, "--email", "ADMIN@example.hu"],
    ));
    assert!(token.starts_with("prl_"), "{token}");
    assert_eq!(out(&parlance(folder.path(), &["deadletters", "list", "--json"])), "");
    assert!(out(&parlance(folder.path(), &["operator", "token"])).starts_with("pro_"));
    let nobody =
        parlance(folder.path(), &["member", "token", "--account", account, "--email", "x@example.hu"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no active member"));
    // What wants the store for itself says who has it.
    let verify = parlance(folder.path(), &["projections", "verify"]);
    assert_eq!(verify.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&verify.stderr).contains("another process holds this store"));
    assert!(server.terminate(), "it ends well when it is asked to");
    let verify = parlance(folder.path(), &["projections", "verify"]);
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
    // The same commands on the store itself.
    assert!(out(&parlance(folder.path(), &["operator", "token"])).starts_with("pro_"));
    assert_eq!(json(&parlance(folder.path(), &["projections", "status", "--json"]))["account"], account);
}

#[test]
fn a_second_server_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _server = Server::start(folder.path(), &SERVE);
    let second = parlance(folder.path(), &SERVE);
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process holds this store"));
}

#[test]
fn a_server_says_how_it_fares() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &SERVE);
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    let ready = server.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains(r#""ready":true"#), "{ready}");
    out(&parlance(folder.path(), &CREATE));
    let metrics = server.get("/metrics");
    for name in ["parlance_events_appended_total", "parlance_append_seconds", "parlance_batch_commands"] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404"));
}

#[test]
fn the_operators_door_opens_to_its_secret_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &SERVE);
    let announced =
        std::fs::read_to_string(folder.path().join("data/parlance.db.lock")).expect("a lock file");
    let holder: Value = serde_json::from_str(&announced).expect("JSON");
    let address = holder["address"].as_str().expect("an address").to_owned();
    let ask = |secret: &str| {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        let body = r#""operator_token""#;
        let request = format!(
            "POST /operator HTTP/1.1\r\nhost: parlance\r\nauthorization: Bearer {secret}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    };
    assert!(ask("").starts_with("HTTP/1.1 403"));
    assert!(ask("guess").starts_with("HTTP/1.1 403"));
    let answer = ask(holder["secret"].as_str().expect("a secret"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("pro_"), "{answer}");
    assert_ne!(address, server.address);
    assert!(server.post("/operator").starts_with("HTTP/1.1 404"), "the world does not even find it");
}

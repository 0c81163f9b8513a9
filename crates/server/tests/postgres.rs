//! The binary on PostgreSQL, by its output and exit codes: what changes the database, which master key counts, and what
//! operators may do while servers run.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use parlance_private_postgres::{Database, Server};
use serde_json::Value;
use tempfile::TempDir;

/// What a password would be; the private server lets everybody in.
const PASSWORD: &str = "s3cr3t";

/// An empty database, its address with a password, and a folder.
struct Place {
    database: Database,
    folder: TempDir,
}

impl Place {
    /// `None`: there is no PostgreSQL, which was said loudly.
    fn new() -> Option<Self> {
        let server = Server::shared()?;
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let database = runtime.block_on(server.empty_database());
        Some(Self { database, folder: tempfile::tempdir().expect("a folder") })
    }

    fn command(&self, data: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PARLANCE_") {
                command.env_remove(name);
            }
        }
        let url = self.database.url.replacen('@', &format!(":{PASSWORD}@"), 1);
        command.env("PARLANCE_DATABASE_URL", url).env("PARLANCE_DATA_DIR", data);
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    fn run(&self, data: &str, arguments: &[&str]) -> Output {
        let output = self.command(data, arguments).output().expect("the binary runs");
        for told in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(told).contains(PASSWORD), "{arguments:?} prints the password");
        }
        output
    }

    fn done(&self, data: &str, arguments: &[&str]) -> String {
        let output = self.run(data, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn refused(&self, data: &str, arguments: &[&str], what: &str) {
        let output = self.run(data, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(what), "{arguments:?}: {said}");
    }

    fn key(&self, data: &str) -> std::path::PathBuf {
        self.folder.path().join(data).join("master.key")
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

/// A server or a demo, killed at the latest when the test ends.
struct Running {
    process: Child,
    line: String,
    _lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("it says where it listens");
        Self { process, line, _lines: lines }
    }

    fn get(&self, path: &str) -> String {
        let address = self.line.trim().rsplit("http://").next().expect("an address");
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out can be set");
        let request = format!("GET {path} HTTP/1.1\r\nhost: parlance\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    fn end(mut self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        assert!(asked.expect("kill runs").success());
        assert!(self.process.wait().expect("it ends").success(), "it ends well when it is asked to");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn copy_key(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder is made");
    std::fs::copy(from, to).expect("a key is copied");
}

#[test]
fn only_migrate_makes_tables_and_key_and_every_server_needs_the_same() {
    let Some(place) = Place::new() else { return };
    place.refused("data", &SERVE, "run `parlance migrate`");
    place.refused("data", &CREATE, "run `parlance migrate`");
    assert!(!place.key("data").exists(), "what is refused makes no key");
    let said = place.done("data", &["migrate"]);
    assert!(said.contains("was empty") && said.contains("master.key"), "{said}");
    let said = place.done("data", &["migrate"]);
    assert!(said.contains("is up to date") && !said.contains("master.key"), "{said}");

    // A second machine: without the key, with one of its own, and with a copy.
    for command in [&SERVE[..], &["migrate"], &["projections", "status"]] {
        place.refused("other", command, "every server of an installation needs the same");
        assert!(!place.key("other").exists(), "no second key is made");
    }
    copy_key(&place.key("data"), &place.key("other"));
    std::fs::write(place.key("other"), "0".repeat(64)).unwrap();
    place.refused("other", &SERVE, "every server of an installation needs the same");
    assert!(place.key("other").exists(), "a key that was there is left alone");
    copy_key(&place.key("data"), &place.key("other"));
    place.done("other", &CREATE);
}

#[test]
fn operators_work_while_servers_run() {
    let Some(place) = Place::new() else { return };
    place.done("data", &["migrate"]);
    copy_key(&place.key("data"), &place.key("other"));
    let (one, two) =
        (Running::start(place.command("data", &SERVE)), Running::start(place.command("other", &SERVE)));
    for server in [&one, &two] {
        let ready = server.get("/readyz");
        assert!(ready.starts_with("HTTP/1.1 200") && ready.contains(r#""ready":true"#), "{ready}");
    }
    let created: Value = serde_json::from_str(&place.done("data", &CREATE)).unwrap();
    let account = created["account"].as_str().unwrap();
    let email = ["--account", account, "--email", "admin@example.hu"];
    assert!(place.done("data", &[&["member", "token"][..], &email].concat()).starts_with("prl_"));
    assert!(!place.done("data", &[&["member", "reset-password"][..], &email].concat()).is_empty());
    assert!(place.done("other", &["operator", "token"]).starts_with("pro_"));
    assert_eq!(place.done("data", &["deadletters", "list", "--json"]), "");
    let status: Value =
        serde_json::from_str(&place.done("data", &["projections", "status", "--json"])).unwrap();
    assert_eq!(status["account"], account);
    assert!(place.done("data", &["projections", "verify"]).ends_with("1 accounts verified, 0 differences\n"));
    place.done("data", &["migrate"]);
    assert!(!place.folder.path().join("data/parlance.db.lock").exists(), "there is no lock file");
    one.end();
    two.end();
}

#[test]
fn a_demo_makes_its_tables_and_goes_on_the_next_time() {
    let Some(place) = Place::new() else { return };
    let demo = ["demo", "--json", "--rate", "0", "--listen", "127.0.0.1:0"];
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let running = Running::start(place.command("data", &demo));
        let told: Value = serde_json::from_str(&running.line).unwrap_or_else(|_| panic!("{}", running.line));
        tokens.push(told["members"][0]["token"].clone());
        running.end();
    }
    assert_eq!(tokens[0], tokens[1], "the same company");
    for file in ["master.key", "demo.json"] {
        assert!(place.folder.path().join("data").join(file).exists(), "{file}");
    }
    place.refused("other", &demo, "every server of an installation needs the same");
    copy_key(&place.key("data"), &place.key("other"));
    place.refused("other", &demo, "of an earlier demo is not there");
}

#[test]
fn help_does_not_show_the_address() {
    let Some(place) = Place::new() else { return };
    assert!(place.done("data", &["serve", "--help"]).contains("PARLANCE_DATABASE_URL"));
    let mut command = place.command("data", &["migrate"]);
    command.env("PARLANCE_DATABASE_URL", format!("postgres://u:{PASSWORD}@h:x/d"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && !said.contains(PASSWORD), "{said}");
}

//! A running `parlance serve`: started on a folder, asked over HTTP, ended or killed at the latest when it is
//! dropped.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use parlance_simulator::Sender;
use parlance_stores::DatabaseUrl;
use serde_json::{Value, json};

use crate::{app::PATIENCE, home::database_url};

/// The program on a folder and the database that belongs to it, with no setting from outside.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLANCE_") {
            command.env_remove(name);
        }
    }
    command.arg("--data-dir").arg(folder);
    if let DatabaseUrl::Postgres(url) = database_url(folder) {
        command.env("PARLANCE_DATABASE_URL", url.secret());
    }
    command
}

/// As an operator does it once for a database on PostgreSQL: makes the master key, which the embedded store's first
/// command makes by itself.
fn prepare(program: &str, folder: &Path) {
    if database_url(folder).file().is_none() && !folder.join("master.key").exists() {
        let migrated = command(program, folder).arg("migrate").output().expect("the program runs");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    }
}

/// Runs a command of the program on a folder, to its end.
pub fn run(program: &str, folder: &Path, arguments: &[&str]) -> Output {
    prepare(program, folder);
    command(program, folder).args(arguments).output().expect("the program runs")
}

/// Resident memory.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub now_mib: u64,
    pub most_mib: u64,
}

pub struct Served {
    process: Child,
    pub address: SocketAddr,
    http: reqwest::Client,
}

impl Served {
    /// Starts it on a free port, and waits until it listens. `providers`: where the providers' own APIs are.
    pub fn start(program: &str, folder: &Path, providers: &str, more: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", program, folder, providers, more)
    }

    /// The same, on this address.
    pub fn start_at(listen: &str, program: &str, folder: &Path, providers: &str, more: &[&str]) -> Self {
        prepare(program, folder);
        let mut command = command(program, folder);
        command
            .args(["serve", "--listen", listen, "--log", "error"])
            .args(["--graph-url", providers, "--twilio-url", providers, "--twilio-messaging-url", providers])
            .args(more);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().rsplit("http://").next().and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("it did not start; see above ({line:?})"));
        // The client insists on a choice of TLS, even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { process, address, http }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What asks it.
    pub fn client(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A provider's side: sends signed requests, without waiting long between tries.
    pub fn sender(&self) -> Sender {
        Sender::new(Duration::from_millis(10))
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(self.url(path)).send().await.expect("it answers");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// Asks the API; gives the whole answer, errors and all.
    pub async fn graphql(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = self.http.post(self.url("/graphql")).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = request.body(body).send().await.expect("it answers");
        let bytes = answer.bytes().await.expect("a body");
        serde_json::from_slice(&bytes).expect("the answer is JSON")
    }

    /// Asks for what must work; gives `data`.
    pub async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql(Some(token), query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].take()
    }

    /// Kills it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Asks it to end (SIGTERM).
    pub fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    /// Stops it where it stands (SIGSTOP), until it may go on.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on (SIGCONT).
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").arg(signal).arg(self.id().to_string()).status();
        assert!(told.expect("kill runs").success(), "it can be told {signal}");
    }

    /// Asks it to end (SIGTERM), and waits; whether it ended well.
    pub fn end(&mut self) -> bool {
        self.ask_to_end();
        self.process.wait().expect("it ends").success()
    }

    /// What it has in memory, and the most it ever had.
    pub fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
            line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
        };
        Memory { now_mib: kib("VmRSS:") >> 10, most_mib: kib("VmHWM:") >> 10 }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

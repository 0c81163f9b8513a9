//! The other contenders: programs in `bench/peers`, each started with a database's address, each printing one JSON
//! document. Made ready before anything is measured. One that cannot be had is left out, and that is told.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::{Contender, Rates, Size};
use crate::databases::Database;

/// Building, or fetching packages.
const PREPARING_MAX: Duration = Duration::from_secs(900);
/// A turn is some ten loads of seconds each; whoever takes ten times that is stuck.
const TURN_MAX: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(20);

/// The programs that are ready, and what is to be told of the others.
pub struct Children {
    ready: BTreeMap<Contender, Vec<PathBuf>>,
    /// Python's packages; removed at the end.
    _venv: Option<TempDir>,
    /// Names and versions, as they tell themselves.
    pub names: BTreeMap<Contender, String>,
    /// What is not in the table, and why.
    pub missing: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

impl Children {
    pub fn prepare() -> Self {
        let mut children =
            Self { ready: BTreeMap::new(), _venv: None, names: BTreeMap::new(), missing: Vec::new() };
        let mut take = |contender, made: anyhow::Result<Vec<PathBuf>>| match made {
            Ok(command) => {
                children.ready.insert(contender, command);
            }
            Err(error) => {
                eprintln!("*** NOT MEASURED: {contender:?}: {error:#} ***");
                children.missing.push(format!("{contender:?} was not measured: {error:#}"));
            }
        };
        take(Contender::CqrsEs, cqrs_es());
        take(Contender::Emmett, emmett());
        match eventsourcing() {
            Ok((venv, command)) => {
                take(Contender::Eventsourcing, Ok(command));
                children._venv = Some(venv);
            }
            Err(error) => take(Contender::Eventsourcing, Err(error)),
        }
        children
    }

    /// One contender's turn, if it is ready. One that fails is left out, and that is told.
    pub fn run(&mut self, contender: Contender, database: &Database, size: Size) -> Option<Rates> {
        let command = self.ready.get(&contender)?;
        match turn(contender, command, database, size) {
            Ok((name, rates, cannot)) => {
                for why in cannot {
                    let why = format!("{name} {why}");
                    if !self.missing.contains(&why) {
                        self.missing.push(why);
                    }
                }
                self.names.insert(contender, name);
                Some(rates)
            }
            Err(error) => {
                eprintln!("*** {contender:?} failed: {error:#} ***");
                self.missing.push(format!("{contender:?} failed in a round: {error:#}"));
                None
            }
        }
    }
}

fn cqrs_es() -> anyhow::Result<Vec<PathBuf>> {
    let manifest = folder().join("Cargo.toml");
    // Beside this program, wherever that was built.
    let target = std::env::current_exe()?;
    let target = target.parent().and_then(Path::parent).context("a program lies in a target folder")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(target);
    // As this program was built, so that both are optimised or neither.
    let folder = if cfg!(debug_assertions) { "debug" } else { "release" };
    if folder == "release" {
        cargo.arg("--release");
    }
    bounded(cargo.spawn()?, PREPARING_MAX).context("building bench/peers")?;
    Ok(vec![target.join(folder).join("parlance-peers")])
}

fn emmett() -> anyhow::Result<Vec<PathBuf>> {
    let place = folder().join("emmett");
    if !place.join("node_modules/.package-lock.json").exists() {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&place).stdout(Stdio::null());
        bounded(npm.spawn().context("npm")?, PREPARING_MAX).context("npm ci in bench/peers/emmett")?;
    }
    Ok(vec!["node".into(), place.join("main.mjs")])
}

fn eventsourcing() -> anyhow::Result<(TempDir, Vec<PathBuf>)> {
    let place = folder().join("eventsourcing");
    let venv = TempDir::new()?;
    let mut python = Command::new("python3");
    python.args(["-m", "venv"]).arg(venv.path());
    bounded(python.spawn().context("python3")?, PREPARING_MAX).context("python3 -m venv")?;
    let mut pip = Command::new(venv.path().join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    pip.arg(place.join("requirements.txt"));
    bounded(pip.spawn()?, PREPARING_MAX).context("pip install")?;
    let command = vec![venv.path().join("bin/python"), place.join("main.py")];
    Ok((venv, command))
}

/// Waits for a child's good end, and ends it when that takes too long.
#[expect(clippy::disallowed_methods, reason = "a child's end with a bound is looked for, now and then")]
fn bounded(mut child: Child, most: Duration) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "ended with {status}");
            return Ok(());
        }
        if begin.elapsed() > most {
            child.kill()?;
            child.wait()?;
            bail!("took longer than {most:?}");
        }
        thread::sleep(LOOK);
    }
}

type Told = (String, Rates, Vec<String>);

fn turn(contender: Contender, command: &[PathBuf], database: &Database, size: Size) -> anyhow::Result<Told> {
    let seconds = size.peer.as_secs_f64().to_string();
    let replayed = size.replayed.to_string();
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]).arg(&database.url).stdin(Stdio::null()).stdout(Stdio::piped());
    match contender {
        Contender::CqrsEs => child.args(["--seconds", &seconds, "--events", &replayed]),
        Contender::Emmett => child.args([&seconds, &replayed]),
        _ => child.arg(&seconds),
    };
    let mut child = child.spawn()?;
    // A document fits into the pipe many times over; still nobody waits for a reader.
    let mut output = child.stdout.take().context("a pipe was asked for")?;
    let reading = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    bounded(child, TURN_MAX)?;
    let text = reading.join().map_err(|_| anyhow::anyhow!("reading its output failed"))??;
    told(&text).with_context(|| format!("it printed {text:?}"))
}

fn told(text: &str) -> anyhow::Result<Told> {
    let document: serde_json::Value = serde_json::from_str(text)?;
    let name = document["peer"].as_str().context("a name")?.to_owned();
    let mut rates = Rates::new();
    for rate in document["rates"].as_array().context("rates")? {
        let what = rate["what"].as_str().context("what")?.to_owned();
        let tasks = usize::try_from(rate["tasks"].as_u64().context("tasks")?)?;
        rates.insert((what, tasks), rate["per_second"].as_f64().context("a rate")?);
    }
    let mut cannot = Vec::new();
    for part in document["cannot"].as_array().context("what it cannot")? {
        let (what, why) = (part["what"].as_str().context("what")?, part["why"].as_str().context("why")?);
        let tasks = part["tasks"].as_u64().map(|tasks| format!(" at {tasks}")).unwrap_or_default();
        cannot.push(format!("has no figure for `{what}`{tasks}: {why}"));
    }
    Ok((name, rates, cannot))
}

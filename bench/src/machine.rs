//! What the figures were measured on.

use std::{fs, process::Command};

use anyhow::Context as _;

use crate::{databases::Databases, world::Place};

/// Today, as the machine has it.
pub fn date() -> anyhow::Result<String> {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().context("date")?;
    Ok(String::from_utf8_lossy(&date.stdout).trim().to_owned())
}

/// What a private server is, for whoever is measured on it.
pub fn server(databases: &Databases) -> anyhow::Result<String> {
    Ok(format!(
        "a private PostgreSQL {}, `fsync` and `synchronous_commit` on, {}",
        databases.version()?,
        Databases::settings()
    ))
}

/// Machine, versions and command line, as the head of a section of RESULTS.md.
pub fn described(place: &Place) -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().next().and_then(|line| line.split_whitespace().nth(1));
    let memory = memory.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / (1 << 20);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output().map(|told| told.stdout).unwrap_or_default();
    let line: Vec<_> = std::env::args().skip(1).collect();
    Ok(format!(
        "`cargo run --release --manifest-path bench/Cargo.toml -- {}` (seed {})\n\n\
         {cores} cores, {memory} GiB, Linux {}, {}, SQLite {}\n\n",
        line.join(" "),
        place.seed,
        kernel.trim(),
        String::from_utf8_lossy(&rustc).trim(),
        rusqlite::version()
    ))
}

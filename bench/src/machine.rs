//! What the figures were measured on.

use std::{fs, process::Command};

use crate::world::Place;

/// Prints machine, versions and command line, as the head of a section of RESULTS.md.
pub fn print(place: &Place) -> anyhow::Result<()> {
    print!("{}", described(place)?);
    Ok(())
}

/// The same as a text.
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

//! `strace`: system calls as they were made, and made to fail.

use std::{collections::HashMap, io::Write as _, path::Path, process::Command};

/// Whether there is a strace. CI must have one; elsewhere its absence is said and its tests show nothing.
pub fn there_is_strace() -> bool {
    let found = Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    if !found {
        let required = std::env::var("PARLANCE_REQUIRE_STRACE").is_ok_and(|text| text == "1");
        assert!(!required, "strace is required here, and missing");
        // Past the capture of tests' output: a test that shows nothing must not look like one that does.
        let loudly = b"\nTHERE IS NO strace: NOTHING IS SHOWN ABOUT SYSTEM CALLS\n";
        std::io::stderr().write_all(loudly).expect("standard error is open");
    }
    found
}

/// A system call that has returned.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    /// The file descriptor, with its path: `9</folder/parlance.db-wal>`.
    pub file: String,
    /// Everything between the brackets.
    pub words: String,
    pub result: String,
    /// The places in the trace where it began and where it ended.
    pub began: usize,
    pub ended: usize,
}

impl Call {
    pub fn is_sync(&self) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync") && self.result == "0"
    }

    pub fn on(&self, path: &Path) -> bool {
        self.file.ends_with(&format!("<{}>", path.display()))
    }
}

/// Reads a trace made with `strace -f -y -o FILE`, its calls in the order in which they ended.
pub fn read(path: &Path) -> Vec<Call> {
    let text = String::from_utf8_lossy(&std::fs::read(path).expect("a trace was written")).into_owned();
    let mut open: HashMap<&str, (String, usize)> = HashMap::new();
    let mut calls = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let (thread, line) = line.split_once(' ').expect("a line names its thread");
        let line = line.trim_start();
        if let Some(begun) = line.strip_suffix(" <unfinished ...>") {
            open.insert(thread, (begun.to_owned(), place));
            continue;
        }
        let (whole, began) = match line.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, rest)) => {
                let (begun, began) = open.remove(thread).expect("what is resumed was begun");
                (begun + rest, began)
            }
            None => (line.to_owned(), place),
        };
        // Signals and ends of threads are no calls.
        let Some((call, result)) = whole.rsplit_once(" = ") else { continue };
        let Some((name, words)) = call.trim_end().split_once('(') else { continue };
        let file = words.split([',', ')']).next().unwrap_or_default();
        calls.push(Call {
            name: name.to_owned(),
            file: file.trim().to_owned(),
            words: words.to_owned(),
            result: result.trim().to_owned(),
            began,
            ended: place,
        });
    }
    assert!(!calls.is_empty(), "the trace shows calls");
    calls
}

//! A running `driven` as a test holds it: lines in, answers out, killed at the latest when it is dropped.

use std::{
    ffi::{OsStr, OsString},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::JoinHandle,
    time::Duration,
};

use super::{Answer, Order};
use crate::app::PATIENCE;

/// How to start it: the program, perhaps behind another one (`strace …`, `sh -c …`).
pub struct Launch(Vec<OsString>);

impl Launch {
    pub fn program(program: &str) -> Self {
        Self(vec![program.into()])
    }

    /// Another program in front, which is to run this one.
    #[must_use]
    pub fn behind<S: AsRef<OsStr>>(self, front: impl IntoIterator<Item = S>) -> Self {
        Self(front.into_iter().map(|word| word.as_ref().to_owned()).chain(self.0).collect())
    }

    #[must_use]
    pub fn with<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.0.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Starts it on a folder.
    pub fn start(self, folder: &Path) -> Child {
        let mut words = self.with([folder]).0.into_iter();
        let mut command = Command::new(words.next().expect("a launch has a program"));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn().expect("the program starts");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let (line, lines) = channel();
        let reader = std::thread::spawn(move || {
            // The last line of a killed process may be half of one.
            let whole = |text: &String| text.ends_with('\n');
            let mut output = output;
            loop {
                let mut text = String::new();
                match output.read_line(&mut text) {
                    Ok(read) if read > 0 && whole(&text) => {
                        if line.send(text.trim_end().to_owned()).is_err() {
                            return;
                        }
                    }
                    _ => return,
                }
            }
        });
        Child { program: process.id(), process, input, lines, reader: Some(reader) }
    }
}

/// A running `driven`.
pub struct Child {
    process: std::process::Child,
    /// The id of `driven` itself, known once it is ready: it may run behind another program.
    program: u32,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Child {
    /// Waits until it is open; says where its log ends.
    pub fn ready(&mut self) -> u64 {
        self.ready_within(PATIENCE).expect("it opens")
    }

    /// The same, for at most `limit`; `None`: not yet, or never.
    pub fn ready_within(&mut self, limit: Duration) -> Option<u64> {
        let line = self.lines.recv_timeout(limit).ok()?;
        let (head, program) = line.strip_prefix("ready ")?.split_once(' ')?;
        self.program = program.parse().ok()?;
        head.parse().ok()
    }

    /// Asks. Whether it still listens shows in its answers.
    pub fn send(&mut self, id: u64, order: &Order) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(format!("{id} {order}\n").as_bytes());
        }
    }

    /// The next answer, if one comes in time.
    pub fn answer(&mut self, limit: Duration) -> Option<(u64, Answer)> {
        self.lines.recv_timeout(limit).ok().map(|line| Self::parsed(&line))
    }

    fn parsed(line: &str) -> (u64, Answer) {
        let (id, answer) = line.split_once(' ').expect("a number and an answer");
        (id.parse().expect("a number"), answer.parse().expect("an answer"))
    }

    /// Asks, and waits for this very answer.
    pub fn ask(&mut self, id: u64, order: &Order) -> Answer {
        self.send(id, order);
        let (answered, answer) = self.answer(PATIENCE).expect("it lives and answers");
        assert_eq!(answered, id, "one order at a time has one answer at a time");
        answer
    }

    /// Kills it at once (SIGKILL), and gives what it had answered by then.
    pub fn kill(mut self) -> Vec<(u64, Answer)> {
        if self.program == self.process.id() {
            self.process.kill().expect("it can be killed");
        } else {
            let killed = Command::new("kill").arg("-KILL").arg(self.program.to_string()).status();
            assert!(killed.expect("kill runs").success(), "it can be killed");
        }
        self.process.wait().expect("it ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with the process");
        }
        self.lines
            .try_iter()
            .filter(|line| !line.starts_with("ready "))
            .map(|line| Self::parsed(&line))
            .collect()
    }

    /// Ends its input and waits for its end; whether it ended well.
    pub fn finish(mut self) -> bool {
        self.input = None;
        self.process.wait().expect("it ends").success()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

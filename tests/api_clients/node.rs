//! A script of `tests/clients/` in a node of its own, told by its lines of JSON.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use parlance_tests::PATIENCE;
use serde_json::Value;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

pub struct Script {
    node: Child,
    lines: UnboundedReceiver<Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Whether the clients are installed here; where they need not be, the test is passed over.
pub fn installed() -> bool {
    if folder().join("node_modules/graphql-ws").is_dir() {
        return true;
    }
    let required = std::env::var("PARLANCE_REQUIRE_NODE").is_ok_and(|required| required == "1");
    assert!(!required, "the clients are required: run `npm ci` in tests/clients");
    eprintln!("PASSED OVER: the clients are not installed; run `npm ci` in tests/clients");
    false
}

impl Script {
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let mut node = Command::new("node")
            .arg(name)
            .args(arguments)
            .current_dir(folder())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let output = BufReader::new(node.stdout.take().expect("its output is a pipe"));
        // As many as the script says, and a script of ours ends.
        let (tell, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self { node, lines }
    }

    /// The next line; `None`: the script has ended.
    pub async fn says(&mut self) -> Option<Value> {
        timeout(PATIENCE, self.lines.recv()).await.expect("the script says something")
    }

    /// The first line from now on that is like this.
    pub async fn until(&mut self, what: &str, mut like: impl FnMut(&Value) -> bool) -> Value {
        let found = async {
            let mut last = None;
            loop {
                let next = self.lines.recv().await;
                let line = next.unwrap_or_else(|| panic!("the script ended before {what}, after {last:?}"));
                if like(&line) {
                    return line;
                }
                last = Some(line);
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no {what} in time"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

//! How many files the process may have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many connections as are served at once, and some hundred for the store and everything else.
const WANTED: u64 = 8_192;

/// Raises the soft limit as far as it is needed and the hard one allows; says so where that is too little.
pub fn allow_many() {
    let limit = getrlimit(Resource::Nofile);
    let reached = limit.maximum.map_or(WANTED, |hard| hard.min(WANTED));
    let enough = limit.current.is_none_or(|soft| soft >= reached);
    if !enough && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(reached), ..limit }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    if reached < WANTED {
        tracing::warn!(
            limit = reached,
            "few files may be open, and each connection is one: raise the hard limit (ulimit -Hn) to {WANTED}"
        );
    }
}

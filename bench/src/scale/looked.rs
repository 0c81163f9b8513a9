//! The store's own calls, each asked once, and what its statements did beside what they may.

use std::{collections::BTreeMap, future::Future};

use parlance_store::StoreError;

use super::told::{self, Run};

/// An index is four levels deep, its row is in a page of the table, and a page that is full of what is gone by now, or
/// was split, leads to another one.
const PAGES_A_ROW: u64 = 8;
/// As many for the table and each of its indexes, five at most.
const PAGES_A_ROW_WRITTEN: u64 = 48;
/// What a statement touches besides: the table's own pages of free space, and what is asked first on a connection.
const PAGES_BESIDES: u64 = 32;

/// As many rows as a statement may come upon, seek, sort; and why so many.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub rows: usize,
    pub why: &'static str,
}

/// A call's statement.
#[derive(Debug)]
pub struct Line {
    pub call: String,
    pub run: Run,
    pub bound: Bound,
    /// Why it may not be so.
    pub broken: Vec<String>,
}

#[derive(Default)]
pub struct Looked {
    pub lines: Vec<Line>,
}

impl Looked {
    /// Asks, and judges what was done for it; the answer.
    pub async fn at<T>(
        &mut self,
        call: &str,
        (rows, why): (usize, &'static str),
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> anyhow::Result<T> {
        self.told_of(call, asked, |_| Bound { rows, why }).await
    }

    /// The same, with a bound that the answer tells.
    pub async fn told_of<T>(
        &mut self,
        call: &str,
        asked: impl Future<Output = Result<T, StoreError>>,
        bound: impl FnOnce(&T) -> Bound,
    ) -> anyhow::Result<T> {
        told::runs()?;
        let answer = asked.await.map_err(|error| anyhow::anyhow!("{call}: {error:?}"))?;
        let bound = bound(&answer);
        let runs = told::runs()?;
        anyhow::ensure!(!runs.is_empty(), "{call}: no statement was told of");
        // The dearest of those that are the same.
        let mut dearest: BTreeMap<String, Run> = BTreeMap::new();
        for run in runs {
            let is_dearer =
                dearest.get(&run.text).is_none_or(|other| (run.rows, run.pages) > (other.rows, other.pages));
            if is_dearer {
                dearest.insert(run.text.clone(), run);
            }
        }
        // What looks at no table does nothing that a table's size could make dear.
        for run in dearest.into_values().filter(|run| !run.what.is_empty()) {
            let broken = judged(&run, bound);
            for why in &broken {
                eprintln!("*** {call}: {why}: {} ***", run.text);
            }
            self.lines.push(Line { call: call.to_owned(), run, bound, broken });
        }
        Ok(answer)
    }

    pub fn broken(&self) -> usize {
        self.lines.iter().filter(|line| !line.broken.is_empty()).count()
    }
}

fn judged(run: &Run, bound: Bound) -> Vec<String> {
    let mut broken = run.wrong.clone();
    let most = bound.rows as u64;
    for (what, number) in [("rows read", run.rows), ("seeks", run.seeks), ("rows sorted", run.sorted)] {
        if number > most {
            broken.push(format!("{number} {what} where {most} are allowed ({})", bound.why));
        }
    }
    let pages = PAGES_A_ROW * most + PAGES_A_ROW_WRITTEN * run.written + PAGES_BESIDES;
    // A function's own statements are told besides.
    if !run.is_function && run.pages > pages {
        broken.push(format!("{} pages where {pages} are allowed", run.pages));
    }
    broken
}

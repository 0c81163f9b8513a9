//! A Parlance driven by lines: one order in, one answer out, as many at once as are written. It ends when its
//! input does. Test support; it never ships.
//!
//! `driven FOLDER [--max-pages N] [--still]`; still: no projections and no policies run.

use std::{io::Write as _, path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use parlance_store::EventLog as _;
use parlance_tests::driven::{Crew, Order};
use tokio::{runtime::Runtime, task::JoinSet};

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let (mut folder, mut max_pages, mut still) = (None, None, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--max-pages" => max_pages = Some(words.next().context("how many?")?.parse()?),
            "--still" => still = true,
            _ if word.starts_with("--") => bail!("no such option: {word}"),
            _ => folder = Some(PathBuf::from(word)),
        }
    }
    let folder = folder.context("which folder?")?;
    let runtime = Runtime::new()?;
    let mut crew = runtime.block_on(Crew::open(&folder, max_pages))?;
    if !still {
        let _runtime = runtime.enter();
        crew.parlance.start();
    }
    let head = runtime.block_on(crew.parlance.store.head(crew.account))?;
    say(&format!("ready {} {}\n", head.position, std::process::id()))?;

    let crew = Arc::new(crew);
    let mut orders = JoinSet::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        let (id, order) = line.split_once(' ').context("a number and an order")?;
        let (id, order) = (id.parse()?, order.parse::<Order>()?);
        let crew = Arc::clone(&crew);
        orders.spawn_on(
            async move {
                let answer = crew.carry_out(id, order).await;
                say(&format!("{id} {answer}\n"))
            },
            runtime.handle(),
        );
        while let Some(said) = orders.try_join_next() {
            said??;
        }
    }
    runtime.block_on(async {
        while let Some(said) = orders.join_next().await {
            said??;
        }
        Ok(())
    })
}

/// A line in one piece.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

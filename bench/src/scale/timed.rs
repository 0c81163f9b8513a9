//! Pages beside each other, by the store's port: the first and one that is far, of a large account and a small one.

use std::time::{Duration, Instant};

use parlance_store::{Bucket, FIRST_GENERATION, Pages as _, Place, ThreadOrder};
use parlance_store_postgres::PostgresStore;
use tokio_postgres::Client;

use super::sample::{FAR, ITEMS, Sample, far};
use crate::measure::{millis, percentile, ratio};

/// Of each page; before them a tenth, which fills caches and is not counted.
const TURNS: usize = 1_000;
/// Nothing may cost more than this times what it stands beside.
const GOAL: f64 = 1.2;

/// A page of a section.
struct Page<'a> {
    of: &'a Sample,
    buckets: Vec<Bucket>,
    after: Option<Place>,
}

/// A comparison's line: which pages, their medians, and the second's multiple of the first.
pub struct Timed {
    pub what: String,
    pub medians: [Duration; 2],
}

impl Timed {
    pub fn ratio(&self) -> f64 {
        self.medians[1].as_secs_f64() / self.medians[0].as_secs_f64()
    }

    pub fn is_met(&self) -> bool {
        self.ratio() <= GOAL
    }

    pub fn line(&self) -> String {
        let verdict = if self.is_met() { "met" } else { "**missed**" };
        let [one, other] = self.medians.map(millis);
        format!("| {} | {one} | {other} | {} | {GOAL}: {verdict} |", self.what, ratio(self.ratio()))
    }
}

async fn by_turns<F: Future<Output = anyhow::Result<()>>>(
    what: &str,
    ask: impl Fn(usize) -> F,
) -> anyhow::Result<Timed> {
    let mut times = [Vec::with_capacity(TURNS), Vec::with_capacity(TURNS)];
    for turn in 0..TURNS + TURNS / 10 {
        // Who is first changes: the second one finds the processor's caches warmer.
        for side in [turn % 2, 1 - turn % 2] {
            let begin = Instant::now();
            ask(side).await?;
            if turn >= TURNS / 10 {
                times[side].push(begin.elapsed());
            }
        }
    }
    Ok(Timed { what: what.to_owned(), medians: times.map(|mut times| percentile(&mut times, 50)) })
}

async fn sections(store: &PostgresStore, what: &str, pages: [Page<'_>; 2]) -> anyhow::Result<Timed> {
    let pages = &pages;
    by_turns(what, |side| async move {
        let Page { of, buckets, after } = &pages[side];
        let page = store.section_page(of.account, FIRST_GENERATION, buckets.clone(), *after, ITEMS).await?;
        anyhow::ensure!(page.len() == ITEMS, "{} conversations on a page", page.len());
        Ok(())
    })
    .await
}

pub async fn run(
    store: &PostgresStore,
    client: &Client,
    large: &Sample,
    small: &Sample,
) -> anyhow::Result<Vec<Timed>> {
    let mut all = Vec::new();
    let first = |of| Page { of, buckets: Sample::unassigned(of), after: None };
    let all_closed =
        |of: &Sample| of.section(|bucket| bucket.assignee.is_none() && bucket.state.as_str() == "closed");
    for (name, buckets) in [("unassigned", large.unassigned()), ("closed, nobody's", all_closed(large))] {
        if let Some(after) = far(client, large.account, &buckets).await? {
            let page = |after| Page { of: large, buckets: buckets.clone(), after };
            let what = format!("{name}, {} buckets: page 1 and page {FAR}", buckets.len());
            all.push(sections(store, &what, [page(None), page(Some(after))]).await?);
        }
    }
    let what = "unassigned: page 1 of a small account and of the large one";
    all.push(sections(store, what, [first(small), first(large)]).await?);
    if let Some(after) = large.long_far {
        let after = &after;
        let what = format!("a long thread: page 1 and page {FAR}");
        let thread = by_turns(&what, |side| async move {
            let (order, beyond) = (ThreadOrder::OldestFirst, (side == 1).then_some(*after));
            let pages =
                store.thread_pages(large.account, FIRST_GENERATION, vec![large.long], order, beyond, ITEMS);
            anyhow::ensure!(pages.await?.iter().all(|page| page.len() == ITEMS), "a page is short");
            Ok(())
        });
        all.push(thread.await?);
    }
    Ok(all)
}

//! The section of RESULTS.md.

use std::process::Command;

use anyhow::Context as _;
use tokio_postgres::Client;

use super::{Size, looked::Looked, sample::Sample, timed::Timed};
use crate::{machine, sections, world::Place};

pub fn write(section: &str) -> anyhow::Result<()> {
    sections::write("scale", "scale", section)
}

pub async fn section(
    place: &Place,
    client: &Client,
    size: Size,
    large: &Sample,
    timed: &[Timed],
    looked: &Looked,
) -> anyhow::Result<String> {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().context("date")?;
    let date = String::from_utf8_lossy(&date.stdout).trim().to_owned();
    let told = client
        .query_one(
            "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database()))",
            &[],
        )
        .await?;
    let version: &str = told.get(0);
    let version = version.split(' ').next().unwrap_or_default();
    let bytes: &str = told.get(1);
    let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
    let mut text = "## Statements and pages at a million conversations, on PostgreSQL\n\n".to_owned();
    text += &machine::described(place)?;
    text += &format!(
        "One account of {} conversations and {} messages (events, and rows of threads, with {} sealed bytes each), and {} accounts of {} \
         and {}, on a private PostgreSQL {version} ({bytes}); loaded by statements, indexes made after, `VACUUM (ANALYZE)`; {date}, \
         {build}. {} of its buckets hold anything, {} conversations the largest; its longest thread has 50,000 messages at ten \
         million.\n\n",
        size.conversations,
        size.messages,
        super::CONTENT_BYTES,
        size.others,
        super::SMALL[0],
        super::SMALL[1],
        large.buckets.len(),
        large.buckets.first().map_or(0, |(_, count)| *count),
    );
    text += "By the store's port, a page of 25, by turns, medians of 1,000:\n\n| pages | one | other | other / one | goal |\n|---|---|---|---|---|\n";
    for timed in timed {
        text += &timed.line();
        text += "\n";
    }
    text += &format!(
        "\nEvery statement of a request's path and of the folds, as `auto_explain` tells of it with the store's own settings, those \
         inside of functions too; each was asked once, so `ms` says little. Allowed are scans by an index and by places that an index gave, \
         nested loops, and no more rows read, seeks or rows sorted than stands under \"at most\"; the pages are bound by that. Statements: {}; \
         breaking the rule: {}.\n\n| call | statement on | by | rows read | at most | pages | ms |\n|---|---|---|---|---|---|---|\n",
        looked.lines.len(),
        looked.broken()
    );
    for line in &looked.lines {
        let run = &line.run;
        let broken = if line.broken.is_empty() { "" } else { " **broken**" };
        text += &format!(
            "| {} | {}{broken} | {} | {} | {} ({}) | {} | {:.2} |\n",
            line.call,
            run.what,
            run.indexes.join(", "),
            run.rows,
            line.bound.rows,
            line.bound.why,
            run.pages,
            run.ms
        );
    }
    Ok(text)
}

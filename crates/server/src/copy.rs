//! `parlance copy`: from the embedded store to PostgreSQL, or between any two. Everything that is copied is sealed as it
//! was, so no key is needed, and the master key goes on fitting.

use std::{io::IsTerminal as _, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use parlance_stores::{AnyStore, CopyError, DatabaseUrl, OpenOptions, Progress, copy};
use serde_json::json;

use crate::{config::Config, progress};

/// Where there is no terminal a line is printed for each of so many parts of the whole.
const LINES: u64 = 20;

#[derive(Args)]
pub struct Options {
    /// The store to copy, as `sqlite:///srv/parlance/parlance.db`; no server may have it open
    #[arg(long, env = "PARLANCE_COPY_FROM", hide_env_values = true, value_name = "URL")]
    from: String,
    /// An empty store to copy it into, as `postgres://parlance@db.example.com/parlance`; or one that an earlier try
    /// was broken off at. With a password better by the variable: others on the machine can see arguments
    #[arg(long, env = "PARLANCE_COPY_TO", hide_env_values = true, value_name = "URL")]
    to: String,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Config, options: Options) -> anyhow::Result<ExitCode> {
    let (from_url, to_url) = (DatabaseUrl::read(&options.from)?, DatabaseUrl::read(&options.to)?);
    anyhow::ensure!(from_url != to_url, "a store cannot be copied into itself");
    if let Some(file) = from_url.file() {
        anyhow::ensure!(file.exists(), "there is no store {}", file.display());
    }
    let from = opened(&from_url).await?;
    if let DatabaseUrl::Postgres(_) = to_url {
        let migrating = || format!("cannot make the tables of {to_url}");
        AnyStore::migrate(&to_url).await.with_context(migrating)?;
    }
    let to = opened(&to_url).await?;
    let bar = progress::bar(0);
    let lines = !std::io::stderr().is_terminal() && !options.json;
    let mut printed = 0;
    let told = |progress: Progress| {
        bar.set_length(progress.events);
        bar.set_position(progress.events_done);
        bar.set_message(format!("events, {}/{} accounts", progress.accounts_done, progress.accounts));
        let part = progress.events_done * LINES / progress.events.max(1);
        if lines && part > printed {
            printed = part;
            eprintln!("{} of {} events copied and compared", progress.events_done, progress.events);
        }
    };
    let copied = copy(&from, &to, told).await;
    bar.finish_and_clear();
    let copied = match copied {
        // What has arrived stays.
        Err(error @ CopyError::Store(_)) => {
            let stopped = "the copy has stopped; run the same command again, and it goes on from here";
            return Err(anyhow::Error::new(error).context(stopped));
        }
        copied => copied.with_context(|| format!("cannot copy into {to_url}"))?,
    };
    if options.json {
        println!("{}", json!({ "accounts": copied.accounts, "events": copied.events_done }));
    } else {
        println!(
            "{} events of {} accounts are in {to_url}, each compared byte by byte. Serve it with the same master key \
             ({}); the read models are folded when the first server starts.",
            copied.events_done,
            copied.accounts,
            config.master_key_file.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn opened(url: &DatabaseUrl) -> anyhow::Result<AnyStore> {
    let opened = AnyStore::open(url, OpenOptions::default()).await;
    opened.with_context(|| format!("cannot open the store {url}"))
}

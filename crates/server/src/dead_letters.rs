//! `parlance deadletters list`: what was kept because it could not be taken. Never its content.

use std::process::ExitCode;

use clap::Subcommand;
use parlance_domain::AccountId;
use serde_json::Value;

use crate::{
    config::Config,
    operator::{self, Request},
};

#[derive(Subcommand)]
pub enum Command {
    /// List kept deliveries, newest first: when, of which connection, and why
    List {
        /// Only this account [default: all]
        #[arg(long)]
        account: Option<AccountId>,
        /// Only those before this position; goes with --account
        #[arg(long, requires = "account")]
        before: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
        /// Print one JSON object a delivery
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let Command::List { account, before, limit, json } = command;
    let limit = usize::try_from(limit)?;
    let listed = operator::ask(config, Request::DeadLetters { account, before, limit }).await?;
    for letter in listed["deadLetters"].as_array().into_iter().flatten() {
        if json {
            println!("{letter}");
        } else {
            let text = |key: &str| letter[key].as_str().unwrap_or_default().to_owned();
            println!(
                "{} {} {:<15} {:>7} bytes, {} of {}, until {} ({}, position {})",
                text("keptAt"),
                text("id"),
                text("because"),
                letter["bytes"],
                text("connection"),
                text("account"),
                text("expiresAt"),
                text("fate"),
                letter["position"],
            );
        }
    }
    if !json && listed["more"] == Value::Bool(true) {
        println!("There are more; see --account, --before and --limit.");
    }
    Ok(ExitCode::SUCCESS)
}

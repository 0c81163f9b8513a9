//! The `parlance` binary: reads its settings, opens the store, runs one subcommand.
//!
//! Exit codes: 0 done; 1 done, and something is wrong with what was looked at (`projections verify`);
//! 2 not done (usage, settings, store, keys). What goes wrong is said on standard error; standard output
//! holds results only.

mod account;
mod config;
mod migrate;
mod open;
mod progress;
mod projections;
mod telemetry;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags};

#[derive(Parser)]
#[command(
    name = "parlance",
    version,
    about = "The messaging inbox for sales teams",
    propagate_version = true
)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the store if there is none, and bring its tables up to date
    Migrate,
    /// Accounts: the companies that share this installation
    #[command(subcommand)]
    Account(account::Command),
    /// Read models: where they stand, and whether they are what the log says
    #[command(subcommand)]
    Projections(projections::Command),
}

fn main() -> ExitCode {
    let Arguments { flags, command } = Arguments::parse();
    match run(flags, command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("parlance: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(flags: Flags, command: Command) -> anyhow::Result<ExitCode> {
    let config = Config::read(flags)?;
    telemetry::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Migrate => migrate::run(&config).await,
            Command::Account(command) => account::run(&config, command).await,
            Command::Projections(command) => projections::run(&config, command).await,
        }
    })
}

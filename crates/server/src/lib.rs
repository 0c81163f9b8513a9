//! The `parlance` command line: reads its settings, opens the store, runs one subcommand.
//!
//! Exit codes: 0 done; 1 done, and something is wrong with what was looked at (`projections verify`);
//! 2 not done (usage, settings, store, keys). What goes wrong is said on standard error; standard output
//! holds results only.

mod account;
mod config;
mod copy;
mod dead_letters;
mod demo;
mod files;
pub mod http;
mod local;
mod member;
mod migrate;
mod oidc;
mod open;
mod operator;
mod operator_token;
mod progress;
mod projections;
mod serve;
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
    /// Serve the GraphQL API and take webhooks
    Serve,
    /// Try it: a company with five members and customers who write, all on this machine
    Demo(demo::Options),
    /// Make the store if there is none, and bring its tables up to date
    Migrate,
    /// Copy a store into an empty one: from the embedded store to PostgreSQL, say
    Copy(copy::Options),
    /// Accounts: the companies that share this installation
    #[command(subcommand)]
    Account(account::Command),
    /// Members of accounts
    #[command(subcommand)]
    Member(member::Command),
    /// Those who run the installation
    #[command(subcommand)]
    Operator(operator_token::Command),
    /// Deliveries of providers that could not be taken, and were kept
    #[command(subcommand, name = "deadletters")]
    DeadLetters(dead_letters::Command),
    /// Print the GraphQL schema
    Schema,
    /// Read models: where they stand, and whether they are what the log says
    #[command(subcommand)]
    Projections(projections::Command),
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
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
    // The demo's own output is what is looked at.
    telemetry::start(&config, if matches!(command, Command::Demo(_)) { "warn" } else { "info" })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve::run(&config).await,
            Command::Demo(options) => demo::run(config, options).await,
            Command::Member(command) => member::run(&config, command).await,
            Command::Operator(command) => operator_token::run(&config, command).await,
            Command::DeadLetters(command) => dead_letters::run(&config, command).await,
            Command::Schema => {
                print!("{}", parlance_graphql::sdl());
                Ok(ExitCode::SUCCESS)
            }
            Command::Copy(options) => copy::run(&config, options).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Account(command) => account::run(&config, command).await,
            Command::Projections(command) => projections::run(&config, command).await,
        }
    })
}

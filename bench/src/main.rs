//! Load and floors, measured side by side: every ratio is of two things run by turns in one process, because
//! machines differ and drift. Prints a Markdown table with the machine it ran on; see RESULTS.md.

mod cold;
mod commands;
mod databases;
mod floor;
mod goals;
mod http;
mod lag;
mod machine;
mod measure;
mod memory;
mod page;
mod peers;
mod rebuild;
mod report;
mod scale;
mod sections;
mod seen;
mod served;
mod sockets;
mod wire;
mod world;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{databases::Databases, report::Report, world::Place};

/// Measures Parlance.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
    /// Where stores are made; a temporary folder by default. Its disk is what is measured.
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    /// Seeds ids, keys and nonces.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Turns of each side; the median counts.
    #[arg(long, global = true, default_value_t = ROUNDS)]
    rounds: usize,
    /// On a private PostgreSQL server, in the system's temporary folder, instead of the embedded store. A whole run of
    /// commands, rebuild, lag, http or page writes its section into RESULTS.md.
    #[arg(long, global = true)]
    postgres: bool,
}

/// What a whole run is; one that does less is not worth writing down.
const ROUNDS: usize = 3;
const COMMANDS: usize = 40_000;
const REBUILT: usize = 100_000;
const LAGGING: usize = 60_000;
const DELIVERIES: usize = 40_000;
const SECONDS: u64 = 10;
const LARGE: usize = 100_000;
const PAGES: usize = 8_000;

#[derive(Subcommand)]
enum What {
    /// The command path beside the bare store.
    Commands {
        /// Commands of a turn, where many are asked at once.
        #[arg(long, default_value_t = COMMANDS)]
        commands: usize,
    },
    /// Folding the whole log into rows beside reading and decoding it.
    Rebuild {
        #[arg(long, default_value_t = REBUILT)]
        events: usize,
    },
    /// From the answer to the read models, at half of the maximal load.
    Lag {
        #[arg(long, default_value_t = LAGGING)]
        commands: usize,
    },
    /// Signed webhooks over HTTP beside the bare store, and from their answer until they are seen.
    Http {
        /// Deliveries of a turn.
        #[arg(long, default_value_t = DELIVERIES)]
        events: usize,
        /// How long deliveries arrive at half of the maximal load.
        #[arg(long, default_value_t = SECONDS)]
        seconds: u64,
    },
    /// A page of the inbox over GraphQL beside the same schema answering from memory.
    Page {
        /// Conversations of the large inbox.
        #[arg(long, default_value_t = LARGE)]
        large: usize,
        /// Pages of a turn at many connections.
        #[arg(long, default_value_t = PAGES)]
        pages: usize,
    },
    /// From a webhook's answer to all who follow the inbox on sockets, and what a socket costs in memory.
    Sockets {
        #[arg(long, default_value_t = 2_000)]
        sockets: usize,
        /// Messages, one after the other.
        #[arg(long, default_value_t = 50)]
        messages: usize,
    },
    /// Ours on PostgreSQL beside the bare floor, stock cqrs-es with postgres-es, emmett and Python's eventsourcing, all
    /// on one private server. Writes its table into RESULTS.md.
    Peers {
        /// Two minutes, to see that it works; writes nothing.
        #[arg(long)]
        quick: bool,
        /// Ours on the embedded store instead.
        #[arg(long)]
        embedded: bool,
    },
    /// The plans of all statements of a request's path on PostgreSQL, in an account of this size among small ones, and
    /// its pages beside each other. Writes its table into RESULTS.md when it is as large as by default.
    Scale {
        #[arg(long, default_value_t = scale::WHOLE.conversations)]
        conversations: usize,
        #[arg(long, default_value_t = scale::WHOLE.messages)]
        messages: usize,
        /// Small accounts besides.
        #[arg(long, default_value_t = scale::WHOLE.others)]
        others: usize,
        /// An empty database to fill instead of a private server's, or one that was filled before.
        #[arg(long)]
        url: Option<String>,
    },
    /// Commands on states that no cache holds, and in accounts of different sizes.
    Cold {
        #[arg(long, default_value_t = 100_000)]
        large: usize,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    if let Some(code) = served::as_child() {
        return Ok(code);
    }
    run(Args::parse()).map(|()| ExitCode::SUCCESS)
}

impl What {
    /// Of what RESULTS.md has a section on PostgreSQL: its name and title, and whether this run is a whole one.
    fn section(&self) -> Option<(&'static str, &'static str, bool)> {
        Some(match *self {
            Self::Commands { commands } => ("commands", "The command path", commands >= COMMANDS),
            Self::Rebuild { events } => ("rebuild", "Rebuild", events >= REBUILT),
            Self::Lag { commands } => ("lag", "Lag", commands >= LAGGING),
            Self::Http { events, seconds } => {
                ("http", "Ingestion over HTTP", events >= DELIVERIES && seconds >= SECONDS)
            }
            Self::Page { large, pages } => ("page", "The inbox page", large >= LARGE && pages >= PAGES),
            Self::Sockets { .. } | Self::Peers { .. } | Self::Scale { .. } | Self::Cold { .. } => {
                return None;
            }
        })
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    if let What::Peers { quick, embedded } = args.what {
        anyhow::ensure!(
            !args.postgres,
            "peers are measured on PostgreSQL anyway; --embedded is the other store"
        );
        let place = Place { folder: args.folder, seed: args.seed, databases: None };
        return peers::run(&place, args.rounds, peers::Choice { quick, embedded });
    }
    if let What::Scale { conversations, messages, others, url } = args.what {
        let place = Place { folder: args.folder, seed: args.seed, databases: None };
        return scale::run(&place, scale::Size { conversations, messages, others }, url);
    }
    let databases = args.postgres.then(Databases::start).transpose()?;
    let place = Place { folder: args.folder, seed: args.seed, databases };
    let mut intro = machine::described(&place)?;
    if let Some(databases) = &place.databases {
        intro +=
            &format!("On {}; {}; {} rounds.\n\n", machine::server(databases)?, machine::date()?, args.rounds);
    }
    print!("{intro}");
    let section = args.what.section();
    let mut report = Report::new(place.goals());
    let (rounds, told) = (args.rounds, &mut report);
    match args.what {
        What::Commands { commands } => commands::run(&place, told, rounds, commands)?,
        What::Rebuild { events } => rebuild::run(&place, told, rounds, events)?,
        What::Lag { commands } => lag::run(&place, told, rounds, commands)?,
        What::Http { events, seconds } => http::run(&place, told, rounds, events, seconds)?,
        What::Page { large, pages } => page::run(&place, told, rounds, large, pages)?,
        What::Sockets { sockets, messages } => sockets::run(&place, sockets, messages)?,
        What::Cold { large } => cold::run(&place, large)?,
        What::Peers { .. } | What::Scale { .. } => {}
    }
    let Some((name, title, whole)) = section else { return Ok(()) };
    let text = report.into_text();
    if place.databases.is_none() {
        return Ok(());
    }
    if cfg!(debug_assertions) || !whole || rounds < ROUNDS {
        eprintln!(
            "not written into RESULTS.md: that takes an optimised build, and no less than is done by default"
        );
        return Ok(());
    }
    let section = format!("## {title}, on PostgreSQL\n\n{intro}{text}");
    sections::write(&format!("{name}-postgres"), &format!("{name} --postgres"), &section)
}

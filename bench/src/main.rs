//! Load and floors, measured side by side: every ratio is of two things run by turns in one process, because
//! machines differ and drift. Prints a Markdown table with the machine it ran on; see RESULTS.md.

mod cold;
mod commands;
mod floor;
mod http;
mod lag;
mod machine;
mod measure;
mod memory;
mod page;
mod peers;
mod rebuild;
mod scale;
mod seen;
mod served;
mod sockets;
mod wire;
mod world;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

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
    #[arg(long, global = true, default_value_t = 3)]
    rounds: usize,
}

#[derive(Subcommand)]
enum What {
    /// The command path beside the bare store.
    Commands {
        /// Commands of a turn, where many are asked at once.
        #[arg(long, default_value_t = 40_000)]
        commands: usize,
    },
    /// Folding the whole log into rows beside reading and decoding it.
    Rebuild {
        #[arg(long, default_value_t = 100_000)]
        events: usize,
    },
    /// From the answer to the read models, at half of the maximal load.
    Lag {
        #[arg(long, default_value_t = 60_000)]
        commands: usize,
    },
    /// Signed webhooks over HTTP beside the bare store, and from their answer until they are seen.
    Http {
        /// Deliveries of a turn.
        #[arg(long, default_value_t = 40_000)]
        events: usize,
        /// How long deliveries arrive at half of the maximal load.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// A page of the inbox over GraphQL beside the same schema answering from memory.
    Page {
        /// Conversations of the large inbox.
        #[arg(long, default_value_t = 100_000)]
        large: usize,
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

fn run(args: Args) -> anyhow::Result<()> {
    let place = world::Place { folder: args.folder, seed: args.seed };
    if !matches!(args.what, What::Peers { .. } | What::Scale { .. }) {
        machine::print(&place)?;
    }
    match args.what {
        What::Commands { commands } => commands::run(&place, args.rounds, commands),
        What::Rebuild { events } => rebuild::run(&place, args.rounds, events),
        What::Lag { commands } => lag::run(&place, args.rounds, commands),
        What::Http { events, seconds } => http::run(&place, args.rounds, events, seconds),
        What::Page { large } => page::run(&place, args.rounds, large),
        What::Sockets { sockets, messages } => sockets::run(&place, sockets, messages),
        What::Peers { quick, embedded } => peers::run(&place, args.rounds, peers::Choice { quick, embedded }),
        What::Scale { conversations, messages, others, url } => {
            scale::run(&place, scale::Size { conversations, messages, others }, url)
        }
        What::Cold { large } => cold::run(&place, large),
    }
}

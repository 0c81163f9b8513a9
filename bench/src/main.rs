//! Load and floors, measured side by side: every ratio is of two things run by turns in one process, because
//! machines differ and drift. Prints a Markdown table with the machine it ran on; see RESULTS.md.

mod cold;
mod commands;
mod floor;
mod lag;
mod machine;
mod measure;
mod rebuild;
mod world;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures Parlance on the embedded store.
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
    /// Commands on states that no cache holds, and in accounts of different sizes.
    Cold {
        #[arg(long, default_value_t = 100_000)]
        large: usize,
    },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let place = world::Place { folder: args.folder, seed: args.seed };
    machine::print(&place)?;
    match args.what {
        What::Commands { commands } => commands::run(&place, args.rounds, commands),
        What::Rebuild { events } => rebuild::run(&place, args.rounds, events),
        What::Lag { commands } => lag::run(&place, args.rounds, commands),
        What::Cold { large } => cold::run(&place, large),
    }
}

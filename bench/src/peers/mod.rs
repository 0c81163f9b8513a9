//! Parlance on PostgreSQL beside the floor and beside what else one could pick: all on one private server, with the
//! same event, in turns. Prints one table of ratios and writes it into RESULTS.md.

mod children;
pub mod floor;
mod ours;
mod results;
pub mod rows;
mod table;

use std::{collections::BTreeMap, time::Duration};

use self::{children::Children, ours::Side};
use crate::{databases::Databases, world::Place};

/// What was done in a second (or, for what is named so, how many milliseconds it took): by what, and how many at once.
pub type Rates = BTreeMap<(String, usize), f64>;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    Ours,
    /// The same rows into the same tables and indexes, and nothing else.
    Floor,
    CqrsEs,
    Emmett,
    Eventsourcing,
}

/// How much is done in a round.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Commands of ours at a time, and events of the floor.
    pub commands: usize,
    /// One after the other.
    pub alone: usize,
    /// How long each load of a peer goes on.
    pub peer: Duration,
    /// Events that peers replay into a view or feed their consumers.
    pub replayed: usize,
}

impl Size {
    pub const WHOLE: Self =
        Self { commands: 20_000, alone: 2_000, peer: Duration::from_secs(3), replayed: 4_000 };
    /// To see that it works: the figures are noise.
    pub const QUICK: Self =
        Self { commands: 4_000, alone: 400, peer: Duration::from_millis(500), replayed: 800 };
}

/// What every contender did in one round.
pub type Round = BTreeMap<Contender, Rates>;

/// Which store is ours, and how much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub embedded: bool,
    /// To see that it works; nothing is written.
    pub quick: bool,
}

pub fn run(place: &Place, rounds: usize, choice: Choice) -> anyhow::Result<()> {
    let size = if choice.quick { Size::QUICK } else { Size::WHOLE };
    let rounds = if choice.quick { 1 } else { rounds };
    let mut children = Children::prepare();
    let databases = Databases::start()?;
    let side = if choice.embedded { Side::Embedded } else { Side::Postgres };
    let mut measured = Vec::new();
    for number in 1..=rounds {
        let mut round = Round::new();
        let sample = place.runtime()?.block_on(rows::sample(place, size.commands))?;
        let mut turn = |contender, rates: Rates| {
            eprintln!("round {number} of {rounds}: {contender:?} measured");
            round.insert(contender, rates);
        };
        let database = databases.create("floor")?;
        turn(Contender::Floor, place.runtime()?.block_on(floor::run(&database, &sample, size))?);
        drop(database);
        for contender in [Contender::CqrsEs, Contender::Emmett, Contender::Eventsourcing] {
            let database = databases.create("peer")?;
            if let Some(rates) = children.run(contender, &database, size) {
                turn(contender, rates);
            }
        }
        turn(Contender::Ours, ours::run(place, side, &databases, &sample, size)?);
        measured.push(round);
    }
    let text = results::section(place, choice, &databases.version()?, &measured, &children)?;
    println!("{text}");
    if !choice.quick {
        results::write(choice, &text)?;
    }
    Ok(())
}

//! The section of RESULTS.md.

use super::{Choice, Contender, Round, children::Children, ours::Side, table};
use crate::{databases::Databases, machine, sections, world::Place};

pub fn section(
    place: &Place,
    choice: Choice,
    version: &str,
    rounds: &[Round],
    children: &Children,
) -> anyhow::Result<String> {
    let side = if choice.embedded { Side::Embedded } else { Side::Postgres };
    let name =
        |contender, otherwise: &'static str| children.names.get(&contender).map_or(otherwise, String::as_str);
    let names = [
        if choice.embedded { "the floor (PostgreSQL)" } else { "the floor" },
        name(Contender::CqrsEs, "cqrs-es + postgres-es"),
        name(Contender::Emmett, "emmett-postgresql"),
        name(Contender::Eventsourcing, "eventsourcing (Python)"),
    ];
    let (lines, verdicts) = table::lines(rounds, side, names);
    let store = if choice.embedded { "the embedded store" } else { "PostgreSQL" };
    let date = machine::date()?;
    let mut text = format!("## Peers: ours on {store}, everybody else on PostgreSQL\n\n");
    if choice.quick {
        text += "**A quick run, to see that it works: these figures are noise.**\n\n";
    }
    text += &machine::described(place)?;
    text += &format!(
        "One private PostgreSQL {version} for all, `fsync` and `synchronous_commit` on, {}; {date}; {} round(s), each \
         contender a new database and its turn. A cell: ours as a multiple × the other's rate; both are medians of the \
         rounds, the multiple of those within a round. The floor writes the rows of ours into the tables and indexes of \
         ours, by prepared multi-row inserts of 1,000 events a transaction where no line says otherwise. Goals that are \
         meant over HTTP stand here for the command path behind it.\n\n",
        Databases::settings(),
        rounds.len()
    );
    text += &lines.join("\n");
    text += &format!("\n\nGoals met: {}; missed: {}.\n", verdicts.met, verdicts.missed);
    text += "\n";
    text += &table::floor(rounds).join("\n");
    text += "\n\n";
    for missing in &children.missing {
        text += &format!("- {missing}\n");
    }
    Ok(text)
}

/// Into RESULTS.md.
pub fn write(choice: Choice, section: &str) -> anyhow::Result<()> {
    let (name, made_by) =
        if choice.embedded { ("peers-embedded", "peers --embedded") } else { ("peers", "peers") };
    sections::write(name, made_by, section)
}

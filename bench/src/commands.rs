//! The command path, from asking to being answered (decide, dedupe, seal, append), by turns with the floor.

use crate::{
    floor::{EVENTS, Log},
    measure::{median, millis, per_second, percentile, rate, ratio},
    report::Report,
    world::{Place, World},
};

/// Accounts and tasks of each line; one task stands for a command with nothing else going on.
const LOADS: [(usize, usize); 5] = [(1, 1), (1, 64), (1, 512), (100, 64), (100, 512)];
/// Messages of a contact: conversations begin, go on, and leave snapshots.
const MESSAGES_PER_CONTACT: usize = 20;
/// One after the other, so that a turn takes about as long as the others.
const ALONE: usize = 4_000;

pub fn run(place: &Place, report: &mut Report, rounds: usize, commands: usize) -> anyhow::Result<()> {
    report.head(&[
        "accounts",
        "at once",
        "commands",
        "p50",
        "p99",
        "floor",
        "ratio",
        "sealed bytes",
        "goals",
    ]);
    for (accounts, tasks) in LOADS {
        let alone = tasks == 1;
        let count = if alone { ALONE.min(commands) } else { commands };
        let (mut rates, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut answered, mut sealed) = (Vec::new(), 0);
        for _ in 0..rounds {
            let runtime = place.runtime()?;
            let (world, run) = runtime.block_on(async {
                let world = World::create(place, accounts).await?;
                let contacts = (count / accounts / MESSAGES_PER_CONTACT).max(1);
                let run = world.run(world.messages(count, contacts), tasks).await?;
                anyhow::Ok((world, run))
            })?;
            let log = Log::read(place, &world.home)?;
            let elapsed = if alone { log.write_alone(place, count)? } else { log.write(place, count)? };
            drop(world);
            let (product, floor) = (rate(count, run.elapsed), rate(count, elapsed));
            rates.push(product);
            floors.push(floor);
            ratios.push(product / floor);
            answered.extend(run.answered);
            sealed = log.sealed_bytes();
        }
        let (of, p99) = (median(ratios), percentile(&mut answered, 99));
        let goals = report.goals;
        let goals = match (accounts, tasks) {
            (1, 1) => {
                let times = 1.0 / of;
                vec![report.at_most(&format!("{times:.2}"), goals.times_of_commit, " × its time", times)]
            }
            (1, 64) => vec![
                report.at_least("ratio", goals.of_bare, of),
                report.at_most_ms("p99", goals.answered_ms, p99),
            ],
            (100, 64) => vec![report.at_least("ratio", goals.of_bare_many, of)],
            _ => Vec::new(),
        };
        let size = if alone { 1 } else { EVENTS };
        report.row([
            accounts.to_string(),
            tasks.to_string(),
            per_second(median(rates)),
            millis(percentile(&mut answered, 50)),
            millis(p99),
            format!("{} ({size} a commit)", per_second(median(floors))),
            ratio(of),
            sealed.to_string(),
            goals.join("; "),
        ]);
    }
    Ok(())
}

//! How long after the answer the read models show it, with commands coming at half of the rate that the
//! whole (projections and policies running) can take.

use std::time::{Duration, Instant};

use parlance_domain::AccountId;
use tokio::task::JoinSet;

use crate::{
    measure::{median, millis, per_second, percentile, rate},
    report::Report,
    world::{Place, World},
};

const TASKS: usize = 64;
const MESSAGES_PER_CONTACT: usize = 20;
/// How often commands are let in.
const TICK: Duration = Duration::from_millis(1);
/// Only a broken build needs it.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn run(place: &Place, report: &mut Report, rounds: usize, commands: usize) -> anyhow::Result<()> {
    report.head(&["load", "commands", "answered p50", "answered p99", "visible p50", "visible p99", "goal"]);
    let (mut rates, mut answered, mut visible) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        place.runtime()?.block_on(async {
            let mut world = World::create(place, 1).await?;
            world.parlance.start();
            let contacts = (commands / MESSAGES_PER_CONTACT).max(1);
            let mut asks = world.messages(2 * commands, contacts);
            let rest = asks.split_off(commands);
            let most = {
                let begin = Instant::now();
                world.run(asks, TASKS).await?;
                let account = world.accounts[0].id;
                shown(&world, account).await?;
                rate(commands, begin.elapsed())
            };
            let pace = most / 2.0;
            let mut running = JoinSet::new();
            let (begin, mut sent) = (Instant::now(), 0);
            let mut asks = rest.into_iter();
            let mut ticks = tokio::time::interval(TICK);
            while asks.len() > 0 {
                ticks.tick().await;
                let due = (begin.elapsed().as_secs_f64() * pace) as usize;
                for ask in asks.by_ref().take(due.saturating_sub(sent)) {
                    sent += 1;
                    let (path, projections) =
                        (world.parlance.commands.clone(), world.parlance.projections.clone());
                    running.spawn(async move {
                        let (asked, account) = (Instant::now(), ask.account);
                        let receipt = path.submit(ask).await?;
                        let answered = Instant::now();
                        projections.passed(account, receipt.position(), PATIENCE).await?;
                        anyhow::Ok((answered - asked, answered.elapsed()))
                    });
                }
            }
            while let Some(done) = running.join_next().await {
                let (to_answer, to_rows) = done??;
                answered.push(to_answer);
                visible.push(to_rows);
            }
            rates.push((most, rate(commands, begin.elapsed())));
            anyhow::Ok(())
        })?;
    }
    let most = median(rates.iter().map(|(most, _)| *most).collect());
    let asked = median(rates.iter().map(|(_, asked)| *asked).collect());
    let p99 = percentile(&mut visible, 99);
    let goal = report.at_most_ms("visible p99", report.goals.seen_ms, p99);
    report.row([
        format!("half of {}", per_second(most)),
        per_second(asked),
        millis(percentile(&mut answered, 50)),
        millis(percentile(&mut answered, 99)),
        millis(percentile(&mut visible, 50)),
        millis(p99),
        goal,
    ]);
    Ok(())
}

/// Waits until the read models show the whole log.
async fn shown(world: &World, account: AccountId) -> anyhow::Result<()> {
    let head = parlance_store::EventLog::head(&world.parlance.store, account).await?;
    Ok(world.parlance.visible(account, head.position, PATIENCE).await?)
}

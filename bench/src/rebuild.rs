//! Every projection from position 0, rows written, by turns with reading and decoding the log alone,
//! which reads ahead.

use std::time::{Duration, Instant};

use parlance_app::projections::Projections;
use parlance_domain::{
    AccountId, Command, Position,
    conversation::{ConversationCommand, Expected},
    reading::ReadingCommand,
};
use parlance_projections::PROJECTORS;
use parlance_store::{EventLog as _, FIRST_GENERATION, ReadModels as _, Store};

use crate::{
    measure::{median, per_second, rate, ratio},
    report::Report,
    world::{Place, World},
};

/// Of so many commands one is a member's: a mark, an assignment, a close, by turns.
const MEMBERS_COMMAND_EVERY: usize = 10;
const MESSAGES_PER_CONTACT: usize = 20;
/// Events read at once where nothing is folded.
const PAGE: usize = 1_000;

pub fn run(place: &Place, report: &mut Report, rounds: usize, events: usize) -> anyhow::Result<()> {
    place.runtime()?.block_on(async {
        let world = World::create(place, 1).await?;
        fill(&world, events).await?;
        let account = world.accounts[0].id;
        let store = &world.parlance.store;
        let (mut reads, mut rebuilds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut count = 0;
        for _ in 0..rounds {
            let (read, read_elapsed) = read(store, account).await?;
            count = read;
            for projector in PROJECTORS {
                store
                    .drop_generation(account, projector.name(), projector.tables(), FIRST_GENERATION)
                    .await?;
            }
            world.home.tidy()?;
            let begin = Instant::now();
            Projections::default().catch_up(store, account).await?;
            let (alone, rebuilt) = (rate(read, read_elapsed), rate(read, begin.elapsed()));
            reads.push(alone);
            rebuilds.push(rebuilt);
            ratios.push(rebuilt / alone);
        }
        let of = median(ratios);
        report.head(&["events", "read and decoded", "rebuilt", "ratio", "goal"]);
        let goal = report.at_least("ratio", report.goals.of_reading, of);
        report.row([
            count.to_string(),
            per_second(median(reads)),
            per_second(median(rebuilds)),
            ratio(of),
            goal,
        ]);
        Ok(())
    })
}

async fn fill(world: &World, events: usize) -> anyhow::Result<()> {
    let account = &world.accounts[0];
    let contacts = (events / MESSAGES_PER_CONTACT).max(1);
    world.run(world.messages(events, contacts), 64).await?;
    let head = world.parlance.store.head(account.id).await?.position;
    let members = (0..events / MEMBERS_COMMAND_EVERY)
        .map(|n| {
            let contact = n % contacts;
            let conversation = world.conversation(account, contact);
            match n / contacts {
                0 => {
                    let mark =
                        ReadingCommand::MarkSeen { conversation, channel: account.channel, up_to: head };
                    let reading = account.ring.ids.reading(account.admin, conversation);
                    let by = parlance_domain::Actor::Member(account.admin);
                    world.ask(account, by, Command::Reading(reading, mark))
                }
                1 => {
                    let assign = ConversationCommand::Assign { to: account.admin, expect: Expected::Anybody };
                    world.act(account, account.admin, contact, assign)
                }
                _ => world.act(account, account.admin, contact, ConversationCommand::Close),
            }
        })
        .collect();
    world.run(members, 64).await?;
    Ok(())
}

/// The whole log, the next page asked for while the one before is decoded.
pub async fn read<S: Store + Clone>(store: &S, account: AccountId) -> anyhow::Result<(usize, Duration)> {
    let head = store.head(account).await?.position;
    let ask = |after: Position| {
        let store = store.clone();
        tokio::spawn(async move { store.read(account, after, PAGE).await })
    };
    let begin = Instant::now();
    let mut count = 0;
    let mut next = ask(Position::START);
    loop {
        let page = next.await??;
        let Some(last) = page.last() else { break };
        next = ask(last.position);
        for event in &page {
            std::hint::black_box(event.decode()?);
            count += 1;
        }
    }
    let elapsed = begin.elapsed();
    anyhow::ensure!(count as u64 == head.number(), "{count} of {} events were read", head.number());
    Ok((count, elapsed))
}

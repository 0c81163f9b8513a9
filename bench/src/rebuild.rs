//! Every projection from position 0, rows written, by turns with reading and decoding the log alone.

use std::time::{Duration, Instant};

use parlance_app::projections::Projections;
use parlance_domain::{
    Command, Position,
    conversation::{ConversationCommand, Expected},
    reading::ReadingCommand,
};
use parlance_projections::PROJECTORS;
use parlance_store::{EventLog as _, FIRST_GENERATION, ReadModels as _};

use crate::{
    measure::{head, median, per_second, rate, ratio, row},
    world::{Place, World},
};

/// Of so many commands one is a member's: a mark, an assignment, a close, by turns.
const MEMBERS_COMMAND_EVERY: usize = 10;
const MESSAGES_PER_CONTACT: usize = 20;
/// Events read at once where nothing is folded.
const PAGE: usize = 1_000;

pub fn run(place: &Place, rounds: usize, events: usize) -> anyhow::Result<()> {
    place.runtime()?.block_on(async {
        let world = World::create(place, 1).await?;
        fill(&world, events).await?;
        let account = world.accounts[0].id;
        let store = &world.parlance.store;
        let (mut reads, mut rebuilds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut count = 0;
        for _ in 0..rounds {
            let (read, read_elapsed) = read(&world).await?;
            count = read;
            for projector in PROJECTORS {
                store
                    .drop_generation(account, projector.name(), projector.tables(), FIRST_GENERATION)
                    .await?;
            }
            let begin = Instant::now();
            Projections::default().catch_up(store, account).await?;
            let (alone, rebuilt) = (rate(read, read_elapsed), rate(read, begin.elapsed()));
            reads.push(alone);
            rebuilds.push(rebuilt);
            ratios.push(rebuilt / alone);
        }
        head(&["events", "read and decoded", "rebuilt", "ratio"]);
        row([
            count.to_string(),
            per_second(median(reads)),
            per_second(median(rebuilds)),
            ratio(median(ratios)),
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

async fn read(world: &World) -> anyhow::Result<(usize, Duration)> {
    let begin = Instant::now();
    let (mut after, mut count) = (Position::START, 0);
    loop {
        let page = world.parlance.store.read(world.accounts[0].id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok((count, begin.elapsed())) };
        after = last.position;
        for recorded in &page {
            std::hint::black_box(recorded.decode()?);
            count += 1;
        }
    }
}

//! What a command costs when no cache holds its states, in a short and a long conversation; and whether the
//! size of the account shows in it.

use std::time::{Duration, Instant};

use parlance_domain::{MemberId, conversation::ConversationCommand};

use crate::{
    measure::{head, millis, percentile, row},
    world::{Place, World, open},
};

const TASKS: usize = 64;
const SHORT: usize = 10;
/// Cold loads of each conversation, by turns.
const LOADS: usize = 200;
/// Commands of each account, by turns.
const COMMANDS: usize = 500;

pub fn run(place: &Place, large: usize) -> anyhow::Result<()> {
    place.runtime()?.block_on(async {
        head(&["what", "small", "large", "small takes", "large takes", "ratio"]);
        conversations(place, large).await?;
        let mut small = World::create(place, 1).await?;
        let mut big = World::create(place, 1).await?;
        let (few, many) = ((large / 100).max(COMMANDS), large);
        small.run(small.messages(few, few), TASKS).await?;
        big.run(big.messages(many, many), TASKS).await?;
        let times = by_turns(&mut small, &mut big, (few, many), (None, None)).await?;
        print("close, conversations", few, many, times);

        let mut small = World::create(place, 1).await?;
        let mut big = World::create(place, 1).await?;
        let (few, many) = (10, 2_000);
        let members = (
            Some(small.members(&small.accounts[0], few).await?),
            Some(big.members(&big.accounts[0], many).await?),
        );
        small.run(small.messages(COMMANDS, COMMANDS), TASKS).await?;
        big.run(big.messages(COMMANDS, COMMANDS), TASKS).await?;
        let times = by_turns(&mut small, &mut big, (COMMANDS, COMMANDS), members).await?;
        print("close, members", few, many, times);
        Ok(())
    })
}

/// A short and a long conversation, closed; closing them again records nothing, so that the load is what costs.
async fn conversations(place: &Place, large: usize) -> anyhow::Result<()> {
    let world = World::create(place, 1).await?;
    let account = &world.accounts[0];
    let messages = (0..SHORT + large).map(|n| world.receive(account, usize::from(n >= SHORT), n)).collect();
    world.run(messages, TASKS).await?;
    let close = |contact| world.act(account, account.admin, contact, ConversationCommand::Close);
    let mut times = (Vec::new(), Vec::new());
    for contact in [0, 1] {
        world.parlance.submit(close(contact)).await?;
    }
    for n in 0..2 * LOADS {
        let contact = n % 2;
        let fresh = open(world.parlance.store.clone(), &world.home, place.seed + n as u64 + 1).await?;
        let ask = close(contact);
        let begin = Instant::now();
        fresh.submit(ask).await?;
        let taken = begin.elapsed();
        if contact == 0 { times.0.push(taken) } else { times.1.push(taken) }
    }
    print("cold load, messages", SHORT, large, times);
    Ok(())
}

/// Closes conversations all over both accounts, each by another member, with fresh caches at the start.
async fn by_turns(
    small: &mut World,
    big: &mut World,
    conversations: (usize, usize),
    members: (Option<Vec<MemberId>>, Option<Vec<MemberId>>),
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let mut times = (Vec::new(), Vec::new());
    for world in [&mut *small, &mut *big] {
        world.parlance = open(world.parlance.store.clone(), &world.home, 99).await?;
    }
    for n in 0..COMMANDS {
        let sides = [
            (&*small, conversations.0, &members.0, &mut times.0),
            (&*big, conversations.1, &members.1, &mut times.1),
        ];
        for (world, conversations, members, times) in sides {
            let account = &world.accounts[0];
            // Spread over all of them, whatever their number.
            let contact = n * conversations / COMMANDS;
            let by = members.as_ref().map_or(account.admin, |members| members[n * 7 % members.len()]);
            let ask = world.act(account, by, contact, ConversationCommand::Close);
            let begin = Instant::now();
            world.parlance.submit(ask).await?;
            times.push(begin.elapsed());
        }
    }
    Ok(times)
}

fn print(what: &str, small: usize, large: usize, mut times: (Vec<Duration>, Vec<Duration>)) {
    let (short, long) = (percentile(&mut times.0, 50), percentile(&mut times.1, 50));
    row([
        what.to_owned(),
        small.to_string(),
        large.to_string(),
        millis(short),
        millis(long),
        format!("{:.2}", long.as_secs_f64() / short.as_secs_f64()),
    ]);
}

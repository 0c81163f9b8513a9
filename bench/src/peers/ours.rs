//! Parlance as a contender: the command path (decide, dedupe, seal, append, answer), large batches, the log read and
//! decoded, and all read models rebuilt; on whichever store.

use std::time::{Duration, Instant};

use anyhow::ensure;
use parlance_app::projections::Projections;
use parlance_domain::{AccountId, RecordedEvent};
use parlance_store::{Batch, EventLog, Expectation, KeyOp, NewEvent, Outcome, Store};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use uuid::Uuid;

use super::{
    Rates, Size,
    rows::{MESSAGES_PER_CONTACT, Row},
};
use crate::{
    databases::{Database, Databases},
    floor::EVENTS,
    measure::{percentile, rate},
    rebuild,
    world::{Home, Place, World},
};

/// Commands at once on one account.
const TASKS: [usize; 4] = [1, 32, 64, 512];
/// Only a broken build needs it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which store is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Embedded,
    Postgres,
}

/// A world on an empty database.
async fn on_postgres(
    place: &Place,
    database: &Database,
    accounts: usize,
) -> anyhow::Result<World<PostgresStore>> {
    PostgresStore::migrate(&database.url).await?;
    let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await?;
    World::on(store, Home::folder_only(place)?, place.seed, accounts).await
}

pub fn run(
    place: &Place,
    side: Side,
    databases: &Databases,
    sample: &[Row],
    size: Size,
) -> anyhow::Result<Rates> {
    let mut rates = Rates::new();
    for (accounts, turn) in [(1, Turn::Log), (1, Turn::Live), (100, Turn::ManyAccounts)] {
        let database = databases.create("ours")?;
        place.runtime()?.block_on(async {
            rates.append(&mut match side {
                Side::Embedded => measure(World::create(place, accounts).await?, turn, sample, size).await?,
                Side::Postgres => {
                    measure(on_postgres(place, &database, accounts).await?, turn, sample, size).await?
                }
            });
            anyhow::Ok(())
        })?;
    }
    Ok(rates)
}

/// What one database is for.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Log,
    Live,
    ManyAccounts,
}

async fn measure<S: Store + Clone>(
    mut world: World<S>,
    turn: Turn,
    sample: &[Row],
    size: Size,
) -> anyhow::Result<Rates> {
    match turn {
        Turn::Log => log(&world, sample, size).await,
        Turn::Live => {
            world.parlance.start();
            let asks = messages(&world, 0, size.commands);
            let begin = Instant::now();
            world.run(asks, 64).await?;
            let account = world.accounts[0].id;
            let head = world.parlance.store.head(account).await?;
            world.parlance.visible(account, head.position, PATIENCE).await?;
            Ok(Rates::from([(("append_shown".to_owned(), 64), rate(size.commands, begin.elapsed()))]))
        }
        Turn::ManyAccounts => {
            let run = world.run(messages(&world, 0, size.commands), 64).await?;
            Ok(Rates::from([(("append_100_accounts".to_owned(), 64), rate(size.commands, run.elapsed))]))
        }
    }
}

async fn log<S: Store + Clone>(world: &World<S>, sample: &[Row], size: Size) -> anyhow::Result<Rates> {
    let mut rates = Rates::new();
    let mut told = |what: &str, tasks: usize, rate: f64| rates.insert((what.to_owned(), tasks), rate);
    let mut before = 0;
    for tasks in TASKS {
        let count = if tasks == 1 { size.alone } else { size.commands };
        let mut run = world.run(messages(world, before, count), tasks).await?;
        before += count;
        told("append", tasks, rate(count, run.elapsed));
        told("p50_ms", tasks, millis(percentile(&mut run.answered, 50)));
        told("p99_ms", tasks, millis(percentile(&mut run.answered, 99)));
    }
    let (store, account) = (&world.parlance.store, world.accounts[0].id);
    let (count, elapsed) = rebuild::read(store, account).await?;
    told("read_log", 1, rate(count, elapsed));
    let begin = Instant::now();
    let shown = Projections::default().catch_up(store, account).await?;
    told("rebuild", 1, rate(usize::try_from(shown.number())?, begin.elapsed()));
    told("bulk", 1, bulk(store, sample).await?);
    Ok(rates)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// `count` messages nobody told yet, of contacts nobody knew, in turn from every account.
fn messages<S: Store + Clone>(
    world: &World<S>,
    before: usize,
    count: usize,
) -> Vec<parlance_app::command::Ask> {
    let accounts = world.accounts.len();
    let contacts = (count / accounts / MESSAGES_PER_CONTACT).max(1);
    (before..before + count)
        .map(|n| world.receive(&world.accounts[n % accounts], before + n / accounts % contacts, n))
        .collect()
}

/// A log that is there already, appended to another account's in large batches, one after the other.
async fn bulk(store: &impl EventLog, rows: &[Row]) -> anyhow::Result<f64> {
    let account = AccountId::new(Uuid::from_u128(0xB0));
    let batches: Vec<Batch> =
        rows.chunks(EVENTS).map(|rows| batch(account, rows)).collect::<anyhow::Result<_>>()?;
    let begin = Instant::now();
    for batch in batches {
        let outcome = store.append(batch).await?;
        ensure!(matches!(outcome, Outcome::Appended(_)), "a batch was not appended: {outcome:?}");
    }
    Ok(rate(rows.len(), begin.elapsed()))
}

fn batch(account: AccountId, rows: &[Row]) -> anyhow::Result<Batch> {
    let mut batch = Batch::new(account);
    let mut begun = std::collections::HashSet::new();
    for Row { event, key } in rows {
        if begun.insert(event.stream) {
            batch.expectations.push(Expectation { stream: event.stream, version: event.version - 1 });
        }
        if let Some((key, wrapped)) = key {
            let key = parlance_domain::KeyId::new(*key);
            batch.keys.push(KeyOp::Create { key, wrapped: wrapped.clone() });
        }
        batch.events.push(again(event)?);
    }
    Ok(batch)
}

fn again(event: &RecordedEvent) -> anyhow::Result<NewEvent> {
    let decoded = event.decode()?;
    Ok(NewEvent {
        stream: event.stream,
        version: event.version,
        event_type: decoded.event_type(),
        schema_version: event.schema_version,
        recorded_at: event.recorded_at,
        actor: event.actor,
        correlation: event.correlation,
        causation: event.causation,
        payload: event.payload.clone(),
        sealed: event.sealed.clone(),
        key: event.key,
        dedupe: event.dedupe,
    })
}

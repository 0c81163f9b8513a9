//! The floor: the very rows that a run of ours leaves, into the tables and indexes of our own migrations, with the same
//! durability, by plain statements on a plain connection; and the log read and decoded without more.

use std::{pin::pin, time::Instant};

use anyhow::Context as _;
use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef,
    StreamType, Timestamp,
};
use parlance_store_postgres::PostgresStore;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Statement, binary_copy::BinaryCopyInWriter, types::Type};
use uuid::Uuid;

use super::{
    Rates, Size,
    rows::{Arrays, COLUMNS, KEY_COLUMNS, Row, TYPES, Values},
    server::{Database, connect},
};
use crate::measure::rate;

/// Events of a transaction, and of a page.
const EVENTS: usize = 1_000;
/// Events of a COPY.
const COPIED: usize = 10_000;

pub async fn run(database: &Database, rows: &[Row], size: Size) -> anyhow::Result<Rates> {
    PostgresStore::migrate(&database.url).await?;
    let client = writer(&database.url).await?;
    let mut rates = Rates::new();
    let mut told = |what: &str, tasks, rate| rates.insert((what.to_owned(), tasks), rate);
    told("thousands", 1, thousands(&client, rows).await?);
    told("read_log", 1, read(&client, rows).await?);
    empty(&client).await?;
    told("copy", 1, copy(&client, rows).await?);
    empty(&client).await?;
    for (tasks, count) in [(1, size.alone), (32, size.commands)] {
        let rows = &rows[..count.min(rows.len())];
        told("single", tasks, singles(&database.url, rows, tasks, &single_sql()).await?);
        empty(&client).await?;
    }
    let hot = &rows[..(size.alone * 2).min(rows.len())];
    client.execute("INSERT INTO log_heads VALUES ($1, 0, 0, 0)", &[&rows[0].event.account.uuid()]).await?;
    told("hot_head", 32, singles(&database.url, hot, 32, &hot_sql()).await?);
    Ok(rates)
}

/// As ours has its writing connections: replanning statements on arrays would halve the rate.
async fn writer(url: &str) -> anyhow::Result<Client> {
    let client = connect(url).await?;
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
    Ok(client)
}

async fn empty(client: &Client) -> anyhow::Result<()> {
    Ok(client.batch_execute("TRUNCATE events, data_keys, log_heads; CHECKPOINT").await?)
}

/// Prepared multi-row inserts, a thousand events a transaction, with the keys and the head.
async fn thousands(client: &Client, rows: &[Row]) -> anyhow::Result<f64> {
    let arrays: Vec<String> =
        TYPES.iter().enumerate().map(|(place, kind)| format!("${}::{}[]", place + 1, kind.name())).collect();
    let sql = format!("INSERT INTO events ({COLUMNS}) SELECT * FROM unnest({})", arrays.join(", "));
    let events = client.prepare(&sql).await?;
    let sql = format!(
        "INSERT INTO data_keys ({KEY_COLUMNS}) SELECT $1, x.key, false, x.wrapped
         FROM unnest($2::uuid[], $3::bytea[]) AS x(key, wrapped)"
    );
    let keys = client.prepare_typed(&sql, &[Type::UUID]).await?;
    let head = client
        .prepare(
            "INSERT INTO log_heads (account_id, last_position, last_recorded_at, epoch) VALUES ($1, $2, $3, 0)
             ON CONFLICT (account_id) DO UPDATE
             SET last_position = excluded.last_position, last_recorded_at = excluded.last_recorded_at",
        )
        .await?;
    let begin = Instant::now();
    for rows in rows.chunks(EVENTS) {
        transaction(client, &events, &keys, &head, rows).await?;
    }
    Ok(rate(rows.len(), begin.elapsed()))
}

async fn transaction(
    client: &Client,
    events: &Statement,
    keys: &Statement,
    head: &Statement,
    rows: &[Row],
) -> anyhow::Result<()> {
    let arrays = Arrays::of(rows)?;
    let boxed = arrays.boxed();
    let params: Vec<_> = boxed.iter().map(AsRef::as_ref).collect();
    let last = &rows.last().context("a chunk holds something")?.event;
    let (account, position) = (last.account.uuid(), i64::try_from(last.position.number())?);
    let (ids, wrapped): (Vec<_>, Vec<_>) =
        rows.iter().filter_map(|row| row.key.as_ref()).map(|(id, wrapped)| (*id, wrapped.as_slice())).unzip();
    // Sent one behind the other; the answers come together.
    let recorded_at = last.recorded_at.micros();
    tokio::try_join!(
        client.batch_execute("BEGIN"),
        async { client.execute(head, &[&account, &position, &recorded_at]).await.map(drop) },
        async { client.execute(events, &params).await.map(drop) },
        async { client.execute(keys, &[&account, &ids, &wrapped]).await.map(drop) },
        client.batch_execute("COMMIT"),
    )?;
    Ok(())
}

async fn copy(client: &Client, rows: &[Row]) -> anyhow::Result<f64> {
    let begin = Instant::now();
    for rows in rows.chunks(COPIED) {
        client.batch_execute("BEGIN").await?;
        let sink = client.copy_in(&format!("COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)")).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
        for row in rows {
            writer.as_mut().write(&Values::of(&row.event)?.params()).await?;
        }
        writer.finish().await?;
        let types = [Type::UUID, Type::UUID, Type::BOOL, Type::BYTEA];
        let sink =
            client.copy_in(&format!("COPY data_keys ({KEY_COLUMNS}) FROM STDIN (FORMAT binary)")).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for row in rows {
            if let Some((id, wrapped)) = &row.key {
                writer.as_mut().write(&[&row.event.account.uuid(), id, &false, wrapped]).await?;
            }
        }
        writer.finish().await?;
        client.batch_execute("COMMIT").await?;
    }
    Ok(rate(rows.len(), begin.elapsed()))
}

fn placeholders(from: usize) -> String {
    (from..=TYPES.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

/// One event, one commit.
fn single_sql() -> String {
    format!("INSERT INTO events ({COLUMNS}) VALUES ({})", placeholders(1))
}

/// The same, its position taken from the account's head row. The one passed in is not used.
fn hot_sql() -> String {
    format!(
        "WITH head AS (
             UPDATE log_heads SET last_position = last_position + 1, last_recorded_at = $8
             WHERE account_id = $1 AND $2::bigint > 0 RETURNING last_position
         )
         INSERT INTO events ({COLUMNS}) SELECT $1, head.last_position, {} FROM head",
        placeholders(3)
    )
}

async fn singles(url: &str, rows: &[Row], tasks: usize, sql: &str) -> anyhow::Result<f64> {
    let mut running = JoinSet::new();
    let mut ready = Vec::new();
    for task in 0..tasks {
        let client = writer(url).await?;
        let statement = client.prepare_typed(sql, &TYPES).await?;
        let events: Vec<_> = rows.iter().skip(task).step_by(tasks).map(|row| row.event.clone()).collect();
        ready.push((client, statement, events));
    }
    let begin = Instant::now();
    for (client, statement, events) in ready {
        running.spawn(async move {
            for event in &events {
                let written = client.execute(&statement, &Values::of(event)?.params()).await?;
                anyhow::ensure!(written == 1, "an event was not written");
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = running.join_next().await {
        task??;
    }
    Ok(rate(rows.len(), begin.elapsed()))
}

/// Pages of the log, read and decoded, the next one asked for while the one before is decoded.
async fn read(client: &Client, rows: &[Row]) -> anyhow::Result<f64> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE account_id = $1 AND position > $2 ORDER BY position LIMIT {EVENTS}"
    );
    let statement = client.prepare(&sql).await?;
    let account = rows[0].event.account;
    let page = async |after: i64| client.query(&statement, &[&account.uuid(), &after]).await;
    let begin = Instant::now();
    let (mut after, mut count) = (0, 0);
    let mut next = page(after).await?;
    while !next.is_empty() {
        after += i64::try_from(next.len())?;
        let decoded = async {
            for row in &next {
                std::hint::black_box(recorded(account, row)?.decode()?);
                count += 1;
            }
            anyhow::Ok(())
        };
        // What is polled first sends its question before the other keeps the thread.
        let (page, decoded) = tokio::join!(biased; page(after), decoded);
        decoded?;
        next = page?;
    }
    anyhow::ensure!(count == rows.len(), "{count} of {} events were read", rows.len());
    Ok(rate(count, begin.elapsed()))
}

fn recorded(account: AccountId, row: &tokio_postgres::Row) -> anyhow::Result<RecordedEvent> {
    let uuid = |place: usize| row.get::<_, Uuid>(place).into_bytes();
    let number = |place: usize| u64::try_from(row.get::<_, i64>(place));
    Ok(RecordedEvent {
        account,
        position: Position::new(number(1)?),
        stream: StreamRef::new(StreamType::parse(row.get(2)).context("a stream's type")?, row.get(3)),
        version: number(4)?,
        event_type: row.get(5),
        schema_version: u16::try_from(row.get::<_, i32>(6))?,
        recorded_at: Timestamp::from_micros(row.get(7)),
        actor: Actor::from_columns(row.get(8), row.get(9), row.get(10)).context("an actor")?,
        correlation: CorrelationId::from_bytes(uuid(11)),
        causation: CommandId::from_bytes(uuid(12)),
        payload: row.get(13),
        sealed: row.get(14),
        key: row.get::<_, Option<Uuid>>(15).map(KeyId::new),
        dedupe: row.get::<_, Option<Uuid>>(16).map(|token| DedupeToken::from_bytes(token.into_bytes())),
    })
}

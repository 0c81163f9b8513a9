//! The floor: the very rows that a run of ours leaves, into the tables and indexes of our own migrations, with the same
//! durability, by plain statements on a plain connection; and the log read and decoded without more.

use std::{
    collections::BTreeMap,
    pin::pin,
    time::{Duration, Instant},
};

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
};
use crate::{
    databases::{Database, connect},
    floor::EVENTS,
    measure::rate,
};

/// Events of a COPY.
const COPIED: usize = 10_000;

pub async fn run(database: &Database, rows: &[Row], size: Size) -> anyhow::Result<Rates> {
    PostgresStore::migrate(&database.url).await?;
    let client = writer(&database.url).await?;
    let mut rates = Rates::new();
    let mut told = |what: &str, tasks, rate| rates.insert((what.to_owned(), tasks), rate);
    let thousands = Thousands::prepare(&client).await?;
    told("thousands", 1, rate(rows.len(), thousands.write(rows).await?));
    told("read_log", 1, read(&client, rows).await?);
    empty(&client).await?;
    told("copy", 1, copy(&client, rows).await?);
    empty(&client).await?;
    for (tasks, count) in [(1, size.alone), (32, size.commands)] {
        let rows = &rows[..count.min(rows.len())];
        let elapsed = singles(&database.url, rows, tasks, &single_sql()).await?;
        told("single", tasks, rate(rows.len(), elapsed));
        empty(&client).await?;
    }
    let hot = &rows[..(size.alone * 2).min(rows.len())];
    client.execute("INSERT INTO log_heads VALUES ($1, 0, 0, 0)", &[&rows[0].event.account.uuid()]).await?;
    let elapsed = singles(&database.url, hot, 32, &hot_sql()).await?;
    told("hot_head", 32, rate(hot.len(), elapsed));
    Ok(rates)
}

/// As ours has its writing connections: replanning statements on arrays would halve the rate.
pub async fn writer(url: &str) -> anyhow::Result<Client> {
    let client = connect(url).await?;
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
    Ok(client)
}

async fn empty(client: &Client) -> anyhow::Result<()> {
    Ok(client.batch_execute("TRUNCATE events, data_keys, log_heads; CHECKPOINT").await?)
}

/// Prepared multi-row inserts, a thousand events a transaction, with the keys and the heads.
pub struct Thousands<'a> {
    client: &'a Client,
    events: Statement,
    keys: Statement,
    heads: Statement,
}

impl<'a> Thousands<'a> {
    pub async fn prepare(client: &'a Client) -> anyhow::Result<Self> {
        let arrays: Vec<String> = TYPES
            .iter()
            .enumerate()
            .map(|(place, kind)| format!("${}::{}[]", place + 1, kind.name()))
            .collect();
        let sql = format!("INSERT INTO events ({COLUMNS}) SELECT * FROM unnest({})", arrays.join(", "));
        let events = client.prepare(&sql).await?;
        let sql = format!(
            "INSERT INTO data_keys ({KEY_COLUMNS}) SELECT x.account, x.key, false, x.wrapped
             FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS x(account, key, wrapped)"
        );
        let keys = client.prepare(&sql).await?;
        let heads = client
            .prepare(
                "INSERT INTO log_heads (account_id, last_position, last_recorded_at, epoch)
                 SELECT x.account, x.position, x.recorded_at, 0
                 FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS x(account, position, recorded_at)
                 ON CONFLICT (account_id) DO UPDATE
                 SET last_position = excluded.last_position, last_recorded_at = excluded.last_recorded_at",
            )
            .await?;
        Ok(Self { client, events, keys, heads })
    }

    pub async fn write(&self, rows: &[Row]) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        for rows in rows.chunks(EVENTS) {
            self.transaction(rows).await?;
        }
        Ok(begin.elapsed())
    }

    async fn transaction(&self, rows: &[Row]) -> anyhow::Result<()> {
        let arrays = Arrays::of(rows)?;
        let boxed = arrays.boxed();
        let params: Vec<_> = boxed.iter().map(AsRef::as_ref).collect();
        let (mut key_accounts, mut keys, mut wrapped) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = BTreeMap::new();
        for Row { event, key } in rows {
            let account = event.account.uuid();
            last.insert(account, (i64::try_from(event.position.number())?, event.recorded_at.micros()));
            if let Some((key, bytes)) = key {
                key_accounts.push(account);
                keys.push(*key);
                wrapped.push(bytes.as_slice());
            }
        }
        let accounts: Vec<Uuid> = last.keys().copied().collect();
        let (positions, times): (Vec<i64>, Vec<i64>) = last.into_values().unzip();
        let client = self.client;
        // Sent one behind the other; the answers come together.
        tokio::try_join!(
            client.batch_execute("BEGIN"),
            async { client.execute(&self.heads, &[&accounts, &positions, &times]).await.map(drop) },
            async { client.execute(&self.events, &params).await.map(drop) },
            async { client.execute(&self.keys, &[&key_accounts, &keys, &wrapped]).await.map(drop) },
            client.batch_execute("COMMIT"),
        )?;
        Ok(())
    }
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
pub fn single_sql() -> String {
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

pub async fn singles(url: &str, rows: &[Row], tasks: usize, sql: &str) -> anyhow::Result<Duration> {
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
    Ok(begin.elapsed())
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

pub fn recorded(account: AccountId, row: &tokio_postgres::Row) -> anyhow::Result<RecordedEvent> {
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

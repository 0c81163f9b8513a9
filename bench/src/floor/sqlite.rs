//! The floor on the embedded store.

use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params_from_iter, types::Value};
use tempfile::TempDir;

use crate::world::Place;

mod migrations {
    refinery::embed_migrations!("../migrations/sqlite");
}

/// As many frames as the product lets its write-ahead log grow to.
const CHECKPOINT_FRAMES: u32 = 4_000;

/// One event's row, with the rows that its recording made beside it.
struct Rows {
    event: Vec<Value>,
    stream: Option<Vec<Value>>,
    key: Option<Vec<Value>>,
    /// Account, position, recorded time, stream number.
    head: Vec<Value>,
}

/// A log as rows, in the order in which they were inserted.
pub struct Log(Vec<Rows>);

fn one(connection: &Connection, sql: &str, key: [&Value; 2]) -> rusqlite::Result<Vec<Value>> {
    let mut statement = connection.prepare_cached(sql)?;
    let width = statement.column_count();
    statement.query_row(key, |row| (0..width).map(|place| row.get(place)).collect())
}

impl Log {
    /// Reads what lies in a product's file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open(path)?;
        let mut statement = connection.prepare(
            "SELECT account_id, position, stream_no, version, event_type, schema_version, recorded_at,
                    actor_kind, actor_id, actor_reason, correlation_id, causation_id,
                    payload, sealed, key_id, dedupe
             FROM events ORDER BY rowid",
        )?;
        let events = statement.query_map([], |row| (0..16).map(|place| row.get(place)).collect())?;
        let mut known = HashSet::new();
        let mut rows = Vec::new();
        for event in events {
            let event: Vec<Value> = event?;
            let first = event[3] == Value::Integer(1);
            let stream = "SELECT account_id, stream_no, stream_type, stream_id FROM streams
                          WHERE account_id = ?1 AND stream_no = ?2";
            let key = "SELECT account_id, key_id, destroyed, wrapped FROM data_keys
                       WHERE account_id = ?1 AND key_id = ?2";
            let new_key = matches!(&event[14], Value::Blob(id) if known.insert(id.clone()));
            rows.push(Rows {
                stream: first.then(|| one(&connection, stream, [&event[0], &event[2]])).transpose()?,
                key: new_key.then(|| one(&connection, key, [&event[0], &event[14]])).transpose()?,
                head: [0, 1, 6, 2].map(|place: usize| event[place].clone()).to_vec(),
                event,
            });
        }
        Ok(Self(rows))
    }

    /// How many are sealed, and the bytes of all.
    pub fn sealed(&self) -> (usize, usize) {
        let sealed = self.0.iter().filter_map(|row| match &row.event[13] {
            Value::Blob(bytes) => Some(bytes.len()),
            _ => None,
        });
        sealed.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes))
    }

    /// Inserts the last `count` events' rows after the others, `size` events a transaction, and tells how long.
    pub fn write(&self, place: &Place, count: usize, size: usize) -> anyhow::Result<Duration> {
        let folder = place.folder()?;
        let connection = open(&folder)?;
        let (before, timed) = self.0.split_at(self.0.len().saturating_sub(count));
        for chunk in before.chunks(1_000) {
            transaction(&connection, chunk)?;
        }
        let begin = Instant::now();
        for chunk in timed.chunks(size) {
            transaction(&connection, chunk)?;
        }
        Ok(begin.elapsed())
    }
}

fn open(folder: &TempDir) -> anyhow::Result<Connection> {
    let mut connection = Connection::open(folder.path().join("floor.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "secure_delete", "on")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_FRAMES)?;
    migrations::migrations::runner().run(&mut connection)?;
    Ok(connection)
}

fn transaction(connection: &Connection, rows: &[Rows]) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[Value]| {
        connection.prepare_cached(sql)?.execute(params_from_iter(values)).map(|_| ())
    };
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut heads = std::collections::HashMap::new();
    for row in rows {
        if let Some(stream) = &row.stream {
            run(
                "INSERT INTO streams (account_id, stream_no, stream_type, stream_id) VALUES (?1, ?2, ?3, ?4)",
                stream,
            )?;
        }
        run(
            "INSERT INTO events (account_id, position, stream_no, version, event_type, schema_version, recorded_at,
                                 actor_kind, actor_id, actor_reason, correlation_id, causation_id,
                                 payload, sealed, key_id, dedupe)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            &row.event,
        )?;
        if let Some(key) = &row.key {
            run(
                "INSERT INTO data_keys (account_id, key_id, destroyed, wrapped) VALUES (?1, ?2, ?3, ?4)",
                key,
            )?;
        }
        if let Value::Blob(account) = &row.head[0] {
            heads.insert(account, &row.head);
        }
    }
    for head in heads.values() {
        run(
            "INSERT INTO log_heads (account_id, last_position, last_recorded_at, last_stream_no, epoch)
             VALUES (?1, ?2, ?3, ?4, 0)
             ON CONFLICT (account_id) DO UPDATE
             SET last_position = excluded.last_position, last_recorded_at = excluded.last_recorded_at",
            head,
        )?;
    }
    connection.execute_batch("COMMIT")
}

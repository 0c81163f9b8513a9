//! Appending: head row, expectations, inserts. On the one writing connection nothing can come between them.

use std::collections::HashMap;

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef,
    Timestamp,
};
use parlance_store::{
    Appended, Batch, EVENT_BYTES_MAX, EVENTS_PER_BATCH_MAX, KeyOp, NewEvent, Outcome, RefusedBecause,
    Rejection, StoreError,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::{corrupt, failed},
    sql::{signed, unsigned},
};

/// Every batch in the transaction under way, each whole or not at all. An error for all is a store that
/// cannot go on (a full disk, a failing one).
pub(crate) fn append_all(
    connection: &Connection,
    batches: Vec<Batch>,
) -> Result<Vec<Result<Outcome, StoreError>>, StoreError> {
    // A savepoint keeps a copy of every page that is changed behind it; a batch alone needs none.
    let (mark, take_back, forget): (&[&str], &[&str], &[&str]) = match batches.len() {
        1 => (&[], &["ROLLBACK", "BEGIN IMMEDIATE"], &[]),
        _ => (&["SAVEPOINT batch"], &["ROLLBACK TO batch"], &["RELEASE batch"]),
    };
    let run = |statements: &[&str]| statements.iter().try_for_each(|sql| execute(connection, sql));
    let mut results = Vec::with_capacity(batches.len());
    for batch in batches {
        run(mark)?;
        let result = append(connection, batch);
        match &result {
            Ok(Outcome::Appended(_)) => {}
            // What is wrong with one account's rows is that account's alone.
            Ok(Outcome::Rejected(_)) | Err(StoreError::Refused(_) | StoreError::Corrupt(_)) => {
                run(take_back)?;
            }
            Err(error) => return Err(error.clone()),
        }
        run(forget)?;
        results.push(result);
    }
    Ok(results)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(|e| failed(&e))?;
    Ok(())
}

/// SQLite's integers are signed; positions and versions stay far below the sign.
struct HeadRow {
    position: i64,
    recorded_at: i64,
    stream_no: i64,
    is_new: bool,
}

struct StreamRow {
    stream_no: i64,
    version: i64,
}

impl HeadRow {
    /// Where the event goes that the log and its stream were moved on for.
    fn place(&self, account: AccountId, stream: &StreamRow) -> Place {
        Place {
            account,
            position: self.position,
            stream_no: stream.stream_no,
            version: stream.version,
            recorded_at: self.recorded_at,
        }
    }
}

fn append(connection: &Connection, batch: Batch) -> Result<Outcome, StoreError> {
    check_sizes(&batch)?;
    let Batch { account, expectations, events, keys, snapshots } = batch;
    let mut head = head(connection, account)?;

    let mut streams = HashMap::with_capacity(expectations.len());
    let mut stale = Vec::new();
    for expectation in expectations {
        let stored = stream(connection, account, expectation.stream)?;
        let version = unsigned(stored.as_ref().map_or(0, |row| row.version));
        if version != expectation.version {
            stale.push((expectation.stream, version));
        }
        streams.insert(expectation.stream, stored);
    }
    if !stale.is_empty() {
        return Ok(Outcome::Rejected(Rejection { stale, known: known(connection, account, &events)? }));
    }

    let first = Position::new(unsigned(head.position + 1));
    let not_before = Timestamp::from_micros(head.recorded_at);
    let mut is_lifted = false;
    for event in &events {
        let row = streams
            .get_mut(&event.stream)
            .ok_or(StoreError::Refused(RefusedBecause::Malformed("its stream has no expectation")))?;
        let row = match row {
            Some(row) => row,
            None => {
                head.stream_no += 1;
                insert_stream(connection, account, head.stream_no, event.stream)?;
                row.insert(StreamRow { stream_no: head.stream_no, version: 0 })
            }
        };
        if event.version != unsigned(row.version + 1) {
            return Err(StoreError::Refused(RefusedBecause::Malformed("its version does not follow")));
        }
        row.version += 1;
        head.position += 1;
        is_lifted |= event.recorded_at.micros() < head.recorded_at;
        head.recorded_at = head.recorded_at.max(event.recorded_at.micros());
        match insert_event(connection, &head.place(account, row), &event.into()) {
            Ok(()) => {}
            Err(StoreError::Refused(refused)) => {
                // The one constraint that an honest batch can meet is a token that is known.
                let known = known_before(connection, account, &events, first)?;
                return if known.is_empty() {
                    Err(StoreError::Refused(refused))
                } else {
                    Ok(Outcome::Rejected(Rejection { stale: Vec::new(), known }))
                };
            }
            Err(error) => return Err(error),
        }
    }
    for op in keys {
        apply_key(connection, account, op, head.recorded_at)?;
    }
    // A state that was made with earlier times than the rows have is not theirs.
    for snapshot in snapshots.into_iter().filter(|_| !is_lifted) {
        if let Some(Some(row)) = streams.get(&snapshot.stream) {
            insert_snapshot(connection, account, row.stream_no, &snapshot)?;
        }
    }
    // A batch of guards or keys alone makes no log.
    if !events.is_empty() {
        write_head(connection, account, &head)?;
    }
    Ok(Outcome::Appended(Appended {
        first,
        last: Position::new(unsigned(head.position)),
        not_before,
        recorded_at: Timestamp::from_micros(head.recorded_at),
    }))
}

/// Events as they are, right behind the end of their log.
pub(crate) fn copy(
    connection: &Connection,
    account: AccountId,
    events: &[RecordedEvent],
    epoch: u32,
) -> Result<(), StoreError> {
    let mut head = head(connection, account)?;
    for event in events {
        if event.account != account || event.position.number() != unsigned(head.position + 1) {
            return Err(StoreError::Conflict("the events do not follow the end of the log"));
        }
        let stored = stream(connection, account, event.stream)?;
        let mut row = match stored {
            Some(row) => row,
            None => {
                head.stream_no += 1;
                insert_stream(connection, account, head.stream_no, event.stream)?;
                StreamRow { stream_no: head.stream_no, version: 0 }
            }
        };
        row.version += 1;
        if event.version != unsigned(row.version) || event.recorded_at.micros() < head.recorded_at {
            return Err(corrupt("an event that is copied does not follow the one before it"));
        }
        head.position += 1;
        head.recorded_at = event.recorded_at.micros();
        insert_event(connection, &head.place(account, &row), &event.into())?;
    }
    if !events.is_empty() {
        write_head(connection, account, &head)?;
    }
    connection
        .prepare_cached("UPDATE log_heads SET epoch = ?2 WHERE account_id = ?1")
        .and_then(|mut statement| statement.execute(params![account.bytes(), epoch]))
        .map_err(|error| failed(&error))?;
    Ok(())
}

fn check_sizes(batch: &Batch) -> Result<(), StoreError> {
    if batch.events.len() > EVENTS_PER_BATCH_MAX {
        return Err(StoreError::Refused(RefusedBecause::TooMany { limit: EVENTS_PER_BATCH_MAX }));
    }
    let bytes = |event: &NewEvent| event.payload.len() + event.sealed.as_ref().map_or(0, Vec::len);
    if batch.events.iter().any(|event| bytes(event) > EVENT_BYTES_MAX) {
        return Err(StoreError::Refused(RefusedBecause::TooLarge { limit: EVENT_BYTES_MAX }));
    }
    Ok(())
}

fn head(connection: &Connection, account: AccountId) -> Result<HeadRow, StoreError> {
    let read = || {
        connection
            .prepare_cached(
                "SELECT last_position, last_recorded_at, last_stream_no FROM log_heads WHERE account_id = ?1",
            )?
            .query_row([account.bytes()], |row| {
                Ok(HeadRow {
                    position: row.get(0)?,
                    recorded_at: row.get(1)?,
                    stream_no: row.get(2)?,
                    is_new: false,
                })
            })
            .optional()
    };
    let stored = read().map_err(|error| failed(&error))?;
    Ok(stored.unwrap_or(HeadRow { position: 0, recorded_at: 0, stream_no: 0, is_new: true }))
}

fn write_head(connection: &Connection, account: AccountId, head: &HeadRow) -> Result<(), StoreError> {
    let sql = if head.is_new {
        "INSERT INTO log_heads (account_id, last_position, last_recorded_at, last_stream_no, epoch)
         VALUES (?1, ?2, ?3, ?4, 0)"
    } else {
        "UPDATE log_heads SET last_position = ?2, last_recorded_at = ?3, last_stream_no = ?4 WHERE account_id = ?1"
    };
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.execute(params![account.bytes(), head.position, head.recorded_at, head.stream_no])
        })
        .map_err(|error| failed(&error))?;
    Ok(())
}

fn stream(
    connection: &Connection,
    account: AccountId,
    stream: StreamRef,
) -> Result<Option<StreamRow>, StoreError> {
    connection
        .prepare_cached(
            "SELECT stream_no,
                    (SELECT max(version) FROM events
                     WHERE events.account_id = streams.account_id AND events.stream_no = streams.stream_no)
             FROM streams WHERE account_id = ?1 AND stream_id = ?2 AND stream_type = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![account.bytes(), stream.id.as_bytes(), stream.kind.as_str()], |row| {
                    Ok(StreamRow { stream_no: row.get(0)?, version: row.get(1)? })
                })
                .optional()
        })
        .map_err(|error| failed(&error))
}

fn insert_stream(
    connection: &Connection,
    account: AccountId,
    stream_no: i64,
    stream: StreamRef,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO streams (account_id, stream_no, stream_type, stream_id) VALUES (?1, ?2, ?3, ?4)",
        )
        .and_then(|mut statement| {
            statement.execute(params![account.bytes(), stream_no, stream.kind.as_str(), stream.id.as_bytes()])
        })
        .map_err(|error| failed(&error))?;
    Ok(())
}

/// Where an event's row goes.
struct Place {
    account: AccountId,
    position: i64,
    stream_no: i64,
    version: i64,
    recorded_at: i64,
}

/// What stands in it besides.
struct Content<'a> {
    event_type: &'a str,
    schema_version: u16,
    actor: Actor,
    correlation: CorrelationId,
    causation: CommandId,
    payload: &'a [u8],
    sealed: Option<&'a [u8]>,
    key: Option<KeyId>,
    dedupe: Option<DedupeToken>,
}

impl<'a> From<&'a NewEvent> for Content<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            event_type: event.event_type,
            schema_version: event.schema_version,
            actor: event.actor,
            correlation: event.correlation,
            causation: event.causation,
            payload: &event.payload,
            sealed: event.sealed.as_deref(),
            key: event.key,
            dedupe: event.dedupe,
        }
    }
}

impl<'a> From<&'a RecordedEvent> for Content<'a> {
    fn from(event: &'a RecordedEvent) -> Self {
        Self {
            event_type: &event.event_type,
            schema_version: event.schema_version,
            actor: event.actor,
            correlation: event.correlation,
            causation: event.causation,
            payload: &event.payload,
            sealed: event.sealed.as_deref(),
            key: event.key,
            dedupe: event.dedupe,
        }
    }
}

fn insert_event(connection: &Connection, place: &Place, event: &Content<'_>) -> Result<(), StoreError> {
    let (actor_kind, actor_id, actor_reason) = event.actor.to_columns();
    connection
        .prepare_cached(
            "INSERT INTO events (account_id, position, stream_no, version, event_type, schema_version, recorded_at,
                                 actor_kind, actor_id, actor_reason, correlation_id, causation_id,
                                 payload, sealed, key_id, dedupe)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                place.account.bytes(),
                place.position,
                place.stream_no,
                place.version,
                event.event_type,
                event.schema_version,
                place.recorded_at,
                actor_kind,
                actor_id.map(uuid::Uuid::into_bytes),
                actor_reason,
                event.correlation.bytes(),
                event.causation.bytes(),
                event.payload,
                event.sealed,
                event.key.map(KeyId::bytes),
                event.dedupe.map(DedupeToken::bytes),
            ])
        })
        .map_err(|error| failed(&error))?;
    Ok(())
}

/// Which of the events' tokens the log has, and where.
fn known(
    connection: &Connection,
    account: AccountId,
    events: &[NewEvent],
) -> Result<Vec<(DedupeToken, Position)>, StoreError> {
    let mut known = Vec::new();
    for token in events.iter().filter_map(|event| event.dedupe) {
        known.extend(position_of(connection, account, token)?.map(|position| (token, position)));
    }
    Ok(known)
}

pub(crate) fn position_of(
    connection: &Connection,
    account: AccountId,
    token: DedupeToken,
) -> Result<Option<Position>, StoreError> {
    let position = connection
        .prepare_cached("SELECT position FROM events WHERE account_id = ?1 AND dedupe = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![account.bytes(), token.bytes()], |row| row.get::<_, i64>(0))
                .optional()
        })
        .map_err(|error| failed(&error))?;
    Ok(position.map(|position| Position::new(unsigned(position))))
}

/// The same, without the rows of the batch itself, which are about to be rolled back.
fn known_before(
    connection: &Connection,
    account: AccountId,
    events: &[NewEvent],
    first: Position,
) -> Result<Vec<(DedupeToken, Position)>, StoreError> {
    let mut known = known(connection, account, events)?;
    known.retain(|(_, position)| *position < first);
    Ok(known)
}

fn apply_key(
    connection: &Connection,
    account: AccountId,
    op: KeyOp,
    recorded_at: i64,
) -> Result<(), StoreError> {
    let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(|error| failed(&error))
    };
    match op {
        KeyOp::CreateAccount(keys) => {
            run(
                "INSERT INTO account_keys (account_id, account_key, id_key) VALUES (?1, ?2, ?3)",
                params![account.bytes(), keys.account_key, keys.id_key],
            )?;
        }
        KeyOp::Create { key, wrapped } => {
            run(
                "INSERT INTO data_keys (account_id, key_id, destroyed, wrapped) VALUES (?1, ?2, 0, ?3)",
                params![account.bytes(), key.bytes(), wrapped],
            )?;
        }
        KeyOp::Destroy { key } => {
            // As many zeros as there were bytes: the row is overwritten where it lies.
            let destroyed = run(
                "UPDATE data_keys SET destroyed = 1, wrapped = zeroblob(length(wrapped))
                 WHERE account_id = ?1 AND key_id = ?2 AND destroyed = 0",
                params![account.bytes(), key.bytes()],
            )?;
            // A stream whose events carried nothing personal never had a key.
            if destroyed == 1 {
                run(
                    "INSERT INTO erasures_pending (account_id, key_id, recorded_at) VALUES (?1, ?2, ?3)",
                    params![account.bytes(), key.bytes(), recorded_at],
                )?;
            }
        }
    }
    Ok(())
}

fn insert_snapshot(
    connection: &Connection,
    account: AccountId,
    stream_no: i64,
    snapshot: &parlance_store::Snapshot,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO snapshots (account_id, stream_no, version, shape, state) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account_id, stream_no)
             DO UPDATE SET version = excluded.version, shape = excluded.shape, state = excluded.state",
        )
        .and_then(|mut statement| {
            let version = signed(snapshot.version);
            statement.execute(params![account.bytes(), stream_no, version, snapshot.shape, snapshot.state])
        })
        .map_err(|error| failed(&error))?;
    Ok(())
}

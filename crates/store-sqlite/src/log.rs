//! Reading the log.

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef,
    StreamType, Timestamp,
};
use parlance_store::{
    Batch, EventLog, Head, Loaded, Outcome, PAGE_BYTES_MAX, PAGE_MAX, Snapshot, StoreError, TOUCHED_MAX,
    Touched,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    SqliteStore, append,
    error::{corrupt, failed},
    sql::{signed, unsigned},
};

/// A cold load's first page: the tail behind a snapshot is far shorter.
const LOAD_PAGE: usize = 1_000;

impl EventLog for SqliteStore {
    async fn append(&self, batch: Batch) -> Result<Outcome, StoreError> {
        self.writer.append(batch).await
    }

    async fn head(&self, account: AccountId) -> Result<Head, StoreError> {
        self.readers
            .read(move |connection| {
                let head = connection
                    .prepare_cached(
                        "SELECT last_position, last_recorded_at, epoch FROM log_heads WHERE account_id = ?1",
                    )
                    .and_then(|mut statement| {
                        statement
                            .query_row([account.bytes()], |row| {
                                Ok(Head {
                                    position: Position::new(unsigned(row.get(0)?)),
                                    recorded_at: Timestamp::from_micros(row.get(1)?),
                                    epoch: row.get(2)?,
                                })
                            })
                            .optional()
                    })
                    .map_err(|error| failed(&error))?;
                Ok(head.unwrap_or_default())
            })
            .await
    }

    async fn read(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.readers.read(move |connection| read(connection, account, after, limit)).await
    }

    async fn read_stream(
        &self,
        account: AccountId,
        stream: StreamRef,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.readers
            .read(move |connection| match stream_no(connection, account, stream)? {
                Some(stream_no) => read_stream(connection, account, stream, stream_no, after, limit),
                None => Ok(Vec::new()),
            })
            .await
    }

    async fn load(&self, account: AccountId, stream: StreamRef, shape: u32) -> Result<Loaded, StoreError> {
        self.readers.read(move |connection| load(connection, account, stream, shape)).await
    }

    async fn load_many(
        &self,
        account: AccountId,
        streams: Vec<StreamRef>,
        shape: u32,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.readers
            .read(move |connection| {
                streams.into_iter().map(|stream| load(connection, account, stream, shape)).collect()
            })
            .await
    }

    async fn caused_by(
        &self,
        account: AccountId,
        command: CommandId,
        after: Position,
    ) -> Result<Vec<Position>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    // No index: the answer is wanted rarely, and near the end of the log.
                    connection
                        .prepare_cached(
                            "SELECT position FROM events
                             WHERE account_id = ?1 AND position > ?2 AND position <= ?3 AND causation_id = ?4
                             ORDER BY position",
                        )?
                        .query_map(
                            params![
                                account.bytes(),
                                signed(after.number()),
                                signed(after.number().saturating_add(PAGE_MAX as u64)),
                                command.bytes()
                            ],
                            |row| Ok(Position::new(unsigned(row.get(0)?))),
                        )?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn position_of(
        &self,
        account: AccountId,
        token: DedupeToken,
    ) -> Result<Option<Position>, StoreError> {
        self.readers.read(move |connection| append::position_of(connection, account, token)).await
    }

    async fn accounts(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<AccountId>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT account_id FROM log_heads WHERE ?1 IS NULL OR account_id > ?1
                             ORDER BY account_id LIMIT ?2",
                        )?
                        .query_map(params![after.map(AccountId::bytes), limit.min(PAGE_MAX) as i64], |row| {
                            Ok(AccountId::from_bytes(row.get(0)?))
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn heads(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<(AccountId, Position)>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT account_id, last_position FROM log_heads WHERE ?1 IS NULL OR account_id > ?1
                             ORDER BY account_id LIMIT ?2",
                        )?
                        .query_map(params![after.map(AccountId::bytes), limit.min(PAGE_MAX) as i64], |row| {
                            Ok((AccountId::from_bytes(row.get(0)?), Position::new(unsigned(row.get(1)?))))
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn touched(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Touched>, StoreError> {
        self.readers.read(move |connection| touched(connection, account, after, limit)).await
    }

    fn appended(&self) -> watch::Receiver<u64> {
        self.appended.clone()
    }
}

fn load(
    connection: &Connection,
    account: AccountId,
    stream: StreamRef,
    shape: u32,
) -> Result<Loaded, StoreError> {
    let Some(stream_no) = stream_no(connection, account, stream)? else {
        return Ok(Loaded { complete: true, ..Loaded::default() });
    };
    let snapshot = snapshot(connection, account, stream, stream_no, shape)?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.version);
    let events = read_stream(connection, account, stream, stream_no, after, LOAD_PAGE)?;
    let complete = events.len() < LOAD_PAGE;
    Ok(Loaded { snapshot, events, complete })
}

fn read(
    connection: &Connection,
    account: AccountId,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT version, event_type, schema_version, recorded_at, actor_kind, actor_id, actor_reason,
                    correlation_id, causation_id, payload, sealed, key_id, dedupe, position, stream_type, stream_id
             FROM events JOIN streams USING (account_id, stream_no)
             WHERE account_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        )
        .map_err(|error| failed(&error))?;
    let mut rows = statement
        .query(params![account.bytes(), signed(after.number()), limit.min(PAGE_MAX) as i64])
        .map_err(|error| failed(&error))?;
    let mut events = Vec::new();
    let mut bytes = 0;
    while bytes < PAGE_BYTES_MAX
        && let Some(row) = rows.next().map_err(|error| failed(&error))?
    {
        let kind = row.get_ref(14).ok().and_then(|kind| StreamType::parse(kind.as_str().ok()?));
        let kind = kind.ok_or_else(|| corrupt("a stream of unknown type"))?;
        let id = row.get::<_, [u8; 16]>(15).map_err(|error| failed(&error))?;
        let event = event(account, StreamRef::new(kind, Uuid::from_bytes(id)), row)?;
        bytes += event.payload.len() + event.sealed.as_ref().map_or(0, Vec::len);
        events.push(event);
    }
    Ok(events)
}

fn touched(
    connection: &Connection,
    account: AccountId,
    after: Position,
    limit: usize,
) -> Result<Vec<Touched>, StoreError> {
    let find = || {
        let limit = limit.min(TOUCHED_MAX) as i64;
        connection
            .prepare_cached(
                "SELECT position, stream_type, stream_id, version, event_type
                 FROM events JOIN streams USING (account_id, stream_no)
                 WHERE account_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
            )?
            .query_map(params![account.bytes(), signed(after.number()), limit], |row| {
                let (kind, id) = (row.get::<_, String>(1)?, row.get(2)?);
                Ok((kind, Uuid::from_bytes(id), row.get(0)?, row.get(3)?, row.get(4)?))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let found = find().map_err(|error| failed(&error))?;
    let known = found.into_iter().filter_map(|(kind, id, position, version, event_type)| {
        // A newer release's has no type here.
        let kind = StreamType::parse(&kind)?;
        Some(Touched {
            position: Position::new(unsigned(position)),
            stream: StreamRef::new(kind, id),
            version: unsigned(version),
            event_type,
        })
    });
    Ok(known.collect())
}

fn read_stream(
    connection: &Connection,
    account: AccountId,
    stream: StreamRef,
    stream_no: i64,
    after: u64,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT version, event_type, schema_version, recorded_at, actor_kind, actor_id, actor_reason,
                    correlation_id, causation_id, payload, sealed, key_id, dedupe, position
             FROM events WHERE account_id = ?1 AND stream_no = ?2 AND version > ?3 ORDER BY version LIMIT ?4",
        )
        .map_err(|error| failed(&error))?;
    let mut rows = statement
        .query(params![account.bytes(), stream_no, signed(after), limit.min(PAGE_MAX) as i64])
        .map_err(|error| failed(&error))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(|error| failed(&error))? {
        events.push(event(account, stream, row)?);
    }
    Ok(events)
}

/// A row whose first columns are those of the two statements above.
fn event(account: AccountId, stream: StreamRef, row: &Row<'_>) -> Result<RecordedEvent, StoreError> {
    let take = || -> rusqlite::Result<_> {
        let kind = row.get_ref(4)?;
        let id = row.get::<_, Option<[u8; 16]>>(5)?.map(Uuid::from_bytes);
        let reason = row.get_ref(6)?;
        let actor = Actor::from_columns(kind.as_str()?, id, reason.as_str_or_null()?);
        Ok((
            actor,
            RecordedEvent {
                account,
                position: Position::new(unsigned(row.get(13)?)),
                stream,
                version: unsigned(row.get(0)?),
                event_type: row.get(1)?,
                schema_version: row.get(2)?,
                recorded_at: Timestamp::from_micros(row.get(3)?),
                actor: Actor::Operator(parlance_domain::OperatorId::COMMAND_LINE),
                correlation: CorrelationId::from_bytes(row.get(7)?),
                causation: CommandId::from_bytes(row.get(8)?),
                payload: row.get(9)?,
                sealed: row.get(10)?,
                key: row.get::<_, Option<[u8; 16]>>(11)?.map(KeyId::from_bytes),
                dedupe: row.get::<_, Option<[u8; 16]>>(12)?.map(DedupeToken::from_bytes),
            },
        ))
    };
    let (actor, event) = take().map_err(|error| failed(&error))?;
    let actor = actor.ok_or_else(|| corrupt("an event without an actor that Parlance knows"))?;
    Ok(RecordedEvent { actor, ..event })
}

fn stream_no(
    connection: &Connection,
    account: AccountId,
    stream: StreamRef,
) -> Result<Option<i64>, StoreError> {
    connection
        .prepare_cached(
            "SELECT stream_no FROM streams WHERE account_id = ?1 AND stream_id = ?2 AND stream_type = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![account.bytes(), stream.id.as_bytes(), stream.kind.as_str()], |row| {
                    row.get(0)
                })
                .optional()
        })
        .map_err(|error| failed(&error))
}

fn snapshot(
    connection: &Connection,
    account: AccountId,
    stream: StreamRef,
    stream_no: i64,
    shape: u32,
) -> Result<Option<Snapshot>, StoreError> {
    connection
        .prepare_cached(
            "SELECT version, state FROM snapshots WHERE account_id = ?1 AND stream_no = ?2 AND shape = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![account.bytes(), stream_no, shape], |row| {
                    Ok(Snapshot { stream, version: unsigned(row.get(0)?), shape, state: row.get(1)? })
                })
                .optional()
        })
        .map_err(|error| failed(&error))
}

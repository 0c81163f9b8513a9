//! Read models: rows, checkpoints, parked streams.

use parlance_domain::{AccountId, Position, StreamRef, StreamType};
use parlance_projections::{Change, Row, RowKey, TABLES, Table, Touch, Value};
use parlance_store::{
    AccountBucket, Checkpoint, Fence, Generation, PAGE_MAX, PageWrite, ParkedStream, ProjectionState,
    ReadModels, StoreError,
};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params, params_from_iter};
use uuid::Uuid;

use crate::{
    SqliteStore,
    error::{corrupt, failed},
    leases::check_fence,
    sql::{Param, SQL, signed, unsigned, values},
};

/// Rows removed per transaction when a generation is dropped: a few milliseconds of the writer's time.
const DROP_STEP: i64 = 2_000;

impl ReadModels for SqliteStore {
    async fn checkpoint(
        &self,
        account: AccountId,
        projection: &'static str,
        generation: Generation,
    ) -> Result<Option<Checkpoint>, StoreError> {
        self.readers.read(move |connection| checkpoint(connection, account, projection, generation)).await
    }

    async fn checkpoints(&self, account: AccountId) -> Result<Vec<ProjectionState>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT projection, generation, position, taken, version FROM checkpoints
                             WHERE account_id = ?1 ORDER BY projection, generation",
                        )?
                        .query_map([account.bytes()], |row| {
                            Ok(ProjectionState {
                                projection: row.get(0)?,
                                generation: Generation(row.get(1)?),
                                checkpoint: Checkpoint {
                                    position: Position::new(unsigned(row.get(2)?)),
                                    taken: unsigned(row.get(3)?),
                                    version: row.get(4)?,
                                },
                            })
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn load_rows(
        &self,
        account: AccountId,
        generation: Generation,
        touches: Vec<Touch>,
    ) -> Result<Vec<(Touch, Vec<Row>)>, StoreError> {
        self.readers
            .read(move |connection| {
                touches
                    .into_iter()
                    .map(|touch| {
                        let rows = select(connection, account, generation, &touch)
                            .map_err(|error| failed(&error))?;
                        Ok((touch, rows))
                    })
                    .collect()
            })
            .await
    }

    async fn write_pages(&self, pages: Vec<PageWrite>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| pages.iter().try_for_each(|page| write_page(connection, page)))
            .await
    }

    async fn scan_rows(
        &self,
        account: AccountId,
        generation: Generation,
        table: &'static Table,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    let sql = &SQL[table.id];
                    let limit = limit.min(PAGE_MAX) as i64;
                    let (text, key) = match &after {
                        Some(key) => (&sql.scan_after, key.as_slice()),
                        None => (&sql.scan_first, &[][..]),
                    };
                    let account = account.bytes();
                    let mut bound: Vec<&dyn ToSql> = vec![&account, &generation.0];
                    let key: Vec<_> = key.iter().map(Param).collect();
                    bound.extend(key.iter().map(|value| value as &dyn ToSql));
                    bound.push(&limit);
                    let mut statement = connection.prepare_cached(text)?;
                    let rows = statement.query_map(bound.as_slice(), |row| values(table, row))?;
                    rows.collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn parked_streams(
        &self,
        account: AccountId,
        generation: Generation,
        projection: Option<&'static str>,
    ) -> Result<Vec<ParkedStream>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT projection, stream_type, stream_id, position, events, reason FROM parked_streams
                             WHERE account_id = ?1 AND generation = ?2 AND (?3 IS NULL OR projection = ?3)
                             ORDER BY projection, position",
                        )?
                        .query_map(params![account.bytes(), generation.0, projection], |row| {
                            Ok((
                                row.get::<_, String>(1)?,
                                ParkedStream {
                                    projection: row.get(0)?,
                                    stream: StreamRef::new(StreamType::Account, Uuid::from_bytes(row.get(2)?)),
                                    position: Position::new(unsigned(row.get(3)?)),
                                    events: unsigned(row.get(4)?),
                                    reason: row.get(5)?,
                                },
                            ))
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find()
                    .map_err(|error| failed(&error))?
                    .into_iter()
                    .map(|(kind, mut parked)| {
                        parked.stream.kind =
                            StreamType::parse(&kind).ok_or_else(|| corrupt("a parked stream of unknown type"))?;
                        Ok(parked)
                    })
                    .collect()
            })
            .await
    }

    async fn drop_generation(
        &self,
        account: AccountId,
        projection: &'static str,
        tables: &'static [&'static Table],
        generation: Generation,
    ) -> Result<(), StoreError> {
        // The checkpoint first: rows without one are nobody's.
        self.writer
            .write(move |connection| {
                for text in [
                    "DELETE FROM checkpoints WHERE account_id = ?1 AND projection = ?2 AND generation = ?3",
                    "DELETE FROM parked_streams WHERE account_id = ?1 AND projection = ?2 AND generation = ?3",
                ] {
                    connection
                        .prepare_cached(text)
                        .and_then(|mut statement| {
                            statement.execute(params![account.bytes(), projection, generation.0])
                        })
                        .map_err(|error| failed(&error))?;
                }
                Ok(())
            })
            .await?;
        for table in tables {
            loop {
                self.writer
                    .write(move |connection| {
                        connection
                            .prepare_cached(&SQL[table.id].drop_some)
                            .and_then(|mut statement| {
                                statement.execute(params![account.bytes(), generation.0, DROP_STEP])
                            })
                            .map_err(|error| failed(&error))?;
                        Ok(())
                    })
                    .await?;
                if self.scan_rows(account, generation, table, None, 1).await?.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn held_conversations(
        &self,
        account: AccountId,
        generation: Generation,
        assignee: Uuid,
        channel: Option<Uuid>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT conversation_id FROM inbox_conversations
                             WHERE account_id = ?1 AND generation = ?2 AND assignee = ?3
                               AND conversation_id > coalesce(?4, x'') AND (?5 IS NULL OR channel_id = ?5)
                             ORDER BY conversation_id LIMIT ?6",
                        )?
                        .query_map(
                            params![
                                account.bytes(),
                                generation.0,
                                assignee.as_bytes(),
                                after.map(Uuid::into_bytes),
                                channel.map(Uuid::into_bytes),
                                limit.min(PAGE_MAX) as i64
                            ],
                            |row| Ok(Uuid::from_bytes(row.get(0)?)),
                        )?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn policy_checkpoint(
        &self,
        account: AccountId,
        policy: &'static str,
    ) -> Result<Position, StoreError> {
        self.readers
            .read(move |connection| {
                let position = connection
                    .prepare_cached(
                        "SELECT position FROM policy_checkpoints WHERE account_id = ?1 AND policy = ?2",
                    )
                    .and_then(|mut statement| {
                        statement.query_row(params![account.bytes(), policy], |row| row.get(0)).optional()
                    })
                    .map_err(|error| failed(&error))?;
                Ok(position.map_or(Position::START, |position| Position::new(unsigned(position))))
            })
            .await
    }

    async fn set_policy_checkpoint(
        &self,
        account: AccountId,
        policy: &'static str,
        position: Position,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                check_fence(connection, AccountBucket::of(account), fence)?;
                connection
                    .prepare_cached(
                        "INSERT INTO policy_checkpoints (account_id, policy, position) VALUES (?1, ?2, ?3)
                         ON CONFLICT (account_id, policy)
                         DO UPDATE SET position = max(position, excluded.position)",
                    )
                    .and_then(|mut statement| {
                        statement.execute(params![account.bytes(), policy, signed(position.number())])
                    })
                    .map_err(|error| failed(&error))?;
                Ok(())
            })
            .await
    }
}

fn checkpoint(
    connection: &Connection,
    account: AccountId,
    projection: &str,
    generation: Generation,
) -> Result<Option<Checkpoint>, StoreError> {
    connection
        .prepare_cached(
            "SELECT position, taken, version FROM checkpoints
             WHERE account_id = ?1 AND projection = ?2 AND generation = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![account.bytes(), projection, generation.0], |row| {
                    Ok(Checkpoint {
                        position: Position::new(unsigned(row.get(0)?)),
                        taken: unsigned(row.get(1)?),
                        version: row.get(2)?,
                    })
                })
                .optional()
        })
        .map_err(|error| failed(&error))
}

fn select(
    connection: &Connection,
    account: AccountId,
    generation: Generation,
    touch: &Touch,
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(&SQL[touch.table].select[touch.prefix.len()])?;
    let account = account.bytes();
    let bound = [&account as &dyn ToSql, &generation.0];
    let prefix: Vec<_> = touch.prefix.iter().map(Param).collect();
    let bound = bound.into_iter().chain(prefix.iter().map(|value| value as &dyn ToSql));
    let rows = statement.query_map(params_from_iter(bound), |row| values(TABLES[touch.table], row))?;
    rows.collect()
}

fn write_page(connection: &Connection, page: &PageWrite) -> Result<(), StoreError> {
    check_fence(connection, AccountBucket::of(page.account), page.fence)?;
    if checkpoint(connection, page.account, page.projection, page.generation)? != page.from {
        return Err(StoreError::Conflict("the projection's checkpoint is another by now"));
    }
    page.changes
        .iter()
        .try_for_each(|change| write_change(connection, page.account, page.generation, change))
        .and_then(|()| page.parked.iter().try_for_each(|parked| write_parked(connection, page, parked)))
        .and_then(|()| {
            connection
                .prepare_cached(
                    "INSERT INTO checkpoints (account_id, projection, generation, position, taken, version)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (account_id, projection, generation)
                     DO UPDATE SET position = excluded.position, taken = excluded.taken, version = excluded.version",
                )?
                .execute(params![
                    page.account.bytes(),
                    page.projection,
                    page.generation.0,
                    signed(page.to.position.number()),
                    signed(page.to.taken),
                    page.to.version
                ])
                .map(|_| ())
        })
        .map_err(|error| failed(&error))
}

fn write_change(
    connection: &Connection,
    account: AccountId,
    generation: Generation,
    change: &Change,
) -> rusqlite::Result<()> {
    let run = |text: &str, given: &mut dyn Iterator<Item = &Value>| {
        let account = account.bytes();
        let given: Vec<_> = given.map(Param).collect();
        let bound = [&account as &dyn ToSql, &generation.0];
        let bound = bound.into_iter().chain(given.iter().map(|value| value as &dyn ToSql));
        connection.prepare_cached(text)?.execute(params_from_iter(bound)).map(|_| ())
    };
    match change {
        Change::RemovePrefix { table, prefix } => run(&SQL[*table].remove[prefix.len()], &mut prefix.iter()),
        Change::Remove { table, key } => run(&SQL[*table].remove[key.len()], &mut key.iter()),
        Change::Put { table, row } => run(&SQL[*table].put, &mut row.iter()),
        Change::Add { table, key, by } => {
            let by: Vec<_> = by.iter().copied().map(Value::Int).collect();
            run(&SQL[*table].add, &mut key.iter().chain(&by))?;
            run(&SQL[*table].prune, &mut key.iter())
        }
    }
}

fn write_parked(connection: &Connection, page: &PageWrite, parked: &ParkedStream) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO parked_streams (account_id, projection, generation, stream_type, stream_id, position, events,
                                         reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (account_id, projection, generation, stream_type, stream_id)
             DO UPDATE SET events = excluded.events",
        )?
        .execute(params![
            page.account.bytes(),
            page.projection,
            page.generation.0,
            parked.stream.kind.as_str(),
            parked.stream.id.as_bytes(),
            signed(parked.position.number()),
            signed(parked.events),
            parked.reason
        ])
        .map(|_| ())
}

//! Read models: rows, checkpoints, parked streams.

use std::collections::BTreeMap;

use parlance_domain::{AccountId, Position, StreamRef, StreamType};
use parlance_projections::{Row, RowKey, TABLES, Table, Touch, Value};
use parlance_store::{
    Checkpoint, Fence, Generation, PAGE_MAX, PageWrite, ParkedStream, ProjectionState, ReadModels, StoreError,
};
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::{Connection, IfLost},
    error::{Failure, corrupt},
    numbers::{self, signed, unsigned},
    pipeline::{Call, Open, read},
    rows::{self, SQL},
};

/// Rows removed by one statement when a generation is dropped: some tens of milliseconds.
const DROP_STEP: i64 = 5_000;

impl ReadModels for PostgresStore {
    async fn checkpoint(
        &self,
        account: AccountId,
        projection: &'static str,
        generation: Generation,
    ) -> Result<Option<Checkpoint>, StoreError> {
        self.read_with(|connection| async move {
            let call = Call::new(
                "SELECT position, taken, version FROM checkpoints
                 WHERE account_id = $1 AND projection = $2 AND generation = $3",
            );
            let call = call.with(account.uuid()).with(projection).with(generation.0);
            one(&connection, call).await?.first().map(|row| checkpoint(row, 0)).transpose()
        })
        .await
    }

    async fn checkpoints(&self, account: AccountId) -> Result<Vec<ProjectionState>, StoreError> {
        self.read_with(|connection| async move {
            let call = Call::new(
                "SELECT projection, generation, position, taken, version FROM checkpoints
                 WHERE account_id = $1 ORDER BY projection, generation",
            );
            let found = one(&connection, call.with(account.uuid())).await?;
            found
                .iter()
                .map(|row| {
                    Ok(ProjectionState {
                        projection: row.try_get(0)?,
                        generation: Generation(row.try_get(1)?),
                        checkpoint: checkpoint(row, 2)?,
                    })
                })
                .collect()
        })
        .await
    }

    async fn load_rows(
        &self,
        account: AccountId,
        generation: Generation,
        touches: Vec<Touch>,
    ) -> Result<Vec<(Touch, Vec<Row>)>, StoreError> {
        let touched = &touches;
        let found = self
            .read_with(|connection| async move { load(&connection, account, generation, touched).await })
            .await?;
        Ok(touches.into_iter().zip(found).collect())
    }

    async fn write_pages(&self, pages: Vec<PageWrite>) -> Result<(), StoreError> {
        // What was written although nobody heard of it has moved the checkpoint: again is a conflict, and no harm.
        let pages = &pages;
        self.run(IfLost::Unavailable, |connection| async move { rows::write_pages(&connection, pages).await })
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
        let after = after.as_deref();
        self.read_with(|connection| async move {
            let sql = &SQL[table.id];
            let call = walk((&sql.scan_first, &sql.scan_after), account, generation, table, after)?;
            let found = one(&connection, call.with(limited(limit))).await?;
            found.iter().map(|row| rows::row(table, row, 0)).collect()
        })
        .await
    }

    async fn parked_streams(
        &self,
        account: AccountId,
        generation: Generation,
        projection: Option<&'static str>,
    ) -> Result<Vec<ParkedStream>, StoreError> {
        self.read_with(|connection| async move {
            let call = Call::new(
                "SELECT projection, stream_type, stream_id, position, events, reason FROM parked_streams
                 WHERE account_id = $1 AND generation = $2 AND ($3::text IS NULL OR projection = $3)
                 ORDER BY projection, position",
            );
            let call = call.with(account.uuid()).with(generation.0).with(projection);
            one(&connection, call).await?.iter().map(parked).collect()
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
        // The checkpoint first: rows without one are nobody's. What was removed twice was removed.
        self.run(IfLost::Again, |connection| async move {
            let remove =
                |text| Call::new(text).with(account.uuid()).with(projection).with(generation.0);
            let calls = [
                remove("DELETE FROM checkpoints WHERE account_id = $1 AND projection = $2 AND generation = $3"),
                remove("DELETE FROM parked_streams WHERE account_id = $1 AND projection = $2 AND generation = $3"),
            ];
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &calls).await?;
            open.commit().await
        })
        .await?;
        for table in tables {
            let mut after: Option<RowKey> = None;
            loop {
                let walked = after.as_deref();
                let last = self
                    .run(IfLost::Again, |connection| async move {
                        let sql = &SQL[table.id];
                        let call =
                            walk((&sql.drop_first, &sql.drop_after), account, generation, table, walked)?;
                        let last = one(&connection, call.with(DROP_STEP)).await?;
                        last.first().map(|row| rows::values(table.key.iter(), row, 0)).transpose()
                    })
                    .await?;
                if last.is_none() {
                    break;
                }
                after = last;
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
        let bytes = |id: Uuid| id.as_bytes().to_vec();
        self.read_with(|connection| async move {
            let call = Call::new(HELD)
                .with(account.uuid())
                .with(generation.0)
                .with(bytes(assignee))
                .with(after.map(bytes).unwrap_or_default())
                .with(channel.map(bytes))
                .with(limited(limit));
            let found = one(&connection, call).await?;
            let id = |row: &tokio_postgres::Row| {
                let bytes: &[u8] = row.try_get(0)?;
                Ok(Uuid::from_slice(bytes).map_err(|_| corrupt("an id of another length"))?)
            };
            found.iter().map(id).collect()
        })
        .await
    }

    async fn policy_checkpoint(
        &self,
        account: AccountId,
        policy: &'static str,
    ) -> Result<Position, StoreError> {
        self.read_with(|connection| async move {
            let call =
                Call::new("SELECT position FROM policy_checkpoints WHERE account_id = $1 AND policy = $2");
            let found = one(&connection, call.with(account.uuid()).with(policy)).await?;
            let Some(row) = found.first() else { return Ok(Position::START) };
            Ok(Position::new(unsigned(row.try_get(0)?)))
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
        // Forward only, so twice is once.
        self.run(IfLost::Again, |connection| async move {
            let set = Call::new(
                "INSERT INTO policy_checkpoints (account_id, policy, position) VALUES ($1, $2, $3)
                 ON CONFLICT (account_id, policy) DO UPDATE
                 SET position = greatest(policy_checkpoints.position, excluded.position)",
            );
            let set = set.with(account.uuid()).with(policy).with(signed(position.number()));
            let calls: Vec<_> =
                [set].into_iter().chain(fence.map(|fence| rows::check_fence_of(account, fence))).collect();
            let open = Open::new(&connection);
            if open.write(Some("BEGIN"), &calls).await?.contains(&0) {
                return Err(StoreError::Conflict(rows::FENCE_MOVED).into());
            }
            open.commit().await
        })
        .await
    }
}

pub(crate) const HELD: &str = "SELECT conversation_id FROM inbox_conversations
     WHERE account_id = $1 AND generation = $2 AND assignee = $3 AND conversation_id > $4
       AND ($5::bytea IS NULL OR channel_id = $5)
     ORDER BY conversation_id LIMIT $6";

fn limited(limit: usize) -> i64 {
    numbers::rows(limit, PAGE_MAX)
}

/// The rows of one statement.
async fn one(connection: &Connection, call: Call<'_>) -> Result<Vec<tokio_postgres::Row>, Failure> {
    Ok(read(connection, &[call]).await?.pop().unwrap_or_default())
}

/// A walk in key order, from the first row or after a key.
fn walk<'a>(
    (first, next): (&'static str, &'static str),
    account: AccountId,
    generation: Generation,
    table: &Table,
    after: Option<&'a [Value]>,
) -> Result<Call<'a>, StoreError> {
    let call = Call::new(if after.is_some() { next } else { first });
    let mut call = call.with(account.uuid()).with(generation.0);
    for (column, value) in table.key.iter().zip(after.unwrap_or_default()) {
        call.given.push(rows::given(column, value)?);
    }
    Ok(call)
}

fn checkpoint(row: &tokio_postgres::Row, first: usize) -> Result<Checkpoint, Failure> {
    let version: i64 = row.try_get(first + 2)?;
    Ok(Checkpoint {
        position: Position::new(unsigned(row.try_get(first)?)),
        taken: unsigned(row.try_get(first + 1)?),
        version: u32::try_from(version).map_err(|_| corrupt("a projector's version"))?,
    })
}

fn parked(row: &tokio_postgres::Row) -> Result<ParkedStream, Failure> {
    let kind = StreamType::parse(row.try_get(1)?);
    let kind = kind.ok_or_else(|| corrupt("a parked stream of unknown type"))?;
    Ok(ParkedStream {
        projection: row.try_get(0)?,
        stream: StreamRef::new(kind, row.try_get(2)?),
        position: Position::new(unsigned(row.try_get(3)?)),
        events: unsigned(row.try_get(4)?),
        reason: row.try_get(5)?,
    })
}

/// One statement for all touches of a table that are equally long, all sent at once.
async fn load(
    connection: &Connection,
    account: AccountId,
    generation: Generation,
    touches: &[Touch],
) -> Result<Vec<Vec<Row>>, Failure> {
    let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (place, touch) in touches.iter().enumerate() {
        groups.entry((touch.table, touch.prefix.len())).or_default().push(place);
    }
    let mut calls = Vec::with_capacity(groups.len());
    for ((table, length), places) in &groups {
        let keys: Vec<_> = places.iter().map(|place| touches[*place].prefix.as_slice()).collect();
        calls.push(rows::find(account, generation, TABLES[*table], *length, &keys)?);
    }
    let mut all = vec![Vec::new(); touches.len()];
    for (((table, length), places), found) in groups.iter().zip(read(connection, &calls).await?) {
        for row in &found {
            let place = rows::place(row)?;
            let values = rows::row(TABLES[*table], row, 1)?;
            if *length == 0 {
                // The whole table, whichever of the touches it was.
                places.iter().for_each(|touch| all[*touch].push(values.clone()));
            } else {
                let touch = places.get(place).ok_or_else(|| corrupt("a row that nobody asked for"))?;
                all[*touch].push(values);
            }
        }
    }
    Ok(all)
}

//! Reading the log.

use std::pin::pin;

use futures_util::{TryStreamExt as _, future::try_join_all};
use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef,
    StreamType, Timestamp,
};
use parlance_store::{
    Batch, EventLog, Head, Loaded, Outcome, PAGE_BYTES_MAX, PAGE_MAX, Snapshot, StoreError, TOUCHED_MAX,
    Touched,
};
use tokio::sync::watch;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::Connection,
    error::{Failure, corrupt},
    numbers::{rows, signed, unsigned},
};

/// A cold load's first page: the tail behind a snapshot is far shorter.
const LOAD_PAGE: usize = 1_000;

pub(crate) const HEAD: &str =
    "SELECT last_position, last_recorded_at, epoch FROM log_heads WHERE account_id = $1";

/// The lengths are known without the contents, so what lies behind the page's last byte is never read nor sent.
pub(crate) const READ: &str = "\
    SELECT version, event_type, schema_version, recorded_at, actor_kind, actor_id, actor_reason, correlation_id,
           causation_id, payload, sealed, key_id, dedupe, position, stream_type, stream_id
    FROM (SELECT e.*, sum(octet_length(payload) + coalesce(octet_length(sealed), 0))
                      OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes
          FROM events e WHERE account_id = $1 AND position > $2 ORDER BY position LIMIT $3) page
    WHERE coalesce(bytes, 0) < $4";

pub(crate) const READ_STREAM: &str = "\
    SELECT version, event_type, schema_version, recorded_at, actor_kind, actor_id, actor_reason, correlation_id,
           causation_id, payload, sealed, key_id, dedupe, position
    FROM events WHERE account_id = $1 AND stream_type = $2 AND stream_id = $3 AND version > $4
    ORDER BY version LIMIT $5";

/// The snapshot, if there is one, as a row without a type; behind it the events after it. One statement, so that both
/// are of one moment.
pub(crate) const LOAD: &str = "\
    WITH newest AS MATERIALIZED
        (SELECT version, state FROM snapshots
         WHERE account_id = $1 AND stream_type = $2 AND stream_id = $3 AND shape = $4)
    (SELECT version, NULL AS event_type, NULL::integer AS schema_version, NULL::bigint AS recorded_at,
            NULL AS actor_kind, NULL::uuid AS actor_id, NULL AS actor_reason, NULL::uuid AS correlation_id,
            NULL::uuid AS causation_id, state AS payload, NULL::bytea AS sealed, NULL::uuid AS key_id,
            NULL::uuid AS dedupe, NULL::bigint AS position
     FROM newest)
    UNION ALL
    (SELECT version, event_type, schema_version, recorded_at, actor_kind, actor_id, actor_reason, correlation_id,
            causation_id, payload, sealed, key_id, dedupe, position
     FROM events WHERE account_id = $1 AND stream_type = $2 AND stream_id = $3
                   AND version > coalesce((SELECT version FROM newest), 0)
     ORDER BY version LIMIT $5)";

/// No index for it: the answer is wanted rarely, and near the end of the log.
pub(crate) const CAUSED_BY: &str = "\
    SELECT position FROM events
    WHERE account_id = $1 AND position > $2 AND position <= $3 AND causation_id = $4 ORDER BY position";

pub(crate) const POSITION_OF: &str = "SELECT position FROM events WHERE account_id = $1 AND dedupe = $2";

pub(crate) const HEADS_FIRST: &str =
    "SELECT account_id, last_position FROM log_heads ORDER BY account_id LIMIT $1";

pub(crate) const HEADS_AFTER: &str = "\
    SELECT account_id, last_position FROM log_heads WHERE account_id > $2 ORDER BY account_id LIMIT $1";

pub(crate) const TOUCHED: &str = "\
    SELECT position, stream_type, stream_id, version, event_type FROM events
    WHERE account_id = $1 AND position > $2 ORDER BY position LIMIT $3";

impl EventLog for PostgresStore {
    async fn append(&self, batch: Batch) -> Result<Outcome, StoreError> {
        let outcome = self.append_once(&batch).await?;
        if matches!(outcome, Outcome::Appended(_)) {
            self.inner.appended.send_modify(|count| *count += 1);
        }
        Ok(outcome)
    }

    async fn head(&self, account: AccountId) -> Result<Head, StoreError> {
        self.read_with(move |connection| async move { head(&connection, account).await }).await
    }

    async fn read(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let (after, limit) = (signed(after.number()), rows(limit, PAGE_MAX));
        self.read_with(move |connection| async move {
            let most = i64::try_from(PAGE_BYTES_MAX).unwrap_or(i64::MAX);
            let take = |row: &Row| {
                let kind = StreamType::parse(row.try_get(14)?).ok_or_else(unknown_stream)?;
                event(account, StreamRef::new(kind, row.try_get(15)?), row)
            };
            collect(&connection, READ, &[&account.uuid(), &after, &limit, &most], take).await
        })
        .await
    }

    async fn read_stream(
        &self,
        account: AccountId,
        stream: StreamRef,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let (after, limit) = (signed(after), rows(limit, PAGE_MAX));
        self.read_with(move |connection| async move {
            let given: [&(dyn ToSql + Sync); 5] =
                [&account.uuid(), &stream.kind.as_str(), &stream.id, &after, &limit];
            collect(&connection, READ_STREAM, &given, |row| event(account, stream, row)).await
        })
        .await
    }

    async fn load(&self, account: AccountId, stream: StreamRef, shape: u32) -> Result<Loaded, StoreError> {
        self.read_with(move |connection| async move { load(&connection, account, stream, shape).await }).await
    }

    async fn load_many(
        &self,
        account: AccountId,
        streams: Vec<StreamRef>,
        shape: u32,
    ) -> Result<Vec<Loaded>, StoreError> {
        let streams = &streams;
        self.read_with(move |connection| async move {
            // All are asked for before the first answer is waited for.
            let loading = streams.iter().map(|stream| load(&connection, account, *stream, shape));
            try_join_all(loading).await
        })
        .await
    }

    async fn caused_by(
        &self,
        account: AccountId,
        command: CommandId,
        after: Position,
    ) -> Result<Vec<Position>, StoreError> {
        let until = signed(after.number().saturating_add(PAGE_MAX as u64));
        let after = signed(after.number());
        self.read_with(move |connection| async move {
            let given: [&(dyn ToSql + Sync); 4] = [&account.uuid(), &after, &until, &command.uuid()];
            collect(&connection, CAUSED_BY, &given, |row| Ok(position(row.try_get(0)?))).await
        })
        .await
    }

    async fn position_of(
        &self,
        account: AccountId,
        token: DedupeToken,
    ) -> Result<Option<Position>, StoreError> {
        let token = Uuid::from_bytes(token.bytes());
        self.read_with(move |connection| async move {
            let statement = connection.prepare_cached(POSITION_OF).await?;
            let row = connection.query_opt(&statement, &[&account.uuid(), &token]).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?.map(position))
        })
        .await
    }

    async fn accounts(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<AccountId>, StoreError> {
        let heads = self.heads(after, limit).await?;
        Ok(heads.into_iter().map(|(account, _)| account).collect())
    }

    async fn heads(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<(AccountId, Position)>, StoreError> {
        let (after, limit) = (after.map(AccountId::uuid), rows(limit, PAGE_MAX));
        self.read_with(move |connection| async move {
            let take = |row: &Row| Ok((AccountId::new(row.try_get(0)?), position(row.try_get(1)?)));
            match &after {
                None => collect(&connection, HEADS_FIRST, &[&limit], take).await,
                Some(after) => collect(&connection, HEADS_AFTER, &[&limit, after], take).await,
            }
        })
        .await
    }

    async fn touched(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Touched>, StoreError> {
        let (after, limit) = (signed(after.number()), rows(limit, TOUCHED_MAX));
        self.read_with(move |connection| async move {
            let take = |row: &Row| {
                // A newer release's.
                let Some(kind) = StreamType::parse(row.try_get(1)?) else { return Ok(None) };
                Ok(Some(Touched {
                    position: position(row.try_get(0)?),
                    stream: StreamRef::new(kind, row.try_get(2)?),
                    version: unsigned(row.try_get(3)?),
                    event_type: row.try_get(4)?,
                }))
            };
            let found = collect(&connection, TOUCHED, &[&account.uuid(), &after, &limit], take).await?;
            Ok(found.into_iter().flatten().collect())
        })
        .await
    }

    fn appended(&self) -> watch::Receiver<u64> {
        self.inner.appended.subscribe()
    }
}

pub(crate) fn position(number: i64) -> Position {
    Position::new(unsigned(number))
}

fn unknown_stream() -> Failure {
    corrupt("a stream of unknown type").into()
}

pub(crate) async fn head(connection: &Connection, account: AccountId) -> Result<Head, Failure> {
    let statement = connection.prepare_cached(HEAD).await?;
    let Some(row) = connection.query_opt(&statement, &[&account.uuid()]).await? else {
        return Ok(Head::default());
    };
    let epoch: i32 = row.try_get(2)?;
    Ok(Head {
        position: position(row.try_get(0)?),
        recorded_at: Timestamp::from_micros(row.try_get(1)?),
        epoch: u32::try_from(epoch).map_err(|_| corrupt("an epoch below zero"))?,
    })
}

/// A statement's rows, each taken as it comes.
pub(crate) async fn collect<T>(
    connection: &Connection,
    text: &str,
    given: &[&(dyn ToSql + Sync)],
    mut take: impl FnMut(&Row) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let statement = connection.prepare_cached(text).await?;
    let found = connection.query_raw(&statement, given.iter().copied()).await?;
    let mut found = pin!(found);
    let mut taken = Vec::new();
    while let Some(row) = found.try_next().await? {
        taken.push(take(&row)?);
    }
    Ok(taken)
}

/// A row whose first columns are those of the statements above.
fn event(account: AccountId, stream: StreamRef, row: &Row) -> Result<RecordedEvent, Failure> {
    let actor = Actor::from_columns(row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
    let schema_version: i32 = row.try_get(2)?;
    Ok(RecordedEvent {
        account,
        position: position(row.try_get(13)?),
        stream,
        version: unsigned(row.try_get(0)?),
        event_type: row.try_get(1)?,
        schema_version: u16::try_from(schema_version)
            .map_err(|_| corrupt("an event of a shape that cannot be"))?,
        recorded_at: Timestamp::from_micros(row.try_get(3)?),
        actor: actor.ok_or_else(|| corrupt("an event without an actor that Parlance knows"))?,
        correlation: CorrelationId::new(row.try_get(7)?),
        causation: CommandId::new(row.try_get(8)?),
        payload: row.try_get(9)?,
        sealed: row.try_get(10)?,
        key: row.try_get::<_, Option<Uuid>>(11)?.map(KeyId::new),
        dedupe: row.try_get::<_, Option<Uuid>>(12)?.map(|token| DedupeToken::from_bytes(token.into_bytes())),
    })
}

async fn load(
    connection: &Connection,
    account: AccountId,
    stream: StreamRef,
    shape: u32,
) -> Result<Loaded, Failure> {
    let limit = rows(LOAD_PAGE, PAGE_MAX);
    let given: [&(dyn ToSql + Sync); 5] =
        [&account.uuid(), &stream.kind.as_str(), &stream.id, &i64::from(shape), &limit];
    let mut snapshot = None;
    let found = collect(connection, LOAD, &given, |row| {
        if row.try_get::<_, Option<&str>>(1)?.is_some() {
            return event(account, stream, row).map(Some);
        }
        let version = unsigned(row.try_get(0)?);
        snapshot = Some(Snapshot { stream, version, shape, state: row.try_get(9)? });
        Ok(None)
    });
    let events: Vec<_> = found.await?.into_iter().flatten().collect();
    let complete = events.len() < LOAD_PAGE;
    Ok(Loaded { snapshot, events, complete })
}

//! Copying in and out. Values go by the columns' own types: an id is uuid or bytea, as its table has it.

use std::pin::pin;

use futures_util::future::try_join_all;
use parlance_domain::{AccountId, RecordedEvent};
use parlance_projections::{Row, RowKey, Value};
use parlance_store::{COPIED_ROWS_MAX, CopiedTable, PAGE_MAX, RefusedBecause, StoreError, Transfer};
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    types::{FromSql, IsNull, ToSql, Type, accepts, private::BytesMut, to_sql_checked},
};

use crate::{
    PostgresStore,
    connection::{Connection, IfLost},
    error::{Failure, corrupt},
    numbers::signed,
};

/// The columns of an event as they are copied, and their types.
const EVENT_COLUMNS: [(&str, Type); 17] = [
    ("account_id", Type::UUID),
    ("position", Type::INT8),
    ("stream_type", Type::TEXT),
    ("stream_id", Type::UUID),
    ("version", Type::INT8),
    ("event_type", Type::TEXT),
    ("schema_version", Type::INT4),
    ("recorded_at", Type::INT8),
    ("actor_kind", Type::TEXT),
    ("actor_id", Type::UUID),
    ("actor_reason", Type::TEXT),
    ("correlation_id", Type::UUID),
    ("causation_id", Type::UUID),
    ("payload", Type::BYTEA),
    ("sealed", Type::BYTEA),
    ("key_id", Type::UUID),
    ("dedupe", Type::UUID),
];

impl Transfer for PostgresStore {
    async fn copied_rows(
        &self,
        table: &'static CopiedTable,
        account: Option<AccountId>,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let after = &after;
        self.read_with(move |connection| async move {
            rows(&connection, table, account, after.as_ref(), limit).await
        })
        .await
    }

    async fn copy_rows(
        &self,
        table: &'static CopiedTable,
        account: Option<AccountId>,
        rows: Vec<Row>,
    ) -> Result<(), StoreError> {
        if rows.len() > COPIED_ROWS_MAX {
            return Err(StoreError::Refused(RefusedBecause::TooMany { limit: COPIED_ROWS_MAX }));
        }
        let rows = &rows;
        // Twice is once.
        self.run(
            IfLost::Again,
            move |connection| async move { insert(connection, table, account, rows).await },
        )
        .await
    }

    async fn copy_events(
        &self,
        account: AccountId,
        events: Vec<RecordedEvent>,
        epoch: u32,
    ) -> Result<(), StoreError> {
        if events.len() > PAGE_MAX {
            return Err(StoreError::Refused(RefusedBecause::TooMany { limit: PAGE_MAX }));
        }
        let events = &events;
        // What was written all the same is a conflict for whoever tries again, and is compared.
        self.run(IfLost::Unavailable, move |connection| async move {
            copy(connection, account, events, epoch).await
        })
        .await
    }
}

fn quoted(table: &CopiedTable) -> Vec<String> {
    table.key.iter().chain(table.columns).map(|column| format!("\"{}\"", column.name)).collect()
}

async fn rows(
    connection: &Connection,
    table: &CopiedTable,
    account: Option<AccountId>,
    after: Option<&RowKey>,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    let names = quoted(table);
    let key = names[..table.key.len()].join(", ");
    let account = account.filter(|_| table.of_accounts).map(|account| Value::from(account.uuid()));
    let mut given: Vec<&Value> = account.iter().collect();
    let mut conditions: Vec<_> = account.iter().map(|_| "account_id = $1".to_owned()).collect();
    // What is on the list already is only here for its page, which is not copied.
    if table.name == "erasures_pending" {
        conditions.push("NOT listed".to_owned());
    }
    match after {
        // A table without key columns has one row an account.
        Some(after) if after.is_empty() => conditions.push("false".to_owned()),
        Some(after) => {
            let from = given.len() + 1;
            let places: Vec<_> = (from..from + after.len()).map(|place| format!("${place}")).collect();
            conditions.push(format!("({key}) > ({})", places.join(", ")));
            given.extend(after);
        }
        None => {}
    }
    let condition =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let order = if key.is_empty() { String::new() } else { format!("ORDER BY {key}") };
    let limit = limit.min(COPIED_ROWS_MAX);
    let text = format!("SELECT {} FROM {} {condition} {order} LIMIT {limit}", names.join(", "), table.name);
    let given: Vec<_> = given.into_iter().map(Typed).collect();
    let given: Vec<_> = given.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
    let found = connection.query(&text, &given).await?;
    let read = |row: &tokio_postgres::Row| {
        (0..names.len()).map(|place| Ok(row.try_get::<_, Stored>(place)?.0)).collect::<Result<Row, Failure>>()
    };
    found.iter().map(read).collect()
}

async fn insert(
    mut connection: Connection,
    table: &CopiedTable,
    account: Option<AccountId>,
    rows: &[Row],
) -> Result<(), Failure> {
    let mut names = quoted(table);
    let account = account.filter(|_| table.of_accounts).map(|account| Value::from(account.uuid()));
    if account.is_some() {
        names.insert(0, "account_id".to_owned());
    }
    let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let text = format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
        table.name,
        names.join(", "),
        places.join(", ")
    );
    let transaction = connection.transaction().await?;
    let statement = transaction.prepare(&text).await?;
    let insert = async |row: &Row| {
        let given: Vec<_> = account.iter().chain(row).map(Typed).collect();
        let given: Vec<_> = given.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        transaction.execute(&statement, &given).await
    };
    try_join_all(rows.iter().map(insert)).await?;
    transaction.commit().await?;
    Ok(())
}

async fn copy(
    mut connection: Connection,
    account: AccountId,
    events: &[RecordedEvent],
    epoch: u32,
) -> Result<(), Failure> {
    let Some(last) = events.last() else { return Ok(()) };
    let transaction = connection.transaction().await?;
    let new =
        "INSERT INTO log_heads (account_id, last_position, last_recorded_at, epoch) VALUES ($1, 0, 0, 0)
               ON CONFLICT (account_id) DO NOTHING";
    transaction.execute(new, &[&account.uuid()]).await?;
    let head = "SELECT last_position, last_recorded_at FROM log_heads WHERE account_id = $1 FOR UPDATE";
    let head = transaction.query_one(head, &[&account.uuid()]).await?;
    let (mut position, mut recorded_at): (i64, i64) = (head.try_get(0)?, head.try_get(1)?);
    for event in events {
        position += 1;
        if event.account != account || signed(event.position.number()) != position {
            return Err(StoreError::Conflict("the events do not follow the end of the log").into());
        }
        if event.recorded_at.micros() < recorded_at {
            return Err(corrupt("an event that is copied does not follow the one before it").into());
        }
        recorded_at = event.recorded_at.micros();
    }
    let (names, types): (Vec<_>, Vec<_>) = EVENT_COLUMNS.into_iter().unzip();
    let text = format!("COPY events ({}) FROM STDIN BINARY", names.join(", "));
    let mut writer = pin!(BinaryCopyInWriter::new(transaction.copy_in(&text).await?, &types));
    for event in events {
        let (actor_kind, actor_id, actor_reason) = event.actor.to_columns();
        let row: [&(dyn ToSql + Sync); 17] = [
            &account.uuid(),
            &signed(event.position.number()),
            &event.stream.kind.as_str(),
            &event.stream.id,
            &signed(event.version),
            &event.event_type,
            &i32::from(event.schema_version),
            &event.recorded_at.micros(),
            &actor_kind,
            &actor_id,
            &actor_reason,
            &event.correlation.uuid(),
            &event.causation.uuid(),
            &event.payload,
            &event.sealed,
            &event.key.map(parlance_domain::KeyId::uuid),
            &event.dedupe.map(|token| uuid::Uuid::from_bytes(token.bytes())),
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    let moved =
        "UPDATE log_heads SET last_position = $2, last_recorded_at = $3, epoch = $4 WHERE account_id = $1";
    let epoch = i32::try_from(epoch).map_err(|_| corrupt("an epoch beyond any number of restores"))?;
    let position = signed(last.position.number());
    transaction.execute(moved, &[&account.uuid(), &position, &recorded_at, &epoch]).await?;
    transaction.commit().await?;
    Ok(())
}

/// A value as a parameter of the column's type.
#[derive(Debug)]
struct Typed<'a>(&'a Value);

impl ToSql for Typed<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) => match *kind {
                Type::BOOL => (*number != 0).to_sql(kind, out),
                Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
                _ => number.to_sql(kind, out),
            },
            Value::Text(text) => text.to_sql(kind, out),
            Value::Bytes(bytes) if *kind == Type::UUID => uuid::Uuid::from_slice(bytes)?.to_sql(kind, out),
            Value::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    accepts!(BOOL, INT4, INT8, TEXT, UUID, BYTEA);
    to_sql_checked!();
}

/// A value of whatever type its column has.
struct Stored(Value);

impl<'a> FromSql<'a> for Stored {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => Value::from(bool::from_sql(kind, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::TEXT => Value::Text(String::from_sql(kind, raw)?),
            _ => Value::Bytes(raw.to_vec()),
        }))
    }

    fn from_sql_null(_kind: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    accepts!(BOOL, INT4, INT8, TEXT, UUID, BYTEA);
}

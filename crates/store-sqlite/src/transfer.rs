//! Copying in and out.

use parlance_domain::{AccountId, RecordedEvent};
use parlance_projections::{Row, RowKey, Value};
use parlance_store::{COPIED_ROWS_MAX, CopiedTable, PAGE_MAX, RefusedBecause, StoreError, Transfer};
use rusqlite::{Connection, ToSql, params_from_iter, types::ValueRef};

use crate::{SqliteStore, append, error::failed, sql::Param};

impl Transfer for SqliteStore {
    async fn copied_rows(
        &self,
        table: &'static CopiedTable,
        account: Option<AccountId>,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.readers
            .read(move |connection| {
                rows(connection, table, account, after, limit).map_err(|error| failed(&error))
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
        self.writer
            .write(move |connection| {
                let names = names(table).join(", ");
                let width = table.key.len() + table.columns.len();
                let (scope, first) = if table.of_accounts { ("account_id, ", 1) } else { ("", 0) };
                let places: Vec<_> = (1..=width + first).map(|place| format!("?{place}")).collect();
                let text = format!(
                    "INSERT INTO {} ({scope}{names}) VALUES ({}) ON CONFLICT DO NOTHING",
                    table.name,
                    places.join(", ")
                );
                let insert = |row: &Row| {
                    let account = account.map(|account| Value::from(account.uuid()));
                    let bound = account.iter().chain(row).map(Param);
                    connection.prepare_cached(&text)?.execute(params_from_iter(bound)).map(|_| ())
                };
                rows.iter().try_for_each(insert).map_err(|error| failed(&error))
            })
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
        self.writer.write(move |connection| append::copy(connection, account, &events, epoch)).await
    }
}

fn names(table: &CopiedTable) -> Vec<&'static str> {
    table.key.iter().chain(table.columns).map(|column| column.name).collect()
}

fn rows(
    connection: &Connection,
    table: &CopiedTable,
    account: Option<AccountId>,
    after: Option<RowKey>,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let names = names(table);
    let key = names[..table.key.len()].join(", ");
    let account = account.filter(|_| table.of_accounts).map(|account| Value::from(account.uuid()));
    let mut places = 1..;
    let mut place = || places.next().map_or_else(String::new, |place| format!("?{place}"));
    let mut conditions = Vec::new();
    if account.is_some() {
        conditions.push(format!("account_id = {}", place()));
    }
    match &after {
        // A table without key columns has one row an account.
        Some(after) if after.is_empty() => conditions.push("0".to_owned()),
        Some(after) => {
            let given: Vec<_> = after.iter().map(|_| place()).collect();
            conditions.push(format!("({key}) > ({})", given.join(", ")));
        }
        None => {}
    }
    let condition =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let order = if key.is_empty() { String::new() } else { format!("ORDER BY {key}") };
    let text =
        format!("SELECT {} FROM {} {condition} {order} LIMIT {}", names.join(", "), table.name, place());
    let limit = Value::Int(limit.min(COPIED_ROWS_MAX) as i64);
    let after = after.unwrap_or_default();
    let bound: Vec<_> = account.iter().chain(&after).chain([&limit]).map(Param).collect();
    let bound: Vec<_> = bound.iter().map(|value| value as &dyn ToSql).collect();
    let mut statement = connection.prepare_cached(&text)?;
    let mut found = statement.query(bound.as_slice())?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let value = |place| {
            Ok(match row.get_ref(place)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Int(number),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                ValueRef::Real(number) => Value::Text(number.to_string()),
            })
        };
        rows.push((0..names.len()).map(value).collect::<rusqlite::Result<_>>()?);
    }
    Ok(rows)
}

//! The statements of the read models' tables. Their texts are put together once, at the first use, from the
//! constant table definitions in `parlance_projections`; never from anything that comes in.

use std::sync::LazyLock;

use parlance_projections::{Column, ColumnType, TABLES, Table, Value};
use rusqlite::{
    Row as SqlRow, ToSql,
    types::{ToSqlOutput, ValueRef},
};

pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A table's statements. Parameters: account, generation, then the key's values, then the other columns'.
pub(crate) struct TableSql {
    /// By how many of the key's columns are given.
    pub select: Vec<String>,
    /// Rows by many keys at once (or beginnings, by how many columns are given), in their order; the third
    /// parameter names them as a JSON array of arrays, bytes in hex.
    pub find: Vec<String>,
    pub remove: Vec<String>,
    pub put: String,
    /// Adds to counters.
    pub add: String,
    /// Removes a counter row that came down to zero.
    pub prune: String,
    /// Rows after a key, in key order; the last parameter is the limit.
    pub scan_after: String,
    pub scan_first: String,
    /// Removes at most the last parameter's number of rows of a generation.
    pub drop_some: String,
}

pub(crate) static SQL: LazyLock<Vec<TableSql>> =
    LazyLock::new(|| TABLES.iter().map(|table| build(table)).collect());

fn build(table: &Table) -> TableSql {
    let name = table.name;
    let keys: Vec<_> = table.key.iter().map(|column| column.name).collect();
    let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let all = [keys.as_slice(), columns.as_slice()].concat().join(", ");
    let given = |count: usize| -> String {
        keys[..count].iter().enumerate().map(|(i, key)| format!(" AND {key} = ?{}", i + 3)).collect()
    };
    let order = keys.join(", ");
    let scope = "account_id = ?1 AND generation = ?2";
    let places = |from: usize, count: usize| {
        (from..from + count).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ")
    };
    let width = keys.len() + columns.len();
    let excluded = |sum: bool| {
        let set = |column: &&str| match sum {
            true => format!("{column} = {column} + excluded.{column}"),
            false => format!("{column} = excluded.{column}"),
        };
        columns.iter().map(set).collect::<Vec<_>>().join(", ")
    };
    let upsert = |set: String| {
        format!(
            "INSERT INTO {name} (account_id, generation, {all}) VALUES (?1, ?2, {}) \
             ON CONFLICT (account_id, generation, {order}) DO UPDATE SET {set}",
            places(3, width)
        )
    };
    let zero = columns.iter().map(|column| format!(" AND {column} = 0")).collect::<String>();
    TableSql {
        select: (0..=keys.len())
            .map(|count| format!("SELECT {all} FROM {name} WHERE {scope}{} ORDER BY {order}", given(count)))
            .collect(),
        find: (0..=keys.len()).map(|count| find(table, count)).collect(),
        remove: (0..=keys.len())
            .map(|count| format!("DELETE FROM {name} WHERE {scope}{}", given(count)))
            .collect(),
        put: upsert(excluded(false)),
        add: upsert(excluded(true)),
        prune: format!("DELETE FROM {name} WHERE {scope}{}{zero}", given(keys.len())),
        scan_after: format!(
            "SELECT {all} FROM {name} WHERE {scope} AND ({order}) > ({}) ORDER BY {order} LIMIT ?{}",
            places(3, keys.len()),
            keys.len() + 3
        ),
        scan_first: format!("SELECT {all} FROM {name} WHERE {scope} ORDER BY {order} LIMIT ?3"),
        drop_some: format!(
            "DELETE FROM {name} WHERE {scope} AND ({order}) IN \
             (SELECT {order} FROM {name} WHERE {scope} ORDER BY {order} LIMIT ?3)"
        ),
    }
}

/// The join's order is fixed: each wanted key is one seek.
fn find(table: &Table, count: usize) -> String {
    let name = table.name;
    let columns = table.key.iter().chain(table.columns).map(|column| format!("found.{}", column.name));
    let all = columns.collect::<Vec<_>>().join(", ");
    let given = |(place, column): (usize, &Column)| match column.kind {
        ColumnType::Bytes => format!(" AND found.{} = unhex(wanted.value ->> {place})", column.name),
        ColumnType::Int | ColumnType::Text => {
            format!(" AND found.{} = wanted.value ->> {place}", column.name)
        }
    };
    let given: String = table.key[..count].iter().enumerate().map(given).collect();
    format!(
        "SELECT {all} FROM json_each(?3) AS wanted CROSS JOIN {name} AS found \
         ON found.account_id = ?1 AND found.generation = ?2{given} ORDER BY wanted.key"
    )
}

/// A read model's value as a parameter.
pub(crate) struct Param<'a>(pub &'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A row's values, in the order they were selected.
pub(crate) fn values(table: &Table, row: &SqlRow<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..table.key.len() + table.columns.len())
        .map(|place| {
            Ok(match row.get_ref(place)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Int(number),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                ValueRef::Real(number) => Value::Text(number.to_string()),
            })
        })
        .collect()
}

//! The statements of the read models' tables. Their texts are put together once, at the first use, from the
//! constant table definitions in `parlance_projections`; never from anything that comes in.
//!
//! A statement takes any number of rows or keys, as one array a column. Each key is a seek of its own: the look-up
//! stands in a subquery behind `OFFSET 0`, which the planner cannot turn into a join of its own choice.

use std::sync::LazyLock;

use parlance_projections::{Column, ColumnType, TABLES, Table};

/// A table's statements. Parameters: account, generation, then arrays of values of the key's columns, then of the
/// others'.
pub(crate) struct TableSql {
    /// Rows by many keys at once, or by their beginnings, by how many columns are given: before each row the place
    /// of its key among the given, from one. Without any column it is the whole generation.
    pub find: Vec<String>,
    /// By how many of the key's columns are given.
    pub remove: Vec<String>,
    /// Rows whose keys are all different.
    pub put: String,
    /// Adds to counters; keys are all different.
    pub add: String,
    /// Removes counter rows that came down to zero.
    pub prune: String,
    /// Rows after a key, in key order; the last parameter is the limit. The key's parameters are no arrays.
    pub scan_after: String,
    pub scan_first: String,
    /// Removes at most the last parameter's number of rows, from the first one or after a key, and tells the last
    /// of their keys.
    pub drop_after: String,
    pub drop_first: String,
}

pub(crate) static SQL: LazyLock<Vec<TableSql>> =
    LazyLock::new(|| TABLES.iter().map(|table| build(table)).collect());

const SCOPE: &str = "account_id = $1 AND generation = $2";

fn build(table: &Table) -> TableSql {
    let name = table.name;
    let keys = names(table.key, "");
    let all = columns(table, "");
    let width = table.key.len();
    let after = format!("AND ({keys}) > ({})", places(3, width));
    let zero: String = table.columns.iter().map(|column| format!(" AND {} = 0", column.name)).collect();
    TableSql {
        find: (0..=width).map(|count| find(table, count)).collect(),
        remove: (0..=width).map(|count| remove(table, count, "")).collect(),
        put: upsert(table, |column| format!("{column} = excluded.{column}")),
        add: upsert(table, |column| format!("{column} = {name}.{column} + excluded.{column}")),
        prune: remove(table, width, &zero),
        scan_after: format!(
            "SELECT {all} FROM {name} WHERE {SCOPE} {after} ORDER BY {keys} LIMIT ${}",
            width + 3
        ),
        scan_first: format!("SELECT {all} FROM {name} WHERE {SCOPE} ORDER BY {keys} LIMIT $3"),
        drop_after: drop_some(table, &after, width + 3),
        drop_first: drop_some(table, "", 3),
    }
}

/// Names of columns, each `of` a table.
fn names(columns: &[Column], of: &str) -> String {
    let dot = if of.is_empty() { "" } else { "." };
    columns.iter().map(|column| format!("{of}{dot}{}", column.name)).collect::<Vec<_>>().join(", ")
}

/// All of a table's columns, in the order of a row's values.
pub(crate) fn columns(table: &Table, of: &str) -> String {
    [names(table.key, of), names(table.columns, of)].join(", ")
}

fn places(from: usize, count: usize) -> String {
    (from..from + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

pub(crate) const fn array(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Int => "bigint[]",
        ColumnType::Text => "text[]",
        ColumnType::Bytes => "bytea[]",
    }
}

/// Arrays as rows, from the third parameter on.
fn unnested<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let array = |(place, column): (usize, &Column)| format!("${}::{}", place + 3, array(column.kind));
    format!("unnest({})", columns.enumerate().map(array).collect::<Vec<_>>().join(", "))
}

/// The rows `of` a table that a wanted key names.
fn wanted(table: &Table, count: usize, of: &str) -> String {
    let same = |column: &Column| format!(" AND {of}.{0} = wanted.{0}", column.name);
    let same: String = table.key[..count].iter().map(same).collect();
    format!("{of}.account_id = $1 AND {of}.generation = $2{same}")
}

fn find(table: &Table, count: usize) -> String {
    let name = table.name;
    if count == 0 {
        let (all, keys) = (columns(table, ""), names(table.key, ""));
        return format!("SELECT 1::bigint, {all} FROM {name} WHERE {SCOPE} ORDER BY {keys}");
    }
    let given = &table.key[..count];
    let order = if count == table.key.len() { String::new() } else { names(table.key, "one") };
    let order = if order.is_empty() { order } else { format!("ORDER BY {order} ") };
    format!(
        "SELECT wanted.place, {} FROM {} WITH ORDINALITY AS wanted ({}, place)
         CROSS JOIN LATERAL (
             SELECT {} FROM {name} AS one WHERE {} {order}OFFSET 0) AS found",
        columns(table, "found"),
        unnested(given.iter()),
        names(given, ""),
        columns(table, "one"),
        wanted(table, count, "one")
    )
}

fn remove(table: &Table, count: usize, besides: &str) -> String {
    let name = table.name;
    if count == 0 {
        return format!("DELETE FROM {name} WHERE {SCOPE}");
    }
    let given = &table.key[..count];
    format!(
        "DELETE FROM {name} WHERE {SCOPE} AND ctid = ANY (ARRAY(
             SELECT found.tid FROM {} AS wanted ({})
             CROSS JOIN LATERAL (
                 SELECT one.ctid AS tid FROM {name} AS one WHERE {}{besides} OFFSET 0) AS found))",
        unnested(given.iter()),
        names(given, ""),
        wanted(table, count, "one")
    )
}

fn upsert(table: &Table, set: impl Fn(&str) -> String) -> String {
    let set: Vec<_> = table.columns.iter().map(|column| set(column.name)).collect();
    format!(
        "INSERT INTO {} (account_id, generation, {}) SELECT $1::uuid, $2::bigint, given.* FROM {} AS given
         ON CONFLICT (account_id, generation, {}) DO UPDATE SET {}",
        table.name,
        columns(table, ""),
        unnested(table.key.iter().chain(table.columns)),
        names(table.key, ""),
        set.join(", ")
    )
}

/// A removal of what is gone by now is none, so two at once do no harm; each goes on after what it looked at.
fn drop_some(table: &Table, after: &str, limit: usize) -> String {
    let (name, keys) = (table.name, names(table.key, ""));
    let last = table.key.iter().map(|column| format!("{} DESC", column.name)).collect::<Vec<_>>().join(", ");
    format!(
        "WITH step AS MATERIALIZED (
             SELECT ctid AS tid, {keys} FROM {name} WHERE {SCOPE} {after} ORDER BY {keys} LIMIT ${limit}),
         gone AS (
             DELETE FROM {name} WHERE {SCOPE} AND ctid = ANY (ARRAY(SELECT tid FROM step)))
         SELECT {keys} FROM step ORDER BY {last} LIMIT 1"
    )
}

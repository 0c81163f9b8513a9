//! Read models' values as parameters, one array a column; and rows as they come back.

use parlance_domain::AccountId;
use parlance_projections::{Column, ColumnType, Row, Table, Value};
use parlance_store::{Generation, NAMED_MAX, RefusedBecause, StoreError};

use crate::{
    error::{Failure, corrupt},
    pipeline::{Call, Given},
    rows::SQL,
};

/// The values of one column, of many rows.
pub(crate) enum Array<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

impl<'a> Array<'a> {
    fn of(kind: ColumnType, rows: usize) -> Self {
        match kind {
            ColumnType::Int => Self::Int(Vec::with_capacity(rows)),
            ColumnType::Text => Self::Text(Vec::with_capacity(rows)),
            ColumnType::Bytes => Self::Bytes(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, value: &'a Value) -> Result<(), StoreError> {
        match (self, value) {
            (Self::Int(values), Value::Int(number)) => values.push(Some(*number)),
            (Self::Text(values), Value::Text(text)) => values.push(Some(text)),
            (Self::Bytes(values), Value::Bytes(bytes)) => values.push(Some(bytes)),
            (Self::Int(values), Value::Null) => values.push(None),
            (Self::Text(values), Value::Null) => values.push(None),
            (Self::Bytes(values), Value::Null) => values.push(None),
            _ => return Err(mistyped()),
        }
        Ok(())
    }

    pub(crate) fn given(self) -> Given<'a> {
        match self {
            Self::Int(values) => Box::new(values),
            Self::Text(values) => Box::new(values),
            Self::Bytes(values) => Box::new(values),
        }
    }
}

fn mistyped() -> StoreError {
    StoreError::Refused(RefusedBecause::Malformed("a value is not of its column's type"))
}

/// Rows, or keys or beginnings of keys, turned into columns. All are as long as `columns`.
pub(crate) fn arrays<'a>(
    columns: impl Iterator<Item = &'static Column>,
    rows: &[&'a [Value]],
) -> Result<Vec<Array<'a>>, StoreError> {
    let mut arrays: Vec<_> = columns.map(|column| Array::of(column.kind, rows.len())).collect();
    for row in rows {
        if row.len() != arrays.len() {
            return Err(StoreError::Refused(RefusedBecause::Malformed("a row is not as long as its table")));
        }
        for (array, value) in arrays.iter_mut().zip(*row) {
            array.push(value)?;
        }
    }
    Ok(arrays)
}

/// A single value where a statement takes a key's.
pub(crate) fn given<'a>(column: &Column, value: &'a Value) -> Result<Given<'a>, StoreError> {
    match (column.kind, value) {
        (ColumnType::Int, Value::Int(number)) => Ok(Box::new(*number)),
        (ColumnType::Text, Value::Text(text)) => Ok(Box::new(text.as_str())),
        (ColumnType::Bytes, Value::Bytes(bytes)) => Ok(Box::new(bytes.as_slice())),
        _ => Err(mistyped()),
    }
}

/// No question names more than [`NAMED_MAX`].
pub(crate) fn check_named(count: usize) -> Result<(), StoreError> {
    if count > NAMED_MAX {
        return Err(StoreError::Refused(RefusedBecause::TooMany { limit: NAMED_MAX }));
    }
    Ok(())
}

/// A table's row, whose values begin at `first` among what was selected.
pub(crate) fn row(table: &Table, row: &tokio_postgres::Row, first: usize) -> Result<Row, Failure> {
    values(table.key.iter().chain(table.columns), row, first)
}

/// Values of these columns, from `first` on.
pub(crate) fn values<'a>(
    columns: impl Iterator<Item = &'a Column>,
    row: &tokio_postgres::Row,
    first: usize,
) -> Result<Vec<Value>, Failure> {
    columns
        .zip(first..)
        .map(|(column, place)| {
            let value = match column.kind {
                ColumnType::Int => row.try_get::<_, Option<i64>>(place).map(Value::from),
                ColumnType::Text => row.try_get::<_, Option<&str>>(place).map(Value::from),
                ColumnType::Bytes => row.try_get::<_, Option<Vec<u8>>>(place).map(Value::from),
            };
            value.map_err(Failure::from)
        })
        .collect()
}

/// Rows by their keys, or by the first `length` values of them: before each row the place of its key.
pub(crate) fn find<'a>(
    account: AccountId,
    generation: Generation,
    table: &'static Table,
    length: usize,
    keys: &[&'a [Value]],
) -> Result<Call<'a>, StoreError> {
    let text = SQL[table.id]
        .find
        .get(length)
        .ok_or(StoreError::Refused(RefusedBecause::Malformed("a key is longer than its table's")))?;
    let call = Call::new(text).with(account.uuid()).with(generation.0);
    Ok(call.with_arrays(arrays(table.key[..length].iter(), keys)?))
}

/// The place of the key that a row was found by, from zero.
pub(crate) fn place(row: &tokio_postgres::Row) -> Result<usize, Failure> {
    let place: i64 = row.try_get(0)?;
    Ok(usize::try_from(place - 1).map_err(|_| corrupt("a place below one"))?)
}

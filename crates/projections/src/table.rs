//! The shape of a read model's tables, known to the folds and to every adapter: names, keys, column types.

use parlance_domain::Sealed;
use uuid::Uuid;

use crate::FoldError;

/// One value of a row. Ids are `Bytes`, moments and positions `Int`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Bytes(id.as_bytes().to_vec())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Int(i64::from(yes))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&Sealed> for Value {
    fn from(sealed: &Sealed) -> Self {
        Self::Bytes(sealed.to_bytes())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a row's key columns, or the first of them.
pub type RowKey = Vec<Value>;
/// The values of a row: key columns, then the others, in the table's order.
pub type Row = Vec<Value>;

/// A key or the beginning of one.
pub fn key<const N: usize>(values: [Value; N]) -> RowKey {
    values.into()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Int,
    Text,
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
}

impl Column {
    pub const fn int(name: &'static str) -> Self {
        Self { name, kind: ColumnType::Int }
    }

    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: ColumnType::Text }
    }

    pub const fn bytes(name: &'static str) -> Self {
        Self { name, kind: ColumnType::Bytes }
    }
}

/// A table of a read model. In every store its primary key is (account, generation, key columns).
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its place in [`crate::TABLES`].
    pub id: usize,
    pub name: &'static str,
    pub key: &'static [Column],
    pub columns: &'static [Column],
    /// Whether the columns are kept counts: written as additions, and gone when all are zero.
    pub counters: bool,
}

/// Reads a row's values in order, with types.
pub struct RowReader<'a> {
    table: &'a Table,
    values: &'a [Value],
    next: usize,
}

impl<'a> RowReader<'a> {
    pub fn new(table: &'a Table, row: &'a Row) -> Self {
        Self { table, values: row, next: 0 }
    }

    fn take(&mut self) -> &'a Value {
        let value = self.values.get(self.next).unwrap_or(&Value::Null);
        self.next += 1;
        value
    }

    /// Passes over values that the reader does not need.
    pub fn skip(&mut self, values: usize) {
        self.next += values;
    }

    fn wrong(&self) -> FoldError {
        FoldError::StoredRow { table: self.table.name, column: self.next - 1 }
    }

    pub fn int(&mut self) -> Result<i64, FoldError> {
        match self.take() {
            Value::Int(number) => Ok(*number),
            _ => Err(self.wrong()),
        }
    }

    pub fn number(&mut self) -> Result<u64, FoldError> {
        let number = self.int()?;
        u64::try_from(number).map_err(|_| self.wrong())
    }

    pub fn maybe_int(&mut self) -> Result<Option<i64>, FoldError> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            _ => Err(self.wrong()),
        }
    }

    pub fn maybe_number(&mut self) -> Result<Option<u64>, FoldError> {
        let number = self.maybe_int()?;
        number.map(|n| u64::try_from(n).map_err(|_| self.wrong())).transpose()
    }

    pub fn text(&mut self) -> Result<&'a str, FoldError> {
        match self.take() {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong()),
        }
    }

    pub fn maybe_text(&mut self) -> Result<Option<&'a str>, FoldError> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong()),
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], FoldError> {
        match self.take() {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong()),
        }
    }

    pub fn maybe_bytes(&mut self) -> Result<Option<&'a [u8]>, FoldError> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            _ => Err(self.wrong()),
        }
    }

    pub fn id(&mut self) -> Result<Uuid, FoldError> {
        let bytes = self.bytes()?;
        Uuid::from_slice(bytes).map_err(|_| self.wrong())
    }

    pub fn maybe_id(&mut self) -> Result<Option<Uuid>, FoldError> {
        let bytes = self.maybe_bytes()?;
        bytes.map(|bytes| Uuid::from_slice(bytes).map_err(|_| self.wrong())).transpose()
    }

    pub fn maybe_sealed(&mut self) -> Result<Option<Sealed>, FoldError> {
        let bytes = self.maybe_bytes()?;
        bytes.map(|bytes| Sealed::from_bytes(bytes).ok_or_else(|| self.wrong())).transpose()
    }
}

//! What a read model is: a name, a version, tables, and a pure fold.

use parlance_domain::{Event, RecordedEvent};

use crate::{Rows, Table, Touch};

/// An event on its way through the folds: the row as recorded, and what it says.
#[derive(Clone, Debug)]
pub struct Folded<'a> {
    pub recorded: &'a RecordedEvent,
    pub event: &'a Event,
}

/// A fold cannot take an event. The event's stream is parked for this projection; everything else goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    #[error("column {column} of a stored row of `{table}` is not what this version writes")]
    StoredRow { table: &'static str, column: usize },
    #[error("{0}")]
    Refused(String),
}

/// A read model as a pure fold: same log, same rows, live or rebuilt, however the log is cut into pages.
pub trait Projector: Send + Sync {
    fn name(&self) -> &'static str;

    /// Raised whenever the same log would fold to other rows.
    fn version(&self) -> u32;

    fn tables(&self) -> &'static [&'static Table];

    /// The rows that folding `event` will look at, as far as `rows` lets them be known. Asked again after
    /// they were loaded, until nothing new is named ([`Rows::ROUNDS_MAX`] times at most).
    fn touches(&self, rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError>;

    /// Folds one event. May only look at rows it named in [`Self::touches`].
    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError>;
}

//! PostgreSQL's errors as the store's five, and what of a failure may be asked again.

use deadpool_postgres::{PoolError, TimeoutType};
use parlance_store::{RefusedBecause, StoreError};
use tokio_postgres::error::{DbError, Severity, SqlState};

/// What went wrong with a connection or a statement. `?` makes it of either.
#[derive(Debug)]
pub(crate) enum Failure {
    Database(tokio_postgres::Error),
    Store(StoreError),
    /// No answer within the bound.
    Silent,
    /// The connection was lost before the commit was sent: it was not done.
    Undone(String),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a failure means for what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It was not done, and will not be.
    No(StoreError),
    /// It was not done, but may be when it is asked again: it met somebody else's transaction.
    Again(StoreError),
    /// It was not done: this server takes no writes, or none any more. Another one may be the first by now.
    Standby(StoreError),
    /// The connection is gone, or the server silent: whether it was done is not known.
    Lost(String),
}

impl Failure {
    /// Of something that is not tried again.
    pub(crate) fn given_up(&self) -> StoreError {
        match self.meaning() {
            Meaning::No(error) | Meaning::Again(error) | Meaning::Standby(error) => error,
            Meaning::Lost(why) => StoreError::Unavailable(why),
        }
    }

    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Store(error) => Meaning::No(error.clone()),
            Self::Silent => Meaning::Lost("the database does not answer".to_owned()),
            Self::Undone(why) => Meaning::Again(StoreError::Unavailable(why.clone())),
            Self::Database(error) => match error.as_db_error() {
                Some(error) => of_database(error),
                None if is_ours(error) => Meaning::No(StoreError::Corrupt(error.to_string())),
                None => Meaning::Lost(chain(error)),
            },
        }
    }
}

/// Whether the connection had no part in it: a value that is not of its column's type.
fn is_ours(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    ["error serializing", "error deserializing", "invalid column", "query returned"]
        .iter()
        .any(|ours| text.starts_with(ours))
}

fn of_database(error: &DbError) -> Meaning {
    let code = error.code();
    let text = describe(error);
    // PostgreSQL always tells the severity in its own words, too. Who stands in between may not.
    let is_plain =
        error.parsed_severity().map_or(error.severity() == "ERROR", |severity| severity == Severity::Error);
    // The server ends the session: at a restart, a failover, or because an operator wants it.
    if !is_plain {
        return Meaning::Lost(text);
    }
    match code.code().get(..2) {
        // Of the connection, and told by who stands in between: the server may have done it all the same.
        Some("08") => Meaning::Lost(text),
        _ if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) => {
            Meaning::Again(StoreError::Unavailable(text))
        }
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Meaning::Standby(StoreError::Unavailable(text)),
        Some("23") => Meaning::No(StoreError::Refused(RefusedBecause::Constraint(text))),
        Some("XX") => Meaning::No(StoreError::Corrupt(text)),
        _ => Meaning::No(StoreError::Unavailable(text)),
    }
}

/// Without the detail, which quotes values.
fn describe(error: &DbError) -> String {
    let constraint = error.constraint().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{}{constraint} [{}]", error.message(), error.code().code())
}

/// An error and what it comes from, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

/// Why there is no connection; nothing was asked.
pub(crate) fn unreachable(error: &PoolError) -> StoreError {
    StoreError::Unavailable(match error {
        PoolError::Backend(error) => cannot_connect(error),
        PoolError::Timeout(TimeoutType::Wait) => "every connection to the database is in use".to_owned(),
        other => format!("no connection to the database: {other}"),
    })
}

pub(crate) fn cannot_connect(error: &tokio_postgres::Error) -> String {
    let why = error.as_db_error().map_or_else(|| chain(error), describe);
    format!("the database cannot be reached: {why}")
}

/// A stored value that no release of Parlance wrote.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

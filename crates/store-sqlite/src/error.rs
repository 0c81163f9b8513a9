//! SQLite's errors as the store's five.

use parlance_store::{EVENT_BYTES_MAX, RefusedBecause, StoreError};
use rusqlite::ErrorCode;

/// An error before the commit: everything is rolled back.
pub(crate) fn failed(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Refused(RefusedBecause::Constraint(text)),
        Some(ErrorCode::TooBig) => StoreError::Refused(RefusedBecause::TooLarge { limit: EVENT_BYTES_MAX }),
        Some(ErrorCode::DiskFull) => StoreError::Unavailable("the disk is full".to_owned()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        Some(_) => StoreError::Unavailable(text),
        None => StoreError::Corrupt(text),
    }
}

/// A stored value that no release of Parlance wrote.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

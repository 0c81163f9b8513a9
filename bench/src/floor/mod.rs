//! The floor: the very rows that a run of the product left, inserted into the same tables and indexes with
//! the same durability by plain prepared statements, and nothing else; on the store that the product ran on.

mod postgres;
mod sqlite;

use std::time::Duration;

use crate::world::{Home, Place};

/// Events of a transaction, where a floor is of many at once.
pub const EVENTS: usize = 1_000;

/// A log as rows, in the order in which they were inserted.
pub enum Log {
    Sqlite(sqlite::Log),
    Postgres(postgres::Log),
}

impl Log {
    /// Reads what the product left. Nobody waits for an answer of a runtime's meanwhile.
    pub fn read(place: &Place, home: &Home) -> anyhow::Result<Self> {
        Ok(match home.database() {
            Some(database) => Self::Postgres(place.runtime()?.block_on(postgres::Log::read(&database.url))?),
            None => Self::Sqlite(sqlite::Log::read(&home.folder().join("parlance.db"))?),
        })
    }

    /// The mean length of what is sealed.
    pub fn sealed_bytes(&self) -> usize {
        let (count, sum) = match self {
            Self::Sqlite(log) => log.sealed(),
            Self::Postgres(log) => log.sealed(),
        };
        sum / usize::max(count, 1)
    }

    /// Inserts the last `count` events' rows after the others, [`EVENTS`] a transaction, and tells how long.
    pub fn write(&self, place: &Place, count: usize) -> anyhow::Result<Duration> {
        match self {
            Self::Sqlite(log) => log.write(place, count, EVENTS),
            Self::Postgres(log) => log.write(place, count),
        }
    }

    /// The same, each event in a durable commit of its own.
    pub fn write_alone(&self, place: &Place, count: usize) -> anyhow::Result<Duration> {
        match self {
            Self::Sqlite(log) => log.write(place, count, 1),
            Self::Postgres(log) => log.write_alone(place, count),
        }
    }
}

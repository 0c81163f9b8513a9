//! Read models as pure folds of an account's log: the [`Projector`] trait, the [`Rows`] it works on, and one
//! folder a read model. The same code serves live and rebuild; it does no I/O and opens no sealed content.
//!
//! To add a read model: a folder with its tables and its `Projector`, a line in [`PROJECTORS`], the tables in
//! a migration of every adapter. To change one: raise its VERSION.

pub mod channels;
pub mod connections;
pub mod deliveries;
pub mod inbox;
pub mod members;
pub mod thread;

mod projector;
mod rows;
mod table;

pub use projector::{FoldError, Folded, Projector};
pub use rows::{Change, Rows, Touch};
pub use table::{Column, ColumnType, Row, RowKey, RowReader, Table, Value, key};

/// Every read model there is.
pub const PROJECTORS: [&dyn Projector; 6] = [
    &inbox::InboxProjector,
    &thread::ThreadProjector,
    &channels::ChannelsProjector,
    &members::MembersProjector,
    &connections::ConnectionsProjector,
    &deliveries::DeliveriesProjector,
];

/// Every table of every read model; its `id` is its place here.
pub const TABLES: [&Table; 11] = [
    &inbox::CONVERSATIONS,
    &inbox::COUNTS,
    &inbox::SEEN,
    &inbox::ACCESS,
    &inbox::CHANNELS,
    &inbox::MEMBERS,
    &thread::MESSAGES,
    &channels::CHANNELS,
    &members::MEMBERS,
    &connections::CONNECTIONS,
    &deliveries::DELIVERIES,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_stands_at_its_id_and_belongs_to_one_projector() {
        for (place, table) in TABLES.iter().enumerate() {
            assert_eq!(table.id, place, "{}", table.name);
            let owners = PROJECTORS.iter().filter(|p| p.tables().iter().any(|t| t.id == table.id)).count();
            assert_eq!(owners, 1, "{}", table.name);
        }
    }
}

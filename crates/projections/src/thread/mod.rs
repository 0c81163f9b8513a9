//! Threads: a row a message, ordered by the earlier of provider time and recorded time, then by position.
//!
//! A reaction, edit or withdrawal may arrive before the message it is about: it then waits in the message's
//! row, which is not `present` until the message is there. So any order of arrival ends in the same thread.

mod fold;
mod message;

pub use self::{
    fold::ThreadProjector,
    message::{Amendment, Direction, ThreadRow},
};
use crate::{Column, Table};

/// One row a message of a living conversation; see [`ThreadRow`].
pub static MESSAGES: Table = Table {
    id: 6,
    name: "thread_messages",
    key: &[Column::bytes("conversation_id"), Column::bytes("message_id")],
    columns: &[
        Column::int("present"),
        Column::int("incarnation"),
        Column::text("direction"),
        Column::text("kind"),
        Column::int("at"),
        Column::int("position"),
        Column::int("provider_at"),
        Column::int("recorded_at"),
        Column::bytes("content"),
        Column::int("edited_at"),
        Column::int("edited_position"),
        Column::bytes("edited"),
        Column::int("reacted_at"),
        Column::int("reacted_position"),
        Column::bytes("reaction"),
        Column::int("unsent_at"),
    ],
    counters: false,
};

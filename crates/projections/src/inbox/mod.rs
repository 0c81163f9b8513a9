//! The inbox: a row a conversation, kept counts a section, and what is unread for whom.
//!
//! Counts are kept, not counted: `inbox_counts` has the conversations of each (channel, state, assignee), and
//! how many of them a contact ever wrote in; `inbox_seen` has how many of those each member has seen. Unread
//! is the difference. A conversation is *seen* by a member with access whose reading mark, or whose gaining of
//! access, is not before the latest contact's message; so a new message costs what those who had seen the
//! conversation number, whatever the size of the team.

mod access;
mod conversation;
mod fold;
mod kept;

use std::collections::BTreeSet;

use parlance_domain::{ConversationId, MemberId};

pub use self::{
    conversation::{InboxRow, State},
    fold::InboxProjector,
    kept::{Access, Kept, Seen},
};
use crate::{Column, Table};

/// One row a living conversation; see [`InboxRow`].
pub static CONVERSATIONS: Table = Table {
    id: 0,
    name: "inbox_conversations",
    key: &[Column::bytes("conversation_id")],
    columns: &[
        Column::int("incarnation"),
        Column::bytes("channel_id"),
        Column::text("state"),
        Column::bytes("assignee"),
        Column::int("assigned_at"),
        Column::bytes("last_message_id"),
        Column::int("last_message_at"),
        Column::int("last_message_position"),
        Column::int("last_contact_at"),
        Column::int("last_contact_position"),
        Column::int("messages"),
        Column::int("changed_position"),
        Column::bytes("profile"),
        Column::bytes("readers"),
    ],
    counters: false,
};

/// Conversations of a bucket, and those of them in which a contact ever wrote. An empty assignee is nobody.
pub static COUNTS: Table = Table {
    id: 1,
    name: "inbox_counts",
    key: &[Column::bytes("channel_id"), Column::text("state"), Column::bytes("assignee")],
    columns: &[Column::int("conversations"), Column::int("contacted")],
    counters: true,
};

/// Contacted conversations of a bucket that a member has seen.
pub static SEEN: Table = Table {
    id: 2,
    name: "inbox_seen",
    key: &[
        Column::bytes("channel_id"),
        Column::bytes("member_id"),
        Column::text("state"),
        Column::bytes("assignee"),
    ],
    columns: &[Column::int("seen")],
    counters: true,
};

/// Who has access to which channel, and since which position.
pub static ACCESS: Table = Table {
    id: 3,
    name: "inbox_access",
    key: &[Column::bytes("channel_id"), Column::bytes("member_id")],
    columns: &[Column::int("since")],
    counters: false,
};

/// What access depends on, of each channel; and the newest gaining of access to it.
pub static CHANNELS: Table = Table {
    id: 4,
    name: "inbox_channels",
    key: &[Column::bytes("channel_id")],
    columns: &[Column::text("visibility"), Column::bytes("installer"), Column::int("last_access_since")],
    counters: false,
};

/// The active members.
pub static MEMBERS: Table = Table {
    id: 5,
    name: "inbox_members",
    key: &[Column::bytes("member_id")],
    columns: &[Column::int("since")],
    counters: false,
};

/// Members as the `readers` column holds them: their ids, sorted, 16 bytes each.
fn pack(readers: &BTreeSet<MemberId>) -> Vec<u8> {
    readers.iter().flat_map(|member| member.bytes()).collect()
}

fn unpack(bytes: &[u8]) -> BTreeSet<MemberId> {
    let (members, _) = bytes.as_chunks::<16>();
    members.iter().map(|id| MemberId::from_bytes(*id)).collect()
}

fn conversation_key(id: ConversationId) -> crate::RowKey {
    crate::key([id.uuid().into()])
}

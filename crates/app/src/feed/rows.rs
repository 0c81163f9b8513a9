//! Rows that were read for one follower and are as good for the next: of a message that two thousand are told of
//! the conversation is read and opened once. What depends on who asks is never kept here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use parlance_domain::{ChannelId, ConversationId, MemberId, Position, conversation::ContactProfile};
use parlance_projections::inbox::InboxRow;

/// Conversations kept of one moment: those of a live change, and of some replays beside it.
const CONVERSATIONS_MAX: usize = 1_000;
/// Members' accesses kept: about 3 MB. They hardly ever change, so each follower's are read once.
const ACCESSES_MAX: usize = 50_000;

/// A conversation's row with its contact, opened.
pub(crate) struct OpenedRow {
    pub row: InboxRow,
    pub contact: Option<ContactProfile>,
}

#[derive(Default)]
pub(crate) struct Rows {
    kept: Mutex<Kept>,
    /// Held by whoever reads conversations for everybody.
    pub reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    /// The read models showed this when the conversations were read, or more.
    shown: Position,
    conversations: HashMap<ConversationId, Option<Arc<OpenedRow>>>,
    /// Since when members have access, and what the read models showed when that was read.
    accesses: HashMap<(ChannelId, MemberId), (Option<Position>, Position)>,
}

impl Rows {
    /// The wanted conversations as they were at `shown` or later; `None`: not all of them are known so.
    pub fn conversations(
        &self,
        wanted: &[ConversationId],
        shown: Position,
    ) -> Option<Vec<Option<Arc<OpenedRow>>>> {
        let kept = self.kept.lock().expect("no panic while locked");
        if kept.shown < shown {
            return None;
        }
        wanted.iter().map(|id| kept.conversations.get(id).cloned()).collect()
    }

    /// Keeps what was read when the read models showed `shown`; what was read before that goes.
    pub fn keep(&self, shown: Position, read: &[(ConversationId, Option<Arc<OpenedRow>>)]) {
        let mut kept = self.kept.lock().expect("no panic while locked");
        if kept.shown < shown || kept.conversations.len() + read.len() > CONVERSATIONS_MAX {
            kept.conversations.clear();
            kept.shown = kept.shown.max(shown);
        }
        if kept.shown == shown {
            kept.conversations.extend(read.iter().cloned());
        }
    }

    /// Since when a member has access to the channels; `None`: not all of it is known as it is since `changed`.
    pub fn accesses(
        &self,
        member: MemberId,
        channels: &[ChannelId],
        changed: Position,
    ) -> Option<HashMap<ChannelId, Position>> {
        let kept = self.kept.lock().expect("no panic while locked");
        let mut since = HashMap::with_capacity(channels.len());
        for channel in channels {
            let (access, shown) = kept.accesses.get(&(*channel, member))?;
            if *shown < changed {
                return None;
            }
            since.extend(access.map(|access| (*channel, access)));
        }
        Some(since)
    }

    /// Keeps what was read of these channels when the read models showed `shown`.
    pub fn keep_accesses(
        &self,
        member: MemberId,
        channels: &[ChannelId],
        since: &HashMap<ChannelId, Position>,
        shown: Position,
    ) {
        let mut kept = self.kept.lock().expect("no panic while locked");
        if kept.accesses.len() + channels.len() > ACCESSES_MAX {
            kept.accesses.clear();
        }
        for channel in channels {
            kept.accesses.insert((*channel, member), (since.get(channel).copied(), shown));
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> ConversationId {
        ConversationId::new(Uuid::from_u128(n))
    }

    #[test]
    fn rows_serve_no_later_moment_than_they_were_read_at() {
        let rows = Rows::default();
        let at = Position::new;
        rows.keep(at(5), &[(id(1), None)]);
        assert!(rows.conversations(&[id(1)], at(4)).is_some());
        assert!(rows.conversations(&[id(1)], at(5)).is_some());
        assert!(rows.conversations(&[id(1)], at(6)).is_none());
        assert!(rows.conversations(&[id(1), id(2)], at(5)).is_none(), "one of them is not known");
        rows.keep(at(6), &[(id(2), None)]);
        assert!(rows.conversations(&[id(1)], at(5)).is_none(), "what was read before is gone");
        rows.keep(at(5), &[(id(1), None)]);
        assert!(rows.conversations(&[id(1)], at(5)).is_none(), "who comes late keeps nothing");
        let many: Vec<_> = (10..).map(|n| (id(n), None)).take(CONVERSATIONS_MAX).collect();
        rows.keep(at(6), &many);
        assert!(rows.conversations(&[id(2)], at(6)).is_none(), "there is no end to them otherwise");
        assert!(rows.conversations(&[id(10)], at(6)).is_some());
    }

    #[test]
    fn an_access_is_known_until_any_changes() {
        let (rows, at) = (Rows::default(), Position::new);
        let (member, channel) = (MemberId::new(Uuid::from_u128(1)), ChannelId::new(Uuid::from_u128(2)));
        let none = ChannelId::new(Uuid::from_u128(3));
        rows.keep_accesses(member, &[channel, none], &HashMap::from([(channel, at(2))]), at(7));
        let known = Some(HashMap::from([(channel, at(2))]));
        assert_eq!(rows.accesses(member, &[channel, none], at(7)), known);
        assert_eq!(rows.accesses(member, &[channel], at(8)), None);
        assert_eq!(rows.accesses(MemberId::default(), &[channel], at(1)), None);
    }
}

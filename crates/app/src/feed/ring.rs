//! The newest touched positions of an account, without a gap, bounded.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parlance_domain::{Position, StreamRef, StreamType};

use super::Touched;
use crate::front::InboxChange;

/// As many positions as anybody may be behind: some 80 bytes each.
pub(super) const KEPT_MAX: usize = 10_000;
const _: () = assert!(KEPT_MAX as u64 == InboxChange::BEHIND_MAX);

/// What the log was seen to tell of access. Clones share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    versions: Arc<HashMap<StreamRef, u64>>,
    /// The newest change of anybody's access to anything; or where nobody looked.
    pub access_changed: Position,
}

impl Known {
    /// How far a member's or channel's stream is known to be. 0: nothing is known of it.
    pub fn version_of(&self, stream: StreamRef) -> u64 {
        self.versions.get(&stream).copied().unwrap_or_default()
    }

    fn learn(&mut self, touched: &Touched) {
        if touched.touch.moves_access() {
            self.access_changed = self.access_changed.max(touched.position);
        }
        if !matches!(touched.stream.kind, StreamType::Member | StreamType::Channel) {
            return;
        }
        if touched.version > self.version_of(touched.stream) {
            Arc::make_mut(&mut self.versions).insert(touched.stream, touched.version);
        }
    }
}

/// Positions after `after`, each in its place.
#[derive(Debug)]
pub(super) struct Ring {
    after: Position,
    kept: VecDeque<Touched>,
    known: Known,
}

impl Ring {
    /// An empty one that begins after a position.
    pub fn new(after: Position) -> Self {
        Self { after, kept: VecDeque::new(), known: Known { access_changed: after, ..Known::default() } }
    }

    /// Forgets what it holds, and begins after a position.
    pub fn restart(&mut self, after: Position) {
        let known = Known { access_changed: after, ..self.known.clone() };
        *self = Self { known, ..Self::new(after) };
    }

    /// It holds what comes after this.
    pub fn after(&self) -> Position {
        self.after
    }

    /// It holds everything up to here.
    pub fn end(&self) -> Position {
        Position::new(self.after.number() + self.kept.len() as u64)
    }

    pub fn known(&self) -> Known {
        self.known.clone()
    }

    /// Takes what comes next; what does not is known already. The oldest go where there are too many.
    pub fn push(&mut self, touched: impl IntoIterator<Item = Touched>) {
        for touched in touched {
            if touched.position.number() != self.end().number() + 1 {
                continue;
            }
            self.known.learn(&touched);
            self.kept.push_back(touched);
            if self.kept.len() > KEPT_MAX {
                self.kept.pop_front();
                self.after = Position::new(self.after.number() + 1);
            }
        }
    }

    /// Takes what lies before its beginning, oldest first and without a gap up to there.
    pub fn prepend(&mut self, older: Vec<Touched>) {
        for touched in older.into_iter().rev() {
            if touched.position == self.after && self.kept.len() < KEPT_MAX {
                self.after = Position::new(self.after.number() - 1);
                self.known.learn(&touched);
                self.kept.push_front(touched);
            }
        }
    }

    /// What was touched after `from` and up to `to`, at most `limit`; `None`: it does not reach that far back.
    pub fn between(&self, from: Position, to: Position, limit: usize) -> Option<Vec<Touched>> {
        let skipped = usize::try_from(from.number().checked_sub(self.after.number())?).ok()?;
        let wanted = to.number().saturating_sub(from.number());
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(limit);
        Some(self.kept.iter().skip(skipped).take(wanted).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::{ChannelId, ConversationId, MemberId};
    use uuid::Uuid;

    use super::*;
    use crate::feed::Touch;

    fn at(position: u64) -> Touched {
        let conversation = ConversationId::new(Uuid::from_u128(position.into()));
        Touched {
            position: Position::new(position),
            stream: conversation.into(),
            version: 1,
            touch: Touch::Conversation(conversation, None),
        }
    }

    fn between(ring: &Ring, from: u64, to: u64) -> Option<Vec<u64>> {
        let found = ring.between(Position::new(from), Position::new(to), usize::MAX)?;
        Some(found.iter().map(|touched| touched.position.number()).collect())
    }

    #[test]
    fn what_lies_between_two_positions_is_told_without_a_gap() {
        let mut ring = Ring::new(Position::new(4));
        ring.push((5..=9).map(at));
        assert_eq!(between(&ring, 4, 9), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(between(&ring, 6, 8), Some(vec![7, 8]));
        assert_eq!(between(&ring, 9, 9), Some(vec![]));
        assert_eq!(between(&ring, 9, 3), Some(vec![]));
        assert_eq!(between(&ring, 3, 9), None, "it does not reach back to 4");
        assert_eq!(ring.between(Position::new(4), Position::new(9), 2).unwrap().len(), 2);
    }

    #[test]
    fn what_is_known_already_or_leaves_a_gap_is_not_taken() {
        let mut ring = Ring::new(Position::START);
        ring.push([at(1), at(2), at(2), at(1), at(4), at(3)]);
        assert_eq!(between(&ring, 0, 9), Some(vec![1, 2, 3]));
        assert_eq!(ring.end(), Position::new(3));
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let kept = KEPT_MAX as u64;
        let mut ring = Ring::new(Position::START);
        ring.push((1..=kept + 3).map(at));
        assert_eq!((ring.after(), ring.end()), (Position::new(3), Position::new(kept + 3)));
        assert_eq!(between(&ring, 2, 9), None);
        assert_eq!(between(&ring, 3, 5), Some(vec![4, 5]));
        ring.prepend((1..=3).map(at).collect());
        assert_eq!(ring.after(), Position::new(3), "there is no room before");
    }

    #[test]
    fn what_lies_before_is_put_before() {
        let mut ring = Ring::new(Position::new(7));
        ring.push([at(8)]);
        ring.prepend((3..=6).map(at).collect());
        assert_eq!(between(&ring, 7, 8), Some(vec![8]), "7 is missing, so the rest was not taken");
        ring.prepend((3..=7).map(at).collect());
        assert_eq!(between(&ring, 2, 8), Some(vec![3, 4, 5, 6, 7, 8]));
    }

    #[test]
    fn the_newest_version_of_members_and_channels_is_known() {
        let member = MemberId::new(Uuid::from_u128(9));
        let told = |position, version| Touched {
            stream: member.stream(),
            version,
            touch: Touch::Member(member),
            ..at(position)
        };
        let mut ring = Ring::new(Position::new(10));
        ring.push([told(11, 4), at(12)]);
        let before = ring.known();
        ring.prepend(vec![told(10, 3)]);
        ring.push([told(13, 5)]);
        assert_eq!((before.version_of(member.stream()), ring.known().version_of(member.stream())), (4, 5));
        assert_eq!(ring.known().version_of(at(12).stream), 0, "conversations are not followed");
    }

    #[test]
    fn the_newest_change_of_access_is_known() {
        let channel = ChannelId::new(Uuid::from_u128(9));
        let told = |position| Touched { touch: Touch::Visibility(channel), ..at(position) };
        let mut ring = Ring::new(Position::new(10));
        assert_eq!(ring.known().access_changed, Position::new(10), "nobody looked before");
        ring.push([at(11), told(12), at(13)]);
        assert_eq!(ring.known().access_changed, Position::new(12));
        ring.prepend(vec![told(10)]);
        assert_eq!(ring.known().access_changed, Position::new(12));
        ring.restart(Position::new(40));
        assert_eq!(ring.known().access_changed, Position::new(40));
    }
}

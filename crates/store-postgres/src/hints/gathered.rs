//! Hints that wait to be told: of each account and kind the newest alone, bounded.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use parlance_domain::{AccountId, MemberId, Position};
use parlance_store::{HINTS_BEHIND_MAX, Hint};

/// What waits at most. More than that is no hint any more: everybody looks everywhere.
const WAITING_MAX: usize = HINTS_BEHIND_MAX;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    appended: HashMap<AccountId, Position>,
    shown: HashMap<AccountId, Position>,
    ended: HashSet<(AccountId, MemberId)>,
    is_missed: bool,
}

impl Gathered {
    pub(super) fn put(&mut self, hint: Hint) {
        if self.is_missed {
            return;
        }
        match hint {
            Hint::Appended { account, position } => newest(&mut self.appended, account, position),
            Hint::Shown { account, position } => newest(&mut self.shown, account, position),
            Hint::Ended { account, member } => {
                self.ended.insert((account, member));
            }
            Hint::Missed => self.is_missed = true,
        }
        if self.len() > WAITING_MAX {
            self.is_missed = true;
        }
        if self.is_missed {
            *self = Self { is_missed: true, ..Self::default() };
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && !self.is_missed
    }

    fn len(&self) -> usize {
        self.appended.len() + self.shown.len() + self.ended.len()
    }

    pub(super) fn hints(self) -> Vec<Hint> {
        if self.is_missed {
            return vec![Hint::Missed];
        }
        let appended =
            self.appended.into_iter().map(|(account, position)| Hint::Appended { account, position });
        let shown = self.shown.into_iter().map(|(account, position)| Hint::Shown { account, position });
        let ended = self.ended.into_iter().map(|(account, member)| Hint::Ended { account, member });
        // Who may not ask any more comes first.
        ended.chain(appended).chain(shown).collect()
    }
}

fn newest(positions: &mut HashMap<AccountId, Position>, account: AccountId, position: Position) {
    match positions.entry(account) {
        Entry::Occupied(mut known) => {
            let newest = position.max(*known.get());
            known.insert(newest);
        }
        Entry::Vacant(unknown) => {
            unknown.insert(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account(number: usize) -> AccountId {
        AccountId::new(Uuid::from_u128(number as u128))
    }

    #[test]
    fn the_newest_of_its_kind_stands_for_the_older() {
        let mut gathered = Gathered::default();
        let (one, two) = (account(1), account(2));
        let appended = |account, number| Hint::Appended { account, position: Position::new(number) };
        let shown = Hint::Shown { account: one, position: Position::new(3) };
        let ended = Hint::Ended { account: two, member: MemberId::new(Uuid::from_u128(7)) };
        for hint in [appended(one, 5), appended(two, 1), appended(one, 4), shown, ended, ended] {
            gathered.put(hint);
        }
        let hints = gathered.hints();
        assert_eq!(hints.len(), 4, "{hints:?}");
        for hint in [appended(one, 5), appended(two, 1), shown, ended] {
            assert!(hints.contains(&hint), "{hint:?}");
        }
    }

    #[test]
    fn too_many_become_one_that_says_look_everywhere() {
        let mut gathered = Gathered::default();
        for number in 0..=WAITING_MAX {
            gathered.put(Hint::Appended { account: account(number), position: Position::new(1) });
        }
        gathered.put(Hint::Shown { account: account(1), position: Position::new(1) });
        assert_eq!(gathered.len(), 0, "nothing is kept besides");
        assert_eq!(gathered.hints(), [Hint::Missed]);
    }
}

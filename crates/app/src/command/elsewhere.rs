//! What other servers appended, so that no state kept here is older than a moment: for each account the position up to
//! which this process knows of everything. Before a state is looked at the log's end is compared with it, unless that
//! was done a moment ago and nobody has told of more; then the states of whatever was touched between go.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use parlance_domain::{AccountId, Position};

/// How old what is known may be where a hint is lost: short enough that nobody notices, and two small readings a
/// second for an account that is in use.
const FRESH_FOR: Duration = Duration::from_millis(500);

/// The accounts of which states are kept. Bounded by the number of accounts.
#[derive(Default)]
pub(super) struct Elsewhere(Mutex<HashMap<AccountId, Seen>>);

struct Seen {
    /// Everything up to here is in the states that are kept, or their streams are not kept.
    upto: Position,
    /// The log is known to reach this position.
    told: Position,
    /// When the log's end was looked at; `None`: hints were missed since.
    looked: Option<Instant>,
    /// Held by whoever looks for everybody.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl Elsewhere {
    fn with<T>(&self, account: AccountId, f: impl FnOnce(&mut Seen) -> T) -> Option<T> {
        self.0.lock().expect("no panic while locked").get_mut(&account).map(f)
    }

    /// An account whose log ended at `head`, before anything of it is kept. Once more changes nothing.
    pub fn begin(&self, account: AccountId, head: Position) {
        let mut all = self.0.lock().expect("no panic while locked");
        all.entry(account).or_insert_with(|| Seen {
            upto: head,
            told: head,
            looked: Some(Instant::now()),
            looking: Arc::default(),
        });
    }

    /// Up to where everything is known; `None`: nothing of the account is kept.
    pub fn upto(&self, account: AccountId) -> Option<Position> {
        self.with(account, |seen| seen.upto)
    }

    pub fn is_fresh(&self, account: AccountId) -> bool {
        let fresh = |seen: &mut Seen| {
            seen.told <= seen.upto && seen.looked.is_some_and(|looked| looked.elapsed() < FRESH_FOR)
        };
        self.with(account, fresh).unwrap_or(false)
    }

    /// The log of the account is known to reach `position`.
    pub fn told(&self, account: AccountId, position: Position) {
        self.with(account, |seen| seen.told = seen.told.max(position));
    }

    /// Anything may have been appended.
    pub fn missed(&self) {
        let mut all = self.0.lock().expect("no panic while locked");
        all.values_mut().for_each(|seen| seen.looked = None);
    }

    /// This process has appended from `first` to `last` (nothing, where `last` is before `first`: then it has compared),
    /// and keeps the states as of then: `keep` keeps them, while nobody can have looked further.
    pub fn appended(&self, account: AccountId, first: Position, last: Position, keep: impl FnOnce()) {
        let mut all = self.0.lock().expect("no panic while locked");
        keep();
        let Some(seen) = all.get_mut(&account) else { return };
        // Where somebody came between, that has to be looked at first.
        if seen.upto.next() >= first {
            if last < seen.upto {
                // Somebody looked further before the states were kept, and has to look again from there.
                seen.looked = None;
            }
            seen.upto = last;
        }
        seen.told = seen.told.max(last);
    }

    /// Who looks for everybody, one at a time.
    pub fn looking(&self, account: AccountId) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.with(account, |seen| Arc::clone(&seen.looking))
    }

    /// Everything from `from` on up to `upto` is known, by a look that began at `begin`: `forget` forgets what was moved
    /// on, while nobody can keep anything older. What was taken back meanwhile the next look finds.
    pub fn looked(
        &self,
        account: AccountId,
        (from, upto): (Position, Position),
        begin: Instant,
        forget: impl FnOnce(),
    ) {
        let mut all = self.0.lock().expect("no panic while locked");
        forget();
        let Some(seen) = all.get_mut(&account).filter(|seen| seen.upto >= from) else { return };
        seen.upto = seen.upto.max(upto);
        seen.looked = Some(begin);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const fn at(number: u64) -> Position {
        Position::new(number)
    }

    struct Log(Elsewhere, AccountId);

    impl Log {
        fn begun(head: u64) -> Self {
            let (elsewhere, account) = (Elsewhere::default(), AccountId::new(Uuid::from_u128(1)));
            assert!(!elsewhere.is_fresh(account), "nothing is known of it");
            elsewhere.begin(account, at(head));
            assert!(elsewhere.is_fresh(account));
            Self(elsewhere, account)
        }

        fn appended(&self, first: u64, last: u64) {
            self.0.appended(self.1, at(first), at(last), || {});
        }

        fn looked(&self, from: u64, upto: u64) {
            self.0.looked(self.1, (at(from), at(upto)), Instant::now(), || {});
        }

        fn told(&self, position: u64) {
            self.0.told(self.1, at(position));
        }

        fn is(&self, upto: u64, is_fresh: bool) {
            assert_eq!((self.0.upto(self.1), self.0.is_fresh(self.1)), (Some(at(upto)), is_fresh));
        }
    }

    #[test]
    fn what_this_process_appends_behind_what_it_knows_is_known() {
        let log = Log::begun(4);
        log.appended(5, 9);
        log.is(9, true);
        log.appended(10, 9);
        log.is(9, true);
    }

    #[test]
    fn what_came_between_has_to_be_looked_at() {
        let log = Log::begun(4);
        log.appended(7, 8);
        log.is(4, false);
        log.looked(4, 8);
        log.is(8, true);
    }

    #[test]
    fn who_looked_further_before_the_states_were_kept_looks_again() {
        let log = Log::begun(4);
        log.looked(4, 5);
        log.appended(5, 5);
        log.is(5, true);
        log.looked(5, 7);
        log.appended(6, 6);
        log.is(6, false);
        log.looked(6, 6);
        log.is(6, true);
        // States that were only compared are as old as the comparison.
        log.appended(6, 5);
        log.is(5, false);
    }

    #[test]
    fn what_was_taken_back_during_a_look_stays_so() {
        let log = Log::begun(4);
        log.appended(4, 3);
        log.is(3, false);
        log.looked(4, 6);
        log.is(3, false);
        log.looked(3, 6);
        log.is(6, true);
    }

    #[test]
    fn hints_and_their_loss_make_it_stale() {
        let log = Log::begun(4);
        log.told(3);
        log.is(4, true);
        log.told(5);
        log.is(4, false);
        log.looked(4, 5);
        log.is(5, true);
        log.0.missed();
        log.is(5, false);
    }
}

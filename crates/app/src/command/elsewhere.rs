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

    /// This process has appended from `first` to `last`, and keeps the states as of then.
    pub fn appended(&self, account: AccountId, first: Position, last: Position) {
        self.with(account, |seen| {
            if seen.upto.next() == first {
                seen.upto = last;
            } else {
                // Somebody came between; or somebody looked further before the states were kept, and has to look again.
                let before = Position::new(first.number().saturating_sub(1));
                seen.upto = seen.upto.min(before);
            }
            seen.told = seen.told.max(last);
        });
    }

    /// Who looks for everybody, one at a time.
    pub fn looking(&self, account: AccountId) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.with(account, |seen| Arc::clone(&seen.looking))
    }

    /// Everything from `from` on up to `upto` is known, by a look that began at `begin`. If it was taken back
    /// meanwhile, the next look finds it.
    pub fn looked(&self, account: AccountId, from: Position, upto: Position, begin: Instant) {
        self.with(account, |seen| {
            if seen.upto >= from {
                seen.upto = seen.upto.max(upto);
            }
            seen.looked = Some(begin);
        });
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const fn at(number: u64) -> Position {
        Position::new(number)
    }

    fn begun(head: u64) -> (Elsewhere, AccountId) {
        let (elsewhere, account) = (Elsewhere::default(), AccountId::new(Uuid::from_u128(1)));
        assert!(!elsewhere.is_fresh(account), "nothing is known of it");
        elsewhere.begin(account, at(head));
        assert!(elsewhere.is_fresh(account));
        (elsewhere, account)
    }

    #[test]
    fn what_this_process_appends_behind_what_it_knows_is_known() {
        let (elsewhere, account) = begun(4);
        elsewhere.appended(account, at(5), at(9));
        assert_eq!((elsewhere.upto(account), elsewhere.is_fresh(account)), (Some(at(9)), true));
    }

    #[test]
    fn what_came_between_has_to_be_looked_at() {
        let (elsewhere, account) = begun(4);
        elsewhere.appended(account, at(7), at(8));
        assert_eq!((elsewhere.upto(account), elsewhere.is_fresh(account)), (Some(at(4)), false));
        elsewhere.looked(account, at(4), at(8), Instant::now());
        assert_eq!((elsewhere.upto(account), elsewhere.is_fresh(account)), (Some(at(8)), true));
    }

    #[test]
    fn who_looked_further_before_the_states_were_kept_looks_again() {
        let (elsewhere, account) = begun(4);
        elsewhere.looked(account, at(4), at(6), Instant::now());
        elsewhere.appended(account, at(5), at(5));
        assert_eq!((elsewhere.upto(account), elsewhere.is_fresh(account)), (Some(at(4)), false));
        let (elsewhere, account) = begun(4);
        elsewhere.appended(account, at(4), at(4));
        elsewhere.looked(account, at(4), at(6), Instant::now());
        assert_eq!(elsewhere.upto(account), Some(at(3)), "what was taken back during a look stays so");
    }

    #[test]
    fn hints_and_their_loss_make_it_stale() {
        let (elsewhere, account) = begun(4);
        elsewhere.told(account, at(3));
        assert!(elsewhere.is_fresh(account));
        elsewhere.told(account, at(5));
        assert!(!elsewhere.is_fresh(account));
        elsewhere.looked(account, at(4), at(5), Instant::now());
        assert!(elsewhere.is_fresh(account));
        elsewhere.missed();
        assert!(!elsewhere.is_fresh(account));
    }
}

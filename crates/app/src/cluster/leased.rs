//! What this server may work for, as far as it knows.

use std::{
    collections::HashMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use parlance_domain::AccountId;
use parlance_store::{AccountBucket, Fence, Lease};

/// The leases that this server holds. Clones share them.
#[derive(Clone)]
pub struct Leased(Arc<Inner>);

struct Inner {
    shared: bool,
    /// This server has ended its work for good.
    left: AtomicBool,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    fences: HashMap<AccountBucket, Fence>,
    /// When they end, by this machine's clock that never goes back: it goes on while the process is stopped.
    until: Option<Instant>,
}

impl Leased {
    /// Nothing yet. `shared`: other servers may hold leases, too.
    pub(crate) fn nothing(shared: bool) -> Self {
        Self(Arc::new(Inner { shared, left: AtomicBool::new(false), held: RwLock::default() }))
    }

    /// Whether other servers may work on the store.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.shared
    }

    /// Under which fence this server may work for the account; `None`: it may not.
    pub fn fence(&self, account: AccountId) -> Option<Fence> {
        let held = self.0.held.read().expect("no panic while locked");
        held.until.filter(|until| Instant::now() < *until)?;
        held.fences.get(&AccountBucket::of(account)).copied()
    }

    /// Whether this server works for the account.
    pub fn holds(&self, account: AccountId) -> bool {
        self.fence(account).is_some()
    }

    /// What is held from now on, and until when; whether anything of it is new.
    pub(super) fn renew(&self, leases: &[Lease], until: Instant) -> bool {
        let fences: HashMap<_, _> = leases.iter().map(|lease| (lease.bucket, lease.fence)).collect();
        let mut held = self.0.held.write().expect("no panic while locked");
        if self.has_left() {
            return false;
        }
        // What had ended in between may have been missed: it counts as new.
        let ended = held.until.is_none_or(|until| Instant::now() >= until);
        let new = fences.iter().any(|(bucket, fence)| ended || held.fences.get(bucket) != Some(fence));
        *held = Held { fences, until: Some(until) };
        new
    }

    pub(super) fn has_left(&self) -> bool {
        self.0.left.load(Ordering::Acquire)
    }

    /// Holds nothing any more, and takes nothing again.
    pub(crate) fn let_go(&self) {
        self.0.left.store(true, Ordering::Release);
        *self.0.held.write().expect("no panic while locked") = Held::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_lease_is_held_until_it_ends_and_a_new_fence_is_news() {
        let leased = Leased::nothing(true);
        let account = AccountId::new(Uuid::from_u128(5));
        let lease = |fence| [Lease { bucket: AccountBucket(5), fence: Fence(fence) }];
        let later = Instant::now() + Duration::from_secs(3_600);
        assert!(!leased.holds(account));
        assert!(leased.renew(&lease(1), later));
        assert_eq!(leased.fence(account), Some(Fence(1)));
        assert!(!leased.holds(AccountId::new(Uuid::from_u128(6))));
        assert!(!leased.renew(&lease(1), later), "a renewal is no news");
        assert!(leased.renew(&lease(2), Instant::now()), "another fence is");
        assert!(!leased.holds(account), "it has ended");
        assert!(leased.renew(&lease(2), later), "what had ended is news again");
        leased.let_go();
        assert!(!leased.holds(account));
    }
}

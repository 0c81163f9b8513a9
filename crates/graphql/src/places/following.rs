//! How many subscriptions may run: of one member, of one account. A change is looked up for each of them, so that
//! nobody may multiply it by all operations of all sockets they may have.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlance_app::front::Principal;

use super::counts::{Held, Holder, HolderBounds, Sated};

/// Four on each of the streams that a member may have; a page has two or three.
pub(crate) const MEMBER_MAX: usize = 1_024;
/// Four on each of the streams that an account may have.
pub(crate) const ACCOUNT_MAX: usize = 8_192;

/// The subscriptions under way, over WebSocket and server-sent events together. Clones share them.
#[derive(Clone)]
pub(crate) struct Following(Arc<Inner>);

struct Inner {
    bounds: HolderBounds,
    held: Mutex<Held>,
}

/// One subscription under way, until it is dropped.
pub(crate) struct Followed {
    following: Following,
    holder: Holder,
}

impl Default for Following {
    fn default() -> Self {
        Self::new(HolderBounds { member: MEMBER_MAX, account: ACCOUNT_MAX })
    }
}

impl Following {
    fn new(bounds: HolderBounds) -> Self {
        Self(Arc::new(Inner { bounds, held: Mutex::default() }))
    }

    /// One subscription more, or who has too many.
    pub fn begin(&self, principal: Principal) -> Result<Followed, Sated> {
        let holder = Holder::of(principal);
        self.held().take(holder, self.0.bounds)?;
        Ok(Followed { following: self.clone(), holder })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.following.held().give_back(self.holder);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::member, *};

    #[test]
    fn neither_a_member_nor_an_account_follows_more_than_it_may() {
        let following = Following::new(HolderBounds { member: 2, account: 3 });
        let (anna, bela) = (member(1, 1), member(1, 2));
        let begin = |who| following.begin(who);
        let mut held = vec![begin(anna), begin(anna), begin(bela)];
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(begin(anna).err(), Some(Sated::Member));
        assert_eq!(begin(bela).err(), Some(Sated::Account));
        held.push(begin(member(2, 1)));
        assert!(held.iter().all(Result::is_ok), "another account has its own");
        drop(held.remove(0));
        held.push(begin(bela));
        assert!(held.iter().all(Result::is_ok), "what is given back is there again");
        drop(held);
        assert!(following.held().is_empty());
    }
}

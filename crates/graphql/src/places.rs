//! How many long-lived streams (WebSockets and event streams) there may be: in all, of one account, of one
//! member. Each costs memory for as long as it is open, so that nobody may have all of them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use parlance_app::front::{Asker, Principal};
use parlance_domain::{AccountId, OperatorId};

/// Three quarters of the connections that the server's listener holds: the others are for requests and webhooks.
const ALL_MAX: usize = 3_072;
/// Two thirds of those: a large company whose members all keep a few tabs open, and room for the others.
const ACCOUNT_MAX: usize = 2_048;
/// More tabs and devices than anybody has; a program that leaks its sockets is stopped by it.
const MEMBER_MAX: usize = 256;

/// The places for long-lived streams. Clones share them.
#[derive(Clone)]
pub(crate) struct Places(Arc<Inner>);

struct Inner {
    bounds: Bounds,
    taken: Mutex<Taken>,
}

#[derive(Clone, Copy)]
struct Bounds {
    all: usize,
    account: usize,
    member: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    accounts: HashMap<AccountId, usize>,
    holders: HashMap<Holder, usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Member(Asker),
    Operator(OperatorId),
}

/// A place, until it is dropped.
pub(crate) struct Place {
    places: Places,
    holder: Option<Holder>,
}

impl Default for Places {
    fn default() -> Self {
        Self::new(Bounds { all: ALL_MAX, account: ACCOUNT_MAX, member: MEMBER_MAX })
    }
}

impl Places {
    fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Inner { bounds, taken: Mutex::default() }))
    }

    /// A place for somebody who is not known yet; `None`: all are taken.
    pub fn take(&self) -> Option<Place> {
        let mut taken = self.taken();
        (taken.all < self.0.bounds.all).then(|| {
            taken.all += 1;
            Place { places: self.clone(), holder: None }
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// From now on it counts for whom it is; false: they, or their account, have as many as they may.
    #[must_use]
    pub fn belongs_to(&mut self, principal: Principal) -> bool {
        let holder = match principal {
            Principal::Member(asker, _) => Holder::Member(asker),
            Principal::Operator(operator) => Holder::Operator(operator),
        };
        let bounds = self.places.0.bounds;
        let mut taken = self.places.taken();
        let of_holder = taken.holders.get(&holder).copied().unwrap_or_default();
        let of_account = account(holder).and_then(|account| taken.accounts.get(&account).copied());
        let room = self.holder.is_none()
            && of_holder < bounds.member
            && of_account.unwrap_or_default() < bounds.account;
        if room {
            *taken.holders.entry(holder).or_default() += 1;
            if let Some(account) = account(holder) {
                *taken.accounts.entry(account).or_default() += 1;
            }
            self.holder = Some(holder);
        }
        room
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(holder) = self.holder {
            release(&mut taken.holders, &holder);
            if let Some(account) = account(holder) {
                release(&mut taken.accounts, &account);
            }
        }
    }
}

const fn account(holder: Holder) -> Option<AccountId> {
    match holder {
        Holder::Member(asker) => Some(asker.account),
        Holder::Operator(_) => None,
    }
}

/// Whoever has none left is forgotten, so that the map holds no more than there are places.
fn release<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_app::front::{Credential, CredentialKind, TokenHash, TokenScopes};
    use parlance_domain::MemberId;
    use uuid::Uuid;

    use super::*;

    fn member(account: u128, member: u128) -> Principal {
        let asker = Asker {
            account: AccountId::new(Uuid::from_u128(account)),
            member: MemberId::new(Uuid::from_u128(member)),
        };
        let (hash, kind) = (TokenHash([0; 32]), CredentialKind::ApiToken);
        Principal::Member(asker, Credential { hash, kind, scopes: TokenScopes::all() })
    }

    /// A place for whom it is, if there is one.
    fn taken(places: &Places, principal: Principal) -> Option<Place> {
        let mut place = places.take().expect("there is room for all of these");
        place.belongs_to(principal).then_some(place)
    }

    #[test]
    fn nobody_has_all_the_places_and_what_is_given_back_is_there_again() {
        let places = Places::new(Bounds { all: 7, account: 4, member: 2 });
        let (anna, bela, cili) = (member(1, 1), member(1, 2), member(1, 3));
        let mut held: Vec<_> = [anna, anna, bela, bela].map(|who| taken(&places, who)).into();
        assert!(held.iter().all(Option::is_some));
        assert!(taken(&places, anna).is_none(), "a member has two");
        assert!(taken(&places, cili).is_none(), "the account has four");
        held.push(taken(&places, member(2, 1)));
        held.push(taken(&places, Principal::Operator(OperatorId::new(Uuid::from_u128(9)))));
        assert!(held.iter().all(Option::is_some), "others have theirs");
        let unknown = places.take();
        assert!(unknown.is_some() && places.take().is_none(), "seven are all");
        held.remove(0);
        held.push(taken(&places, cili));
        assert!(held.iter().all(Option::is_some));
        drop((held, unknown));
        let left = places.taken();
        assert!(left.all == 0 && left.accounts.is_empty() && left.holders.is_empty());
    }
}

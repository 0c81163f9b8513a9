//! How many long-lived streams (WebSockets and event streams) there may be: in all, of one account, of one
//! member, and of one address while it is not known who it is. Each costs memory for as long as it is open, so that
//! nobody may have all of them.

mod counts;
mod following;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use parlance_app::front::Principal;

use self::counts::{Counts, Held, Holder, HolderBounds};
pub(crate) use self::{
    counts::Sated,
    following::{ACCOUNT_MAX as ACCOUNT_FOLLOWING_MAX, Following, MEMBER_MAX as MEMBER_FOLLOWING_MAX},
};

/// Three quarters of the connections that the server's listener holds: the others are for requests and webhooks.
const ALL_MAX: usize = 3_072;
/// Two thirds of those: a large company whose members all keep a few tabs open, and room for the others.
const ACCOUNT_MAX: usize = 2_048;
/// More tabs and devices than anybody has; a program that leaks its sockets is stopped by it.
const MEMBER_MAX: usize = 256;
/// Of one address, not known yet whose they are: it takes a client one round trip to say so. A company's members
/// behind one address come back within a few of them; who never says cannot keep the others out.
const STRANGERS_MAX: usize = 64;

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
    holders: HolderBounds,
    strangers: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    held: Held,
    strangers: Counts<Network>,
}

/// Where a stranger comes from: an IPv4 address, or an IPv6 network of 64 bits, which one customer of a provider has to
/// themselves. Who comes from nowhere comes from the same nowhere.
type Network = Option<IpAddr>;

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken.
    All,
    /// Too many of this address have not said yet who they are.
    Strangers,
}

/// A place, until it is dropped.
pub(crate) struct Place {
    places: Places,
    whose: Whose,
}

#[derive(Clone, Copy)]
enum Whose {
    Stranger(Network),
    Known(Holder),
}

impl Default for Places {
    fn default() -> Self {
        let holders = HolderBounds { member: MEMBER_MAX, account: ACCOUNT_MAX };
        Self::new(Bounds { all: ALL_MAX, holders, strangers: STRANGERS_MAX })
    }
}

impl Places {
    fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Inner { bounds, taken: Mutex::default() }))
    }

    /// A place for somebody who is not known yet.
    pub fn take(&self, address: Option<IpAddr>) -> Result<Place, Full> {
        let network = address.map(network);
        let mut taken = self.taken();
        if taken.all >= self.0.bounds.all {
            return Err(Full::All);
        }
        if taken.strangers.of(&network) >= self.0.bounds.strangers {
            return Err(Full::Strangers);
        }
        taken.all += 1;
        taken.strangers.add(network);
        Ok(Place { places: self.clone(), whose: Whose::Stranger(network) })
    }

    /// A place for somebody who is known, whatever strangers come from the same address.
    pub fn take_for(&self, principal: Principal) -> Result<Result<Place, Sated>, Full> {
        let holder = Holder::of(principal);
        let mut taken = self.taken();
        if taken.all >= self.0.bounds.all {
            return Err(Full::All);
        }
        Ok(taken.held.take(holder, self.0.bounds.holders).map(|()| {
            taken.all += 1;
            Place { places: self.clone(), whose: Whose::Known(holder) }
        }))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// From now on it counts for whom it is, and not for where they come from; false: they, or their account, have as
    /// many as they may.
    #[must_use]
    pub fn belongs_to(&mut self, principal: Principal) -> bool {
        let Whose::Stranger(network) = self.whose else { return false };
        let holder = Holder::of(principal);
        let bounds = self.places.0.bounds;
        let mut taken = self.places.taken();
        let room = taken.held.take(holder, bounds.holders).is_ok();
        if room {
            taken.strangers.remove(&network);
            self.whose = Whose::Known(holder);
        }
        room
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        match self.whose {
            Whose::Stranger(network) => taken.strangers.remove(&network),
            Whose::Known(holder) => taken.held.give_back(holder),
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use parlance_app::front::{Asker, Credential, CredentialKind, TokenHash, TokenScopes};
    use parlance_domain::{AccountId, MemberId, OperatorId};
    use uuid::Uuid;

    use super::*;

    pub(super) fn member(account: u128, member: u128) -> Principal {
        let asker = Asker {
            account: AccountId::new(Uuid::from_u128(account)),
            member: MemberId::new(Uuid::from_u128(member)),
        };
        let (hash, kind) = (TokenHash([0; 32]), CredentialKind::ApiToken);
        Principal::Member(asker, Credential { hash, kind, scopes: TokenScopes::all() })
    }

    /// A place for whom it is, if there is one.
    fn taken(places: &Places, principal: Principal) -> Option<Place> {
        let mut place = places.take(None).expect("there is room for all of these");
        place.belongs_to(principal).then_some(place)
    }

    #[test]
    fn nobody_has_all_the_places_and_what_is_given_back_is_there_again() {
        let places =
            Places::new(Bounds { all: 7, holders: HolderBounds { account: 4, member: 2 }, strangers: 7 });
        let (anna, bela, cili) = (member(1, 1), member(1, 2), member(1, 3));
        let mut held: Vec<_> = [anna, anna, bela, bela].map(|who| taken(&places, who)).into();
        assert!(held.iter().all(Option::is_some));
        assert!(taken(&places, anna).is_none(), "a member has two");
        assert!(taken(&places, cili).is_none(), "the account has four");
        held.push(taken(&places, member(2, 1)));
        held.push(taken(&places, Principal::Operator(OperatorId::new(Uuid::from_u128(9)))));
        assert!(held.iter().all(Option::is_some), "others have theirs");
        let unknown = places.take(None);
        assert!(unknown.is_ok() && places.take(None).err() == Some(Full::All), "seven are all");
        assert!(places.take_for(cili).err() == Some(Full::All), "for everybody");
        held.remove(0);
        held.push(taken(&places, cili));
        assert!(held.iter().all(Option::is_some));
        drop((held, unknown));
        let left = places.taken();
        assert!(left.all == 0 && left.held.is_empty() && left.strangers.is_empty());
    }

    #[test]
    fn strangers_of_one_address_do_not_keep_the_others_out() {
        let holders = HolderBounds { account: 9, member: 9 };
        let places = Places::new(Bounds { all: 100, holders, strangers: 2 });
        for (first, second, other) in [
            (Some("192.0.2.1"), Some("::ffff:192.0.2.1"), Some("192.0.2.2")),
            (Some("2001:db8::1"), Some("2001:db8::2:0:0:1"), Some("2001:db8:0:1::1")),
            (None, None, Some("192.0.2.1")),
        ] {
            let take = |from: Option<&str>| places.take(from.map(|text| text.parse().unwrap()));
            let (mut known, unknown) = (take(first).unwrap(), take(second).unwrap());
            assert_eq!(take(first).err(), Some(Full::Strangers), "{first:?}");
            assert_eq!(take(second).err(), Some(Full::Strangers), "{second:?}");
            assert!(take(other).is_ok(), "{other:?} is elsewhere");
            assert!(known.belongs_to(member(1, 1)));
            let more = take(second);
            assert!(more.is_ok(), "{second:?}: who is known is no stranger");
            assert_eq!(take(first).err(), Some(Full::Strangers), "{first:?}");
            drop(unknown);
            assert!(take(first).is_ok(), "{first:?}: who went away neither");
            assert!(known.places.take_for(member(1, 1)).is_ok_and(|place| place.is_ok()));
        }
        assert!(places.taken().strangers.is_empty() && places.taken().all == 0);
    }
}

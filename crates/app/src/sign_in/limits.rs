//! How often something may be tried. Every limit is a bucket (GCRA, the crate governor): some tries at once, then
//! one every so often. The buckets are in memory, bounded, and by the clock that is passed in.
//!
//! The limit of an e-mail address slows guessing down and locks nobody out for ever: it fills up again by itself,
//! and an address from which somebody signed in lately as that person has a bucket of its own, which nobody
//! elsewhere can empty. That one is for the memberships that were signed in to from there, and no others: an e-mail
//! address may be a member of accounts that have nothing to do with each other, and whoever has a password in one of
//! them may not use it to guess at another's.

use std::{
    hash::Hash,
    net::IpAddr,
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex},
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as Ticking, middleware::NoOpMiddleware, nanos::Nanos, state::StateStore,
};
use lru::LruCache;
use parlance_store::EmailHash;

use crate::{
    clock::Clock,
    front::{Asker, FrontError},
};

/// Buckets of one kind that are kept; some megabytes. The one used longest ago goes: to push one out costs as many
/// tries as there are buckets, each of which is limited itself.
const BUCKETS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// Sign-ins from one address: an office behind one address begins its day.
const FROM_ADDRESS: Rate = Rate { at_once: 30, then_every_s: 6 };
/// Sign-ins as one e-mail address: who has forgotten which password it was has found out by then.
const AS_EMAIL: Rate = Rate { at_once: 10, then_every_s: 30 };
/// Invitations tried from one address: a company's first day.
const INVITATIONS: Rate = Rate { at_once: 100, then_every_s: 2 };
/// The current password, typed by who is signed in already.
const CURRENT: Rate = Rate { at_once: 5, then_every_s: 60 };

/// Memberships that are known at one address: one person's accounts.
const KNOWN_MAX: usize = 8;

/// Which memberships a try to sign in may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    /// Those that were signed in to lately from the same address.
    Known(Vec<Asker>),
}

impl Reach {
    pub fn covers(&self, by: Asker) -> bool {
        match self {
            Self::All => true,
            Self::Known(known) => known.contains(&by),
        }
    }
}

struct Rate {
    at_once: u32,
    then_every_s: u64,
}

/// Where something comes from, as far as it is limited: an IPv4 address, or an IPv6 network of 64 bits, which one
/// customer of a provider has to themselves. Who comes from nowhere shares a bucket.
type Origin = [u8; 9];

fn origin(address: Option<IpAddr>) -> Origin {
    let mut origin = [0; 9];
    match address.map(|address| address.to_canonical()) {
        None => {}
        Some(IpAddr::V4(v4)) => {
            origin[0] = 4;
            origin[1..5].copy_from_slice(&v4.octets());
        }
        Some(IpAddr::V6(v6)) => {
            origin[0] = 6;
            origin[1..].copy_from_slice(&v6.octets()[..8]);
        }
    }
    origin
}

struct Ticks(Arc<dyn Clock>);

impl Ticking for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().micros()).unwrap_or(0))
    }
}

struct Buckets<K: Hash + Eq>(Mutex<LruCache<K, Nanos>>);

impl<K: Hash + Eq + Clone> StateStore for Buckets<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut buckets = self.0.lock().expect("no panic while locked");
        let (answer, filled) = measure(buckets.get(key).copied())?;
        buckets.put(key.clone(), filled);
        Ok(answer)
    }
}

struct Limit<K: Hash + Eq + Clone>(RateLimiter<K, Buckets<K>, Ticks, NoOpMiddleware<Duration>>);

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: &Rate, clock: &Arc<dyn Clock>) -> Self {
        let quota = Quota::with_period(Duration::from_secs(rate.then_every_s)).expect("a rate has a period");
        let quota = quota.allow_burst(NonZeroU32::new(rate.at_once).expect("a rate lets somebody try"));
        let buckets = Buckets(Mutex::new(LruCache::new(BUCKETS_MAX)));
        Self(RateLimiter::new(quota, buckets, Ticks(Arc::clone(clock))))
    }

    /// Takes one try.
    fn take(&self, key: &K) -> Result<(), FrontError> {
        self.0.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.0.clock().now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            FrontError::TooManyAttempts { seconds: u32::try_from(seconds.max(1)).unwrap_or(u32::MAX) }
        })
    }
}

pub(super) struct Limits {
    from_address: Limit<Origin>,
    as_email: Limit<EmailHash>,
    as_email_from: Limit<(EmailHash, Origin)>,
    invitations: Limit<Origin>,
    current: Limit<Asker>,
    /// From where people signed in lately, and to which memberships; the latest last.
    known: Mutex<LruCache<(EmailHash, Origin), Vec<Asker>>>,
}

impl Limits {
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            from_address: Limit::new(&FROM_ADDRESS, clock),
            as_email: Limit::new(&AS_EMAIL, clock),
            as_email_from: Limit::new(&AS_EMAIL, clock),
            invitations: Limit::new(&INVITATIONS, clock),
            current: Limit::new(&CURRENT, clock),
            known: Mutex::new(LruCache::new(BUCKETS_MAX)),
        }
    }

    /// A sign-in is about to be tried; gives what it may be for.
    pub fn sign_in(&self, email: EmailHash, address: Option<IpAddr>) -> Result<Reach, FrontError> {
        let origin = origin(address);
        self.from_address.take(&origin)?;
        let key = (email, origin);
        let known = self.known.lock().expect("no panic while locked").get(&key).cloned();
        match known {
            // Nobody elsewhere can tell from what is left of the address's own tries that somebody signs in here.
            Some(known) => self.as_email_from.take(&key).map(|()| Reach::Known(known)),
            None => self.as_email.take(&email).map(|()| Reach::All),
        }
    }

    /// Whether a try that reaches known memberships may be for the address's others as well.
    pub fn beyond_known(&self, email: EmailHash) -> bool {
        self.as_email.take(&email).is_ok()
    }

    /// A sign-in without a password is about to be tried.
    pub fn sign_in_from(&self, address: Option<IpAddr>) -> Result<(), FrontError> {
        self.from_address.take(&origin(address))
    }

    /// A sign-in was right for these memberships.
    pub fn signed_in(
        &self,
        email: EmailHash,
        address: Option<IpAddr>,
        memberships: impl IntoIterator<Item = Asker>,
    ) {
        // Who comes from nowhere is not known by where they come from.
        if address.is_none() {
            return;
        }
        let mut all = self.known.lock().expect("no panic while locked");
        let known = all.get_or_insert_mut((email, origin(address)), Vec::new);
        for by in memberships {
            known.retain(|other| *other != by);
            known.push(by);
        }
        let too_many = known.len().saturating_sub(KNOWN_MAX);
        known.drain(..too_many);
    }

    /// An invitation is about to be accepted.
    pub fn invitation(&self, address: Option<IpAddr>) -> Result<(), FrontError> {
        self.invitations.take(&origin(address))
    }

    /// The current password is about to be checked.
    pub fn current_password(&self, by: Asker) -> Result<(), FrontError> {
        self.current.take(&by)
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::{AccountId, MemberId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::clock::ManualClock;

    const EVA: EmailHash = EmailHash([1; 32]);

    fn by(account: u128) -> Asker {
        Asker { account: AccountId::new(Uuid::from_u128(account)), member: MemberId::new(Uuid::from_u128(1)) }
    }

    fn limits() -> (Limits, ManualClock) {
        let clock = ManualClock::at(Timestamp::from_micros(1_767_225_600_000_000));
        let ticking: Arc<dyn Clock> = Arc::new(clock.clone());
        (Limits::new(&ticking), clock)
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn seconds<T: std::fmt::Debug>(refused: Result<T, FrontError>) -> u32 {
        match refused {
            Err(FrontError::TooManyAttempts { seconds }) => seconds,
            other => panic!("it is limited: {other:?}"),
        }
    }

    #[test]
    fn guessing_one_person_s_password_from_everywhere_is_slowed_down() {
        let (limits, clock) = limits();
        for n in 0..10 {
            assert_eq!(limits.sign_in(EVA, address(n)), Ok(Reach::All));
        }
        assert_eq!(seconds(limits.sign_in(EVA, address(200))), 30);
        assert_eq!(
            limits.sign_in(EmailHash([2; 32]), address(200)),
            Ok(Reach::All),
            "others are not concerned"
        );
        clock.advance(29_500_000);
        assert_eq!(seconds(limits.sign_in(EVA, address(201))), 1);
        clock.advance(500_000);
        assert_eq!(limits.sign_in(EVA, address(201)), Ok(Reach::All));
        assert_eq!(seconds(limits.sign_in(EVA, address(202))), 30);
    }

    #[test]
    fn nobody_elsewhere_keeps_a_person_from_signing_in_where_they_did_before() {
        let (limits, _) = limits();
        assert_eq!(limits.sign_in(EVA, address(1)), Ok(Reach::All));
        limits.signed_in(EVA, address(1), [by(1)]);
        for n in 2..11 {
            assert_eq!(limits.sign_in(EVA, address(n)), Ok(Reach::All));
        }
        seconds(limits.sign_in(EVA, address(12)));
        for _ in 0..10 {
            assert_eq!(limits.sign_in(EVA, address(1)), Ok(Reach::Known(vec![by(1)])));
        }
        assert_eq!(seconds(limits.sign_in(EVA, address(1))), 30, "guessing from there is slow, too");
    }

    #[test]
    fn nobody_elsewhere_can_tell_that_a_person_signs_in_where_they_did_before() {
        let (limits, _) = limits();
        limits.signed_in(EVA, address(1), [by(1)]);
        assert_eq!(limits.sign_in(EVA, address(1)), Ok(Reach::Known(vec![by(1)])));
        for n in 2..12 {
            assert_eq!(limits.sign_in(EVA, address(n)), Ok(Reach::All), "all ten are left");
        }
        assert!(!limits.beyond_known(EVA) && limits.beyond_known(EmailHash([2; 32])));
    }

    #[test]
    fn one_address_knows_a_bounded_number_of_memberships_and_the_latest() {
        let (limits, _) = limits();
        limits.signed_in(EVA, None, [by(1)]);
        limits.signed_in(EVA, address(1), (0..20).map(by));
        limits.signed_in(EVA, address(1), [by(12)]);
        for _ in 0..10 {
            assert_eq!(limits.sign_in(EVA, address(2)), Ok(Reach::All));
        }
        let Ok(reach) = limits.sign_in(EVA, address(1)) else { panic!("it is known there") };
        let expected = [13, 14, 15, 16, 17, 18, 19, 12].map(by).to_vec();
        assert_eq!(reach, Reach::Known(expected));
        assert!(reach.covers(by(12)) && !reach.covers(by(1)) && Reach::All.covers(by(1)));
        seconds(limits.sign_in(EVA, None));
    }

    #[test]
    fn one_address_does_not_try_everybody() {
        let (limits, clock) = limits();
        let network = |host: &str| Some(host.parse().unwrap());
        for n in 0..30 {
            assert_eq!(
                limits.sign_in(EmailHash([n; 32]), network(&format!("2001:db8::{n}"))),
                Ok(Reach::All)
            );
        }
        assert_eq!(seconds(limits.sign_in(EmailHash([99; 32]), network("2001:db8::ffff"))), 6);
        assert_eq!(
            limits.sign_in(EmailHash([99; 32]), network("2001:db8:0:1::1")),
            Ok(Reach::All),
            "a neighbour"
        );
        clock.advance(6_000_000);
        assert_eq!(limits.sign_in(EmailHash([99; 32]), network("2001:db8::1")), Ok(Reach::All));
        assert_eq!(origin(network("::ffff:192.0.2.1")), origin(address(1)), "one address, two spellings");
    }

    #[test]
    fn buckets_are_bounded() {
        let (limits, _) = limits();
        for n in 0..=u32::try_from(BUCKETS_MAX.get()).unwrap() {
            let address = Some(IpAddr::from(n.to_be_bytes()));
            assert_eq!(limits.invitation(address), Ok(()));
        }
        assert_eq!(limits.invitations.0.into_state_store().0.into_inner().unwrap().len(), BUCKETS_MAX.get());
    }
}

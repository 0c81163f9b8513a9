//! How servers on one store share the work: accounts fall into buckets, and a bucket is held by one server at a time,
//! by a lease that ends by itself and a fence that every holder finds higher.
//!
//! Commands need no lease: what an append rests on is checked when it is appended. Projections and policies do:
//! one server folds an account, and what another one writes that was slower than its lease is refused.

use std::{future::Future, time::Duration};

use parlance_domain::AccountId;
use uuid::Uuid;

use crate::StoreError;

/// Buckets of accounts. More servers than this would find nothing to do; a lease is one row.
pub const BUCKETS: u16 = 64;

/// Accounts that are worked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountBucket(pub u16);

impl AccountBucket {
    /// The bucket of an account: the last byte of an id is random, whatever its version.
    pub fn of(account: AccountId) -> Self {
        Self(u16::from(account.bytes()[15]) % BUCKETS)
    }
}

/// A process that works on the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub Uuid);

/// Tells a bucket's holders apart, in their order: each finds it higher than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// A bucket that a server may work for, until its lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub bucket: AccountBucket,
    pub fence: Fence,
}

/// What a server is told at each of its beats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Servers that are alive, the asking one included.
    pub servers: usize,
    /// What it holds from now on, in the order of the buckets.
    pub held: Vec<Lease>,
}

/// A lease as everybody can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    pub bucket: AccountBucket,
    pub fence: Fence,
    /// `None`: nobody holds it, or its lease has ended.
    pub server: Option<ServerId>,
}

/// How many buckets a server holds where so many are alive; the last one may get fewer.
pub const fn fair_share(servers: usize) -> usize {
    (BUCKETS as usize).div_ceil(if servers == 0 { 1 } else { servers })
}

/// The table of the leases, and of the servers that share them. Time is the store's own: servers' clocks differ.
pub trait Leases: Send + Sync + 'static {
    /// Says that a server is alive for another `ttl`, and settles in one transaction what it holds: what it has is
    /// renewed (its fence stays, if nobody took it meanwhile), what is beyond its [`fair_share`] is let go, and what
    /// is missing is taken from what is free or has ended, each under a higher fence.
    fn beat(&self, server: ServerId, ttl: Duration) -> impl Future<Output = Result<Beat, StoreError>> + Send;

    /// Lets everything go: the others need not wait for its leases' end.
    fn leave(&self, server: ServerId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All buckets in their order.
    fn holdings(&self) -> impl Future<Output = Result<Vec<Holding>, StoreError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_leave_no_bucket_to_nobody() {
        for servers in 1..=100 {
            assert!(fair_share(servers) * servers >= usize::from(BUCKETS), "{servers}");
        }
        assert_eq!((fair_share(0), fair_share(1), fair_share(3), fair_share(64)), (64, 64, 22, 1));
    }

    #[test]
    fn an_account_s_bucket_is_for_ever() {
        let bucket = |last: u128| AccountBucket::of(AccountId::new(Uuid::from_u128(last)));
        assert_eq!(bucket(0x01_05), AccountBucket(5));
        assert_eq!(bucket(0xff), AccountBucket(63));
    }
}

//! How many of something everybody holds: a member, an account, an address.

use std::{collections::HashMap, hash::Hash};

use parlance_app::front::{Asker, Principal};
use parlance_domain::{AccountId, OperatorId};

/// Whose something is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Member(Asker),
    Operator(OperatorId),
}

impl Holder {
    pub const fn of(principal: Principal) -> Self {
        match principal {
            Principal::Member(asker, _) => Self::Member(asker),
            Principal::Operator(operator) => Self::Operator(operator),
        }
    }

    const fn account(self) -> Option<AccountId> {
        match self {
            Self::Member(asker) => Some(asker.account),
            Self::Operator(_) => None,
        }
    }
}

/// How many one may hold.
#[derive(Clone, Copy)]
pub(super) struct HolderBounds {
    pub member: usize,
    pub account: usize,
}

/// Who has as many as they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sated {
    Member,
    Account,
}

/// What everybody holds of one thing.
#[derive(Default)]
pub(super) struct Held {
    holders: Counts<Holder>,
    accounts: Counts<AccountId>,
}

impl Held {
    pub fn take(&mut self, holder: Holder, bounds: HolderBounds) -> Result<(), Sated> {
        if self.holders.of(&holder) >= bounds.member {
            return Err(Sated::Member);
        }
        if let Some(account) = holder.account() {
            if self.accounts.of(&account) >= bounds.account {
                return Err(Sated::Account);
            }
            self.accounts.add(account);
        }
        self.holders.add(holder);
        Ok(())
    }

    pub fn give_back(&mut self, holder: Holder) {
        self.holders.remove(&holder);
        if let Some(account) = holder.account() {
            self.accounts.remove(&account);
        }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.accounts.is_empty()
    }
}

/// Whoever has none left is forgotten, so that it holds no more keys than there are places.
pub(super) struct Counts<K>(HashMap<K, usize>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Counts<K> {
    pub fn of(&self, key: &K) -> usize {
        self.0.get(key).copied().unwrap_or_default()
    }

    pub fn add(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    pub fn remove(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

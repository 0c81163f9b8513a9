//! States kept between flushes: an LRU, trusted only at the version that the next append confirms.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use lru::LruCache;
use parlance_domain::{AccountId, DedupeToken, Position, StreamRef};

use super::state::Entry;

/// Tokens recorded lately: a redelivery is mostly soon, and then costs no rejected batch.
const TOKENS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

pub(super) struct Cache {
    states: Mutex<LruCache<(AccountId, StreamRef), Entry>>,
    tokens: Mutex<LruCache<(AccountId, DedupeToken), Position>>,
    /// Counts states forgotten or pushed out: one that was loaded meanwhile may be older than what went.
    gone: AtomicU64,
}

impl Cache {
    pub fn new(states_max: NonZeroUsize) -> Self {
        Self {
            states: Mutex::new(LruCache::new(states_max)),
            tokens: Mutex::new(LruCache::new(TOKENS_MAX)),
            gone: AtomicU64::new(0),
        }
    }

    pub fn state(&self, account: AccountId, stream: StreamRef) -> Option<Entry> {
        self.states.lock().expect("no panic while locked").get(&(account, stream)).cloned()
    }

    pub fn keep(&self, account: AccountId, states: impl IntoIterator<Item = (StreamRef, Entry)>) {
        let mut cache = self.states.lock().expect("no panic while locked");
        for (stream, entry) in states {
            let key = (account, stream);
            if cache.push(key, entry).is_some_and(|(gone, _)| gone != key) {
                self.gone.fetch_add(1, Ordering::Release);
            }
        }
    }

    /// How many states have gone so far, for [`Self::keep_loaded`].
    pub fn gone(&self) -> u64 {
        self.gone.load(Ordering::Acquire)
    }

    /// Keeps a state that was loaded beside the flushes, unless a newer one is here, or was since there were
    /// so many `gone`: nobody who only looks may bring back a state from before.
    pub fn keep_loaded(&self, account: AccountId, stream: StreamRef, entry: Entry, gone: u64) {
        let mut cache = self.states.lock().expect("no panic while locked");
        let key = (account, stream);
        let newer = cache.peek(&key).is_some_and(|kept| kept.version >= entry.version);
        if !newer && self.gone() == gone && cache.push(key, entry).is_some_and(|(gone, _)| gone != key) {
            self.gone.fetch_add(1, Ordering::Release);
        }
    }

    /// Forgets states of before these versions, which other servers moved on. What is being loaded at the moment may
    /// be from before, too, and is not kept.
    pub fn forget_older(&self, account: AccountId, touched: impl IntoIterator<Item = (StreamRef, u64)>) {
        let mut cache = self.states.lock().expect("no panic while locked");
        self.gone.fetch_add(1, Ordering::Release);
        for (stream, version) in touched {
            let key = (account, stream);
            if cache.peek(&key).is_some_and(|kept| kept.version < version) {
                cache.pop(&key);
            }
        }
    }

    /// Forgets all states of an account.
    pub fn forget_all(&self, account: AccountId) {
        let mut cache = self.states.lock().expect("no panic while locked");
        self.gone.fetch_add(1, Ordering::Release);
        let of_it: Vec<_> = cache.iter().map(|(key, _)| *key).filter(|(of, _)| *of == account).collect();
        for key in of_it {
            cache.pop(&key);
        }
    }

    pub fn forget(&self, account: AccountId, streams: impl IntoIterator<Item = StreamRef>) {
        let mut cache = self.states.lock().expect("no panic while locked");
        for stream in streams {
            cache.pop(&(account, stream));
            self.gone.fetch_add(1, Ordering::Release);
        }
    }

    pub fn token(&self, account: AccountId, token: DedupeToken) -> Option<Position> {
        self.tokens.lock().expect("no panic while locked").get(&(account, token)).copied()
    }

    pub fn keep_tokens(&self, account: AccountId, tokens: impl IntoIterator<Item = (DedupeToken, Position)>) {
        let mut cache = self.tokens.lock().expect("no panic while locked");
        for (token, position) in tokens {
            cache.put((account, token), position);
        }
    }
}

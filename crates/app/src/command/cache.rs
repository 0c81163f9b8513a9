//! States kept between flushes: an LRU, trusted only at the version that the next append confirms.

use std::{num::NonZeroUsize, sync::Mutex};

use lru::LruCache;
use parlance_domain::{AccountId, DedupeToken, Position, StreamRef};

use super::state::Entry;

/// Tokens recorded lately: a redelivery is mostly soon, and then costs no rejected batch.
const TOKENS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

pub(super) struct Cache {
    states: Mutex<LruCache<(AccountId, StreamRef), Entry>>,
    tokens: Mutex<LruCache<(AccountId, DedupeToken), Position>>,
}

impl Cache {
    pub fn new(states_max: NonZeroUsize) -> Self {
        Self { states: Mutex::new(LruCache::new(states_max)), tokens: Mutex::new(LruCache::new(TOKENS_MAX)) }
    }

    pub fn state(&self, account: AccountId, stream: StreamRef) -> Option<Entry> {
        self.states.lock().expect("no panic while locked").get(&(account, stream)).cloned()
    }

    pub fn keep(&self, account: AccountId, states: impl IntoIterator<Item = (StreamRef, Entry)>) {
        let mut cache = self.states.lock().expect("no panic while locked");
        for (stream, entry) in states {
            cache.put((account, stream), entry);
        }
    }

    /// Keeps what a question loaded, unless a flush has kept something newer meanwhile.
    pub fn keep_newer(&self, account: AccountId, stream: StreamRef, entry: Entry) {
        let mut cache = self.states.lock().expect("no panic while locked");
        if cache.peek(&(account, stream)).is_none_or(|known| known.version < entry.version) {
            cache.put((account, stream), entry);
        }
    }

    pub fn forget(&self, account: AccountId, streams: impl IntoIterator<Item = StreamRef>) {
        let mut cache = self.states.lock().expect("no panic while locked");
        for stream in streams {
            cache.pop(&(account, stream));
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

//! Tokens as the store told them a moment ago, so that requests that follow each other do not ask it again and again.
//! Whether one counts is judged anew every time, by its member's state and the clock; what this process ends is
//! forgotten at once, and everything within seconds, whatever other servers do.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use lru::LruCache;
use parlance_domain::{AccountId, Timestamp};
use parlance_store::{StoredToken, TokenHash};
use tokio::time::Instant;

use crate::front::Asker;

/// As long as a socket may outlive a credential that another server ended.
const KNOWN_FOR: Duration = Duration::from_secs(5);
/// All that are in use at a time in a large installation; some 300 bytes each.
const KNOWN_MAX: NonZeroUsize = NonZeroUsize::new(8_192).expect("not zero");

/// Tokens that the store was asked for lately.
pub(super) struct Known(Mutex<List>);

struct List {
    tokens: LruCache<(AccountId, TokenHash), Entry>,
    /// Counts how often something ended: a token that was read meanwhile may be one of those.
    endings: u64,
}

struct Entry {
    token: StoredToken,
    asked_at: Instant,
}

/// A question to the store that has begun.
pub(super) struct Asked {
    endings: u64,
    at: Instant,
}

impl Default for Known {
    fn default() -> Self {
        Self(Mutex::new(List { tokens: LruCache::new(KNOWN_MAX), endings: 0 }))
    }
}

impl Known {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().expect("no panic while locked")
    }

    /// The token, as far as it is known.
    pub fn find(&self, account: AccountId, hash: TokenHash) -> Option<StoredToken> {
        self.find_at(account, hash, Instant::now())
    }

    fn find_at(&self, account: AccountId, hash: TokenHash, now: Instant) -> Option<StoredToken> {
        let mut list = self.list();
        let entry = list.tokens.get(&(account, hash))?;
        if now.duration_since(entry.asked_at) < KNOWN_FOR {
            return Some(entry.token.clone());
        }
        list.tokens.pop(&(account, hash));
        None
    }

    /// The store is about to be asked.
    pub fn ask(&self) -> Asked {
        Asked { endings: self.list().endings, at: Instant::now() }
    }

    /// Keeps what the store said, unless something ended since it was asked.
    pub fn keep(&self, account: AccountId, hash: TokenHash, token: &StoredToken, asked: &Asked) {
        let mut list = self.list();
        if list.endings == asked.endings {
            // What its member calls it is nobody's business here.
            let token = StoredToken { name: None, ..token.clone() };
            list.tokens.put((account, hash), Entry { token, asked_at: asked.at });
        }
    }

    /// The token's use was written down.
    pub fn used(&self, account: AccountId, hash: TokenHash, at: Timestamp) {
        if let Some(entry) = self.list().tokens.peek_mut(&(account, hash)) {
            entry.token.last_used_at = Some(at);
        }
    }

    /// Something of theirs ended.
    pub fn forget(&self, concerned: impl Fn(Asker) -> bool) {
        let mut list = self.list();
        list.endings += 1;
        let theirs = |(account, _): &(AccountId, TokenHash), entry: &Entry| {
            concerned(Asker { account: *account, member: entry.token.member })
        };
        let ended: Vec<_> =
            list.tokens.iter().filter(|(key, entry)| theirs(key, entry)).map(|(key, _)| *key).collect();
        for key in ended {
            list.tokens.pop(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::{MemberId, TokenId};
    use parlance_store::TokenKind;
    use uuid::Uuid;

    use super::*;

    fn asker(member: u128) -> Asker {
        Asker { account: AccountId::new(Uuid::from_u128(1)), member: MemberId::new(Uuid::from_u128(member)) }
    }

    fn token(by: Asker) -> StoredToken {
        StoredToken {
            id: TokenId::new(Uuid::from_u128(3)),
            kind: TokenKind::Api,
            member: by.member,
            name: None,
            scopes: String::new(),
            created_at: Timestamp::from_micros(1),
            expires_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_token_is_known_for_seconds_and_until_something_of_its_member_ends() {
        let (known, eva, hash) = (Known::default(), asker(2), TokenHash([1; 32]));
        let keep = || known.keep(eva.account, hash, &token(eva), &known.ask());
        keep();
        known.used(eva.account, hash, Timestamp::from_micros(7));
        let found = known.find(eva.account, hash).expect("it is known");
        assert_eq!(found, StoredToken { last_used_at: Some(Timestamp::from_micros(7)), ..token(eva) });
        assert_eq!(known.find(AccountId::new(Uuid::from_u128(9)), hash), None, "in another account");
        known.forget(|by| by == asker(4));
        assert!(known.find(eva.account, hash).is_some(), "somebody else's ended");
        known.forget(|by| by == eva);
        assert_eq!(known.find(eva.account, hash), None);
        keep();
        let later = Instant::now() + KNOWN_FOR;
        assert_eq!(known.find_at(eva.account, hash, later), None, "after a while");
        assert_eq!(known.find(eva.account, hash), None, "it is gone");
    }

    #[test]
    fn what_was_asked_before_an_end_is_not_kept_after_it() {
        let (known, eva, hash) = (Known::default(), asker(2), TokenHash([1; 32]));
        let asked = known.ask();
        known.forget(|by| by == eva);
        known.keep(eva.account, hash, &token(eva), &asked);
        assert_eq!(known.find(eva.account, hash), None);
    }
}

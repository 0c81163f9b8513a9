//! The feeds of accounts that are followed: one an account, shared by all who follow it, gone with the last.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use parlance_domain::{AccountId, Position};
use parlance_store::{EventLog, StoreError};

use super::{
    Touched,
    ring::{KEPT_MAX, Known, Ring},
    rows::Rows,
};

/// Events read in one go.
const PAGE: usize = 1_000;

/// The feeds in use. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Feeds(Arc<Mutex<HashMap<AccountId, Weak<Feed>>>>);

impl Feeds {
    /// The account's feed, for as long as somebody holds it.
    pub fn of(&self, account: AccountId) -> Arc<Feed> {
        let mut feeds = self.0.lock().expect("no panic while locked");
        if let Some(feed) = feeds.get(&account).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(Feed {
            account,
            ring: Mutex::default(),
            filling: tokio::sync::Mutex::default(),
            rows: Rows::default(),
        });
        feeds.insert(account, Arc::downgrade(&feed));
        feed
    }
}

/// What was touched in one account lately.
pub(crate) struct Feed {
    account: AccountId,
    /// `None`: nobody has asked yet.
    ring: Mutex<Option<Ring>>,
    /// Held by whoever reads the log for everybody.
    filling: tokio::sync::Mutex<()>,
    pub rows: Rows,
}

impl Feed {
    /// What was touched after `from` and up to `to`, at most `limit` positions, and what is known of
    /// access; `None`: `from` is too long ago. `to` must not be after the end of the log.
    pub async fn between(
        &self,
        store: &impl EventLog,
        from: Position,
        to: Position,
        limit: usize,
    ) -> Result<Option<(Vec<Touched>, Known)>, StoreError> {
        if let Some(found) = self.kept(from, to, limit) {
            return Ok(Some(found));
        }
        let _filling = self.filling.lock().await;
        self.fill(store, from, to).await?;
        Ok(self.kept(from, to, limit))
    }

    fn kept(&self, from: Position, to: Position, limit: usize) -> Option<(Vec<Touched>, Known)> {
        let ring = self.ring.lock().expect("no panic while locked");
        let ring = ring.as_ref().filter(|ring| ring.end() >= to)?;
        ring.between(from, to, limit).map(|touched| (touched, ring.known()))
    }

    /// Reads what is missing. Whoever gives up in the middle leaves a shorter ring without a gap.
    async fn fill(&self, store: &impl EventLog, from: Position, to: Position) -> Result<(), StoreError> {
        let (after, mut end) = self.with(from, |ring| {
            // Nobody has asked for long: whoever is still there is too far behind for what lies between.
            if ring.end().number() + (KEPT_MAX as u64) < to.number() {
                ring.restart(from);
            }
            (ring.after(), ring.end())
        });
        if from < after {
            let mut older = Vec::new();
            let mut read = from;
            while read < after {
                let page = self.read(store, read, after).await?;
                let Some(last) = page.last() else { break };
                read = last.position;
                older.extend(page);
            }
            self.with(from, |ring| ring.prepend(older));
        }
        while end < to {
            let page = self.read(store, end, to).await?;
            if page.is_empty() {
                break;
            }
            end = self.with(from, |ring| {
                ring.push(page);
                ring.end()
            });
        }
        Ok(())
    }

    async fn read(
        &self,
        store: &impl EventLog,
        after: Position,
        to: Position,
    ) -> Result<Vec<Touched>, StoreError> {
        let left = usize::try_from(to.number() - after.number()).unwrap_or(PAGE);
        let page = store.read(self.account, after, left.min(PAGE)).await?;
        Ok(page.iter().map(Touched::by).collect())
    }

    fn with<T>(&self, from: Position, f: impl FnOnce(&mut Ring) -> T) -> T {
        let mut ring = self.ring.lock().expect("no panic while locked");
        f(ring.get_or_insert_with(|| Ring::new(from)))
    }
}

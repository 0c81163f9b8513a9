//! Hints between servers, by LISTEN and NOTIFY on two connections of their own: nothing that is recorded waits for
//! them, and they are never part of its transaction (PostgreSQL lets one transaction at a time commit with a NOTIFY).
//!
//! A pooler that hands out a connection a transaction cannot serve them: servers then look by the clock alone.

mod gathered;
mod listen;
mod tell;
mod wire;

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use parlance_store::{HINTS_BEHIND_MAX, Hint, Hints};
use tokio::{
    sync::{Notify, broadcast, watch},
    task::JoinHandle,
};

use self::gathered::Gathered;
use crate::{PostgresStore, url::Address};

/// Where hints go. Notifications stay in their database, so one name serves all.
const CHANNEL: &str = "parlance_hints";

/// Both ways of the hints, and their tasks.
pub(crate) struct Messenger {
    waiting: Arc<Waiting>,
    told: broadcast::Sender<Hint>,
    tasks: [JoinHandle<()>; 2],
}

/// What is to be told, and a bell for whoever tells it.
#[derive(Default)]
struct Waiting {
    gathered: Mutex<Gathered>,
    bell: Notify,
    /// Whether something is still to be told, or being told.
    busy: watch::Sender<bool>,
}

impl Waiting {
    fn put(&self, hint: Hint) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.put(hint);
        self.busy.send_replace(true);
        drop(gathered);
        self.bell.notify_one();
    }

    /// What was taken has been told.
    fn told(&self) {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        self.busy.send_replace(!gathered.is_empty());
    }

    fn take(&self) -> Gathered {
        std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Messenger {
    pub(crate) fn start(address: &Address) -> Self {
        // Tells this process's own hints from the others'.
        let me = RandomState::new().build_hasher().finish();
        let waiting = Arc::new(Waiting::default());
        let told = broadcast::Sender::new(HINTS_BEHIND_MAX);
        let tasks = [
            tokio::spawn(listen::run(address.clone(), me, told.clone())),
            tokio::spawn(tell::run(address.clone(), me, Arc::clone(&waiting))),
        ];
        Self { waiting, told, tasks }
    }
}

impl PostgresStore {
    /// Waits until all hints so far are told: for a process that ends at once. There is no end by itself where the
    /// database cannot be reached.
    pub async fn hints_told(&self) {
        let mut busy = self.inner.hints.waiting.busy.subscribe();
        // Its sender lives as long as the store.
        let _ = busy.wait_for(|busy| !busy).await;
    }
}

impl Drop for Messenger {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Hints for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    fn tell(&self, hint: Hint) {
        self.inner.hints.waiting.put(hint);
    }

    fn told(&self) -> broadcast::Receiver<Hint> {
        self.inner.hints.told.subscribe()
    }
}

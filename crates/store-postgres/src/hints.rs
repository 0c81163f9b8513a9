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
    sync::{Notify, broadcast},
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
}

impl Waiting {
    fn put(&self, hint: Hint) {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).put(hint);
        self.bell.notify_one();
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

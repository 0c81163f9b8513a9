//! A state of any aggregate, as the cache and a flush hold it.

use std::{any::Any, sync::Arc};

use parlance_domain::Decider;

use crate::keys::DataKey;

/// One aggregate's state at a version.
#[derive(Clone)]
pub(super) struct Entry {
    pub version: u64,
    /// The version of the newest snapshot known.
    pub snapshot_version: u64,
    state: Arc<dyn Any + Send + Sync>,
    /// The data key used last, with its number, so that it is not derived again for every event.
    pub key: Option<(u32, Arc<DataKey>)>,
}

impl Entry {
    pub fn new<A: Decider>(state: A, version: u64, snapshot_version: u64) -> Self {
        Self { version, snapshot_version, state: Arc::new(state), key: None }
    }

    pub fn state<A: Decider>(&self) -> Arc<A> {
        Arc::clone(&self.state).downcast::<A>().expect("a stream's type names its aggregate")
    }

    pub fn set<A: Decider>(&mut self, state: A) {
        self.state = Arc::new(state);
    }
}

//! Look-ups of one kind gathered into few calls, without a clock: whoever looks something up first lets the
//! rest of the request come to the same point, then asks for all of them. A page's fields are walked in one
//! task, so what one step of it looks up goes together, whatever the machine is doing.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Arc, Mutex},
};

use parlance_app::front::{Asker, FrontError, Page, SharedFront};
use tokio::{sync::OnceCell, task::yield_now};

/// Something that can be looked up by a key of its own type.
pub(crate) trait LookUp: Hash + Eq + Clone + Send + Sync + Sized + 'static {
    type Value: Clone + Send + Sync + 'static;

    /// Those of the wanted that exist for the asker; at most [`Page::ITEMS_MAX`] are wanted at once.
    fn find(
        front: &SharedFront,
        by: Asker,
        wanted: Vec<Self>,
    ) -> impl Future<Output = Result<HashMap<Self, Self::Value>, FrontError>> + Send;
}

/// Turns taken by everybody else in the request before a batch goes: lists wake their items in order, so that
/// after one turn all of them have been asked; the second is for lists inside of lists.
const TURNS: usize = 2;

/// A batch: what is wanted as long as it is open, then what was found.
struct Batch<K: LookUp> {
    wanted: Mutex<Vec<K>>,
    found: OnceCell<Result<HashMap<K, K::Value>, FrontError>>,
}

/// One request's look-ups of one kind. Nothing is kept between two batches, so that a mutation's answer is
/// never read from before it.
pub(crate) struct Gather<K: LookUp> {
    open: Mutex<Arc<Batch<K>>>,
}

impl<K: LookUp> Default for Batch<K> {
    fn default() -> Self {
        Self { wanted: Mutex::default(), found: OnceCell::new() }
    }
}

impl<K: LookUp> Default for Gather<K> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<K: LookUp> Gather<K> {
    /// Those of the wanted that exist, asked for together with whatever else the request looks up meanwhile.
    pub async fn all(
        &self,
        front: &SharedFront,
        by: Asker,
        wanted: Vec<K>,
    ) -> Result<HashMap<K, K::Value>, FrontError> {
        let batch = {
            let open = self.open.lock().expect("no panic while locked");
            open.wanted.lock().expect("no panic while locked").extend(wanted.iter().cloned());
            Arc::clone(&open)
        };
        for _ in 0..TURNS {
            yield_now().await;
        }
        let found = batch.found.get_or_init(|| self.find(front, by, &batch)).await;
        let found = found.as_ref().map_err(Clone::clone)?;
        Ok(wanted.into_iter().filter_map(|key| found.get(&key).cloned().map(|value| (key, value))).collect())
    }

    /// Closes the batch, and asks for all of it.
    async fn find(
        &self,
        front: &SharedFront,
        by: Asker,
        batch: &Arc<Batch<K>>,
    ) -> Result<HashMap<K, K::Value>, FrontError> {
        let mut wanted = {
            let mut open = self.open.lock().expect("no panic while locked");
            if Arc::ptr_eq(&open, batch) {
                *open = Arc::default();
            }
            mem::take(&mut *batch.wanted.lock().expect("no panic while locked"))
        };
        let mut known = std::collections::HashSet::with_capacity(wanted.len());
        wanted.retain(|key| known.insert(key.clone()));
        let mut found = HashMap::with_capacity(wanted.len());
        for some in wanted.chunks(Page::<()>::ITEMS_MAX) {
            found.extend(K::find(front, by, some.to_vec()).await?);
        }
        Ok(found)
    }
}

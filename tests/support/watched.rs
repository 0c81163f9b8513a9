//! The store under test, with a gate before appends, a fault that can be set, and a count of the events that
//! cold loads read.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parlance_domain::{AccountId, CommandId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef};
use parlance_store::{
    AccountKeys, Batch, Erasure, EventLog, Head, Keys, Loaded, Outcome, StoreError, StoredKey, Touched,
};
use parlance_stores::AnyStore;
use tokio::sync::{Semaphore, watch};

/// Appends pass one by one while there are permits. Clones share everything.
#[derive(Clone)]
pub struct WatchedStore {
    store: AnyStore,
    /// Each append takes one of its permits for good.
    gate: Arc<Semaphore>,
    erasures_fail: Arc<AtomicBool>,
    asked: Arc<watch::Sender<u64>>,
    read: Arc<AtomicU64>,
}

impl WatchedStore {
    /// With its gate open.
    pub fn over(store: AnyStore) -> Self {
        Self {
            store,
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            erasures_fail: Arc::default(),
            asked: Arc::new(watch::channel(0).0),
            read: Arc::default(),
        }
    }

    /// Holds up every append from now on.
    pub fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS - self.gate.available_permits());
    }

    /// How many appends came to the gate so far.
    pub fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    /// Waits until that many appends came to the gate.
    pub async fn asked_for(&self, appends: u64) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|count| *count >= appends).await.expect("the sender lives here");
    }

    /// Whether pending erasures can be read from now on.
    pub fn fail_erasures(&self, fail: bool) {
        self.erasures_fail.store(fail, Ordering::Relaxed);
    }

    /// How many events were read from streams so far.
    pub fn events_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn count(&self, events: &[RecordedEvent]) {
        self.read.fetch_add(events.len() as u64, Ordering::Relaxed);
    }
}

impl EventLog for WatchedStore {
    async fn append(&self, batch: Batch) -> Result<Outcome, StoreError> {
        self.asked.send_modify(|count| *count += 1);
        self.gate.acquire().await.expect("the gate is never closed for good").forget();
        self.store.append(batch).await
    }

    async fn head(&self, account: AccountId) -> Result<Head, StoreError> {
        self.store.head(account).await
    }

    async fn read(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read(account, after, limit).await
    }

    async fn read_stream(
        &self,
        account: AccountId,
        stream: StreamRef,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let events = self.store.read_stream(account, stream, after, limit).await?;
        self.count(&events);
        Ok(events)
    }

    async fn load(&self, account: AccountId, stream: StreamRef, shape: u32) -> Result<Loaded, StoreError> {
        let loaded = self.store.load(account, stream, shape).await?;
        self.count(&loaded.events);
        Ok(loaded)
    }

    async fn caused_by(
        &self,
        account: AccountId,
        command: CommandId,
        after: Position,
    ) -> Result<Vec<Position>, StoreError> {
        self.store.caused_by(account, command, after).await
    }

    async fn position_of(
        &self,
        account: AccountId,
        token: DedupeToken,
    ) -> Result<Option<Position>, StoreError> {
        self.store.position_of(account, token).await
    }

    async fn accounts(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<AccountId>, StoreError> {
        self.store.accounts(after, limit).await
    }

    async fn heads(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<(AccountId, Position)>, StoreError> {
        self.store.heads(after, limit).await
    }

    async fn touched(
        &self,
        account: AccountId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Touched>, StoreError> {
        self.store.touched(account, after, limit).await
    }

    fn appended(&self) -> watch::Receiver<u64> {
        self.store.appended()
    }
}

impl Keys for WatchedStore {
    async fn account_keys(&self, account: AccountId) -> Result<Option<AccountKeys>, StoreError> {
        self.store.account_keys(account).await
    }

    async fn data_key(&self, account: AccountId, key: KeyId) -> Result<StoredKey, StoreError> {
        self.store.data_key(account, key).await
    }

    async fn data_keys(&self, account: AccountId, keys: Vec<KeyId>) -> Result<Vec<StoredKey>, StoreError> {
        self.store.data_keys(account, keys).await
    }

    async fn pending_erasures(&self, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        if self.erasures_fail.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("pending erasures cannot be read".to_owned()));
        }
        self.store.pending_erasures(limit).await
    }

    async fn confirm_erasures(&self, erasures: Vec<Erasure>) -> Result<(), StoreError> {
        self.store.confirm_erasures(erasures).await
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.key_check().await
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StoreError> {
        self.store.set_key_check(sealed).await
    }
}

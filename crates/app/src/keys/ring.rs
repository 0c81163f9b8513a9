//! The keyring: opens wrapped keys once and keeps them, bounded, in memory.

use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use lru::LruCache;
use parlance_domain::{AccountId, KeyId, Sealed, StreamRef};
use parlance_store::{AccountKeys, Keys, StoreError, StoredKey};
use zeroize::Zeroizing;

use super::{
    cipher::{Cipher, NotOpened},
    ids::IdKey,
    master::{MasterKey, MasterKeyError},
};
use crate::entropy::Entropy;

/// About 2 MiB; a loaded account costs one read.
const ACCOUNTS_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");
/// About 8 MiB; a loaded data key costs one read.
const DATA_KEYS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// Beyond this many broken keys the log tells of some again; by then somebody is looking.
const TOLD_BROKEN_MAX: NonZeroUsize = NonZeroUsize::new(1_024).expect("not zero");
/// What the key check seals.
const KEY_CHECK: &[u8] = b"parlance master key";

/// A data key, opened.
pub struct DataKey {
    pub id: KeyId,
    cipher: Cipher,
}

impl DataKey {
    /// Seals `plaintext` for one place in one stream.
    pub fn seal(
        &self,
        entropy: &Entropy,
        account: AccountId,
        stream: StreamRef,
        version: u64,
        kind: &str,
        plaintext: &[u8],
    ) -> Sealed {
        let bytes = self.cipher.seal(entropy, &associated(account, stream, version, kind), plaintext);
        Sealed { key: self.id, stream, version, kind: kind.to_owned(), bytes }
    }
}

/// The associated data: account (16), stream type and id (16), version (8, big endian), kind; texts behind a
/// length byte.
fn associated(account: AccountId, stream: StreamRef, version: u64, kind: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    out.extend_from_slice(&account.bytes());
    for text in [stream.kind.as_str(), kind] {
        out.push(u8::try_from(text.len()).expect("names of streams and events are short literals"));
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(stream.id.as_bytes());
    out.extend_from_slice(&version.to_be_bytes());
    out
}

/// An account's own keys, opened.
pub struct AccountRing {
    account: AccountId,
    cipher: Cipher,
    pub ids: IdKey,
}

impl AccountRing {
    /// The id of a stream's `number`th data key.
    pub fn key_id(&self, stream: StreamRef, number: u32) -> KeyId {
        self.ids.key(stream, number)
    }

    /// Makes a data key, with its wrapped form to be stored.
    pub fn create(&self, entropy: &Entropy, id: KeyId) -> (Arc<DataKey>, Vec<u8>) {
        let key = Zeroizing::new(entropy.bytes::<32>());
        let wrapped = self.cipher.seal(entropy, &self.wrapping(id), &*key);
        (Arc::new(DataKey { id, cipher: Cipher::new(&key) }), wrapped)
    }

    fn unwrap(&self, id: KeyId, wrapped: &[u8]) -> Result<Arc<DataKey>, NotOpened> {
        let key = Zeroizing::new(self.cipher.open(&self.wrapping(id), wrapped)?);
        let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| NotOpened)?;
        Ok(Arc::new(DataKey { id, cipher: Cipher::new(key) }))
    }

    fn wrapping(&self, id: KeyId) -> Vec<u8> {
        [b"data key".as_slice(), &self.account.bytes(), &id.bytes()].concat()
    }
}

/// Opened personal bytes, or the fact that nobody can open them any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    Plain(Vec<u8>),
    Erased,
}

/// A data key as the ring finds it.
pub(crate) enum FoundKey {
    Absent,
    Destroyed,
    Found(Arc<DataKey>),
}

/// All keys of an installation that are in use.
pub struct Keyring {
    master: Cipher,
    entropy: Entropy,
    accounts: Mutex<LruCache<AccountId, Arc<AccountRing>>>,
    data: Mutex<LruCache<KeyId, Arc<DataKey>>>,
    /// Counts keys forgotten: one that was read before and comes late is not kept.
    forgotten: AtomicU64,
    /// Keys of no use that the log has been told of.
    told_broken: Mutex<LruCache<KeyId, ()>>,
}

impl Keyring {
    /// Checks the master key against the store's; a store without any takes this one as its own.
    pub async fn unlock(
        store: &impl Keys,
        master: &MasterKey,
        entropy: Entropy,
    ) -> Result<Self, UnlockError> {
        let cipher = master.cipher();
        let mut stored = store.key_check().await?;
        if stored.is_none() {
            let set = store.set_key_check(cipher.seal(&entropy, b"key check", KEY_CHECK)).await;
            if let Err(error) = set {
                // Another server was first, perhaps with another key.
                stored = Some(store.key_check().await?.ok_or(error)?);
            }
        }
        if let Some(sealed) = stored {
            let opened = cipher.open(b"key check", &sealed).map_err(|_| MasterKeyError::Wrong)?;
            if opened != KEY_CHECK {
                return Err(MasterKeyError::Wrong.into());
            }
        }
        Ok(Self {
            master: cipher,
            entropy,
            accounts: Mutex::new(LruCache::new(ACCOUNTS_MAX)),
            data: Mutex::new(LruCache::new(DATA_KEYS_MAX)),
            forgotten: AtomicU64::new(0),
            told_broken: Mutex::new(LruCache::new(TOLD_BROKEN_MAX)),
        })
    }

    /// Makes a new account's keys, with their wrapped form to be stored.
    pub fn create_account(&self, account: AccountId) -> (Arc<AccountRing>, AccountKeys) {
        let account_key = Zeroizing::new(self.entropy.bytes::<32>());
        let id_key = Zeroizing::new(self.entropy.bytes::<32>());
        let cipher = Cipher::new(&account_key);
        let keys = AccountKeys {
            account_key: self.master.seal(&self.entropy, &account_wrapping(account), &*account_key),
            id_key: cipher.seal(&self.entropy, &id_wrapping(account), &*id_key),
        };
        (Arc::new(AccountRing { account, cipher, ids: IdKey::new(*id_key) }), keys)
    }

    /// Opens an account's wrapped keys.
    pub(crate) fn open_keys(
        &self,
        account: AccountId,
        keys: &AccountKeys,
    ) -> Result<Arc<AccountRing>, StoreError> {
        let bytes =
            |opened: Vec<u8>| <[u8; 32]>::try_from(Zeroizing::new(opened).as_slice()).map_err(|_| NotOpened);
        let open = || {
            let account_key =
                Zeroizing::new(bytes(self.master.open(&account_wrapping(account), &keys.account_key)?)?);
            let cipher = Cipher::new(&account_key);
            let id_key = bytes(cipher.open(&id_wrapping(account), &keys.id_key)?)?;
            Ok(AccountRing { account, cipher, ids: IdKey::new(id_key) })
        };
        let corrupt = |_: NotOpened| StoreError::Corrupt(format!("the keys of {account} do not open"));
        open().map(Arc::new).map_err(corrupt)
    }

    /// A data key that is in use, without asking the store.
    pub(crate) fn cached(&self, id: KeyId) -> Option<Arc<DataKey>> {
        self.data.lock().expect("no panic while locked").get(&id).cloned()
    }

    /// An account's keys; `None`: there is no such account.
    pub async fn account(
        &self,
        store: &impl Keys,
        account: AccountId,
    ) -> Result<Option<Arc<AccountRing>>, StoreError> {
        if let Some(ring) = self.accounts.lock().expect("no panic while locked").get(&account) {
            return Ok(Some(Arc::clone(ring)));
        }
        let Some(keys) = store.account_keys(account).await? else { return Ok(None) };
        let ring = self.open_keys(account, &keys)?;
        self.accounts.lock().expect("no panic while locked").put(account, Arc::clone(&ring));
        Ok(Some(ring))
    }

    pub(crate) async fn data_key(
        &self,
        store: &impl Keys,
        ring: &AccountRing,
        id: KeyId,
    ) -> Result<FoundKey, StoreError> {
        if let Some(key) = self.data.lock().expect("no panic while locked").get(&id) {
            return Ok(FoundKey::Found(Arc::clone(key)));
        }
        let forgotten = self.forgotten.load(Ordering::Acquire);
        Ok(match store.data_key(ring.account, id).await? {
            StoredKey::Absent => FoundKey::Absent,
            StoredKey::Destroyed => FoundKey::Destroyed,
            StoredKey::Wrapped(wrapped) => {
                let key = ring
                    .unwrap(id, &wrapped)
                    .map_err(|_| StoreError::Corrupt(format!("the data key {id} does not open")))?;
                let mut data = self.data.lock().expect("no panic while locked");
                if self.forgotten.load(Ordering::Acquire) == forgotten {
                    data.put(id, Arc::clone(&key));
                }
                FoundKey::Found(key)
            }
        })
    }

    /// Keeps a key that is stored by now.
    pub(crate) fn keep(&self, key: &Arc<DataKey>) {
        self.data.lock().expect("no panic while locked").put(key.id, Arc::clone(key));
    }

    /// Forgets a key that is destroyed by now.
    pub(crate) fn forget(&self, id: KeyId) {
        let mut data = self.data.lock().expect("no panic while locked");
        self.forgotten.fetch_add(1, Ordering::Release);
        data.pop(&id);
    }

    /// Forgets every opened data key: another server has destroyed some.
    pub(crate) fn forget_opened(&self) {
        let mut data = self.data.lock().expect("no panic while locked");
        self.forgotten.fetch_add(1, Ordering::Release);
        data.clear();
    }

    /// Opens a personal part at the edge of a query, a policy or a reaction.
    pub async fn open(
        &self,
        store: &impl Keys,
        account: AccountId,
        sealed: &Sealed,
    ) -> Result<Opened, StoreError> {
        let Some(ring) = self.account(store, account).await? else {
            return Err(StoreError::Corrupt(format!("{account} has no keys")));
        };
        match self.data_key(store, &ring, sealed.key).await? {
            FoundKey::Destroyed => Ok(Opened::Erased),
            FoundKey::Absent => Err(StoreError::Corrupt(format!("the data key {} is lost", sealed.key))),
            FoundKey::Found(key) => {
                let associated = associated(account, sealed.stream, sealed.version, &sealed.kind);
                let opened = key.cipher.open(&associated, &sealed.bytes);
                opened.map(Opened::Plain).map_err(|_| {
                    StoreError::Corrupt(format!("{} of {} does not open", sealed.kind, sealed.stream))
                })
            }
        }
    }

    /// Opens many personal parts, in their order: keys that are in use first, then one call of the store for
    /// all the others. `None`: erased; or the key is lost, or does not open what it sealed, which is logged,
    /// once for a key: one broken row must not hide all others.
    pub async fn open_many(
        &self,
        store: &impl Keys,
        account: AccountId,
        sealed: &[Sealed],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if sealed.is_empty() {
            return Ok(Vec::new());
        }
        let Some(ring) = self.account(store, account).await? else {
            return Err(StoreError::Corrupt(format!("{account} has no keys")));
        };
        let keys = self.data_keys(store, &ring, sealed.iter().map(|part| part.key)).await?;
        let open = |part: &Sealed| {
            let key = keys.get(&part.key)?;
            let associated = associated(account, part.stream, part.version, &part.kind);
            let opened = key.cipher.open(&associated, &part.bytes);
            opened.inspect_err(|_| self.broken(part.key, "what it sealed does not open")).ok()
        };
        Ok(sealed.iter().map(open).collect())
    }

    /// The keys that there are, of those wanted.
    async fn data_keys(
        &self,
        store: &impl Keys,
        ring: &AccountRing,
        wanted: impl Iterator<Item = KeyId>,
    ) -> Result<HashMap<KeyId, Arc<DataKey>>, StoreError> {
        let wanted: BTreeSet<_> = wanted.collect();
        let mut keys = HashMap::with_capacity(wanted.len());
        let mut unknown = Vec::new();
        let forgotten = {
            let mut data = self.data.lock().expect("no panic while locked");
            for id in wanted {
                match data.get(&id) {
                    Some(key) => drop(keys.insert(id, Arc::clone(key))),
                    None => unknown.push(id),
                }
            }
            self.forgotten.load(Ordering::Acquire)
        };
        if unknown.is_empty() {
            return Ok(keys);
        }
        let stored = store.data_keys(ring.account, unknown.clone()).await?;
        let mut found = Vec::new();
        for (id, stored) in unknown.into_iter().zip(stored) {
            match stored {
                StoredKey::Destroyed => {}
                StoredKey::Absent => self.broken(id, "it is lost"),
                StoredKey::Wrapped(wrapped) => match ring.unwrap(id, &wrapped) {
                    Ok(key) => found.push(key),
                    Err(NotOpened) => self.broken(id, "it does not open"),
                },
            }
        }
        let mut data = self.data.lock().expect("no panic while locked");
        let current = self.forgotten.load(Ordering::Acquire) == forgotten;
        for key in found {
            if current {
                data.put(key.id, Arc::clone(&key));
            }
            keys.insert(key.id, key);
        }
        Ok(keys)
    }

    fn broken(&self, id: KeyId, why: &str) {
        let mut told = self.told_broken.lock().expect("no panic while locked");
        if told.put(id, ()).is_none() {
            tracing::error!(key = %id, why, "a data key is of no use");
        }
    }

    /// Wraps a key of the installation's by the master key.
    pub(crate) fn wrap(&self, associated: &[u8], key: &[u8]) -> Vec<u8> {
        self.master.seal(&self.entropy, associated, key)
    }

    pub(crate) fn unwrap(&self, associated: &[u8], wrapped: &[u8]) -> Result<Vec<u8>, NotOpened> {
        self.master.open(associated, wrapped)
    }

    pub(crate) fn entropy(&self) -> &Entropy {
        &self.entropy
    }
}

fn account_wrapping(account: AccountId) -> Vec<u8> {
    [b"account key".as_slice(), &account.bytes()].concat()
}

fn id_wrapping(account: AccountId) -> Vec<u8> {
    [b"id key".as_slice(), &account.bytes()].concat()
}

/// Why the keyring stays locked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use parlance_domain::StreamType;
    use uuid::Uuid;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whatever was ever sealed opens only with these very bytes.
    #[test]
    fn what_is_associated_with_sealed_bytes_is_for_ever() {
        let account = AccountId::new(Uuid::from_u128(1));
        let stream = StreamRef::new(StreamType::Conversation, Uuid::from_u128(2));
        let one = "00000000000000000000000000000001";
        let place = associated(account, stream, 3, "Closed");
        let conversation = hex(b"conversation");
        let closed = hex(b"Closed");
        assert_eq!(
            hex(&place),
            format!("{one}0c{conversation}06{closed}00000000000000000000000000000002{:016x}", 3)
        );
        assert_eq!(hex(&account_wrapping(account)), hex(b"account key") + one);
        assert_eq!(hex(&id_wrapping(account)), hex(b"id key") + one);
        let ring = AccountRing { account, cipher: Cipher::new(&[1; 32]), ids: IdKey::new([1; 32]) };
        let key = KeyId::new(Uuid::from_u128(4));
        let four = "00000000000000000000000000000004";
        assert_eq!(hex(&ring.wrapping(key)), hex(b"data key") + one + four);
    }
}

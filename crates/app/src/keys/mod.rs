//! Keys. Every personal value is sealed by a data key (one per conversation incarnation, member, channel …);
//! data keys are wrapped by their account's key, account keys by the master key. Erasing is destroying a data
//! key. XChaCha20-Poly1305 throughout, a random 24-byte nonce each.

mod cipher;
mod ids;
mod master;
mod ring;

pub(crate) use self::ring::FoundKey;
pub use self::{
    cipher::{Cipher, NotOpened},
    ids::IdKey,
    master::{MasterKey, MasterKeyError},
    ring::{AccountRing, DataKey, Keyring, Opened, UnlockError},
};

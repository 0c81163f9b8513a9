//! The only randomness: a cryptographic generator in memory, seeded once by the operating system, because two
//! system calls for every nonce were a third of the cost of sealing. Tests seed it themselves.

use std::sync::{Arc, Mutex};

use parlance_domain::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// Hands out random bytes and ids. Clones share the generator.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self(Arc::new(Mutex::new(rand::make_rng())))
    }

    /// The same bytes for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().expect("nothing panics while it holds the generator").fill_bytes(&mut bytes);
        bytes
    }

    /// A UUIDv7 of that moment (RFC 9562: 48 bits of milliseconds, then random).
    pub fn id(&self, at: Timestamp) -> Uuid {
        let millis = u64::try_from(at.micros() / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}

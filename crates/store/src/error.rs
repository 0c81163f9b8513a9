//! What can go wrong in a store, as five things a caller can act on.

/// Why a store will never take what it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedBecause {
    #[error("it is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("it holds more than {limit} events")]
    TooMany { limit: usize },
    #[error("an event has no place in its batch: {0}")]
    Malformed(&'static str),
    #[error("a constraint of the store forbids it: {0}")]
    Constraint(String),
}

/// A store's no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was first. Load again and decide again.
    #[error("the store has moved on: {0}")]
    Conflict(&'static str),
    /// Nothing was done, and the same again will be refused again.
    #[error("the store refuses this: {0}")]
    Refused(RefusedBecause),
    /// Nothing was done. Later it may work.
    #[error("the store cannot do this now: {0}")]
    Unavailable(String),
    /// Whether it was done is not known, and the store has stopped. After a restart, read back.
    #[error("whether this was stored is not known; the store stopped: {0}")]
    Unknown(String),
    /// What is stored is not what was written.
    #[error("what is stored cannot be right: {0}")]
    Corrupt(String),
}

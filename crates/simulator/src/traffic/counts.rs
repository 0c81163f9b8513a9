//! What a run has sent, and what came of it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::sender::Report;

/// The counts of a run that may still be going on.
#[derive(Debug, Default)]
pub struct Counts {
    events: AtomicU64,
    sent: AtomicU64,
    repeated: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    tries: AtomicU64,
}

/// Counts at one moment. Deliveries under way, or given up at the end of the run, are `sent` less `answered` and
/// `failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that were told, not counting repetitions.
    pub events: u64,
    /// Deliveries that were started, repetitions among them.
    pub sent: u64,
    /// Deliveries that were started a second time, as they were.
    pub repeated: u64,
    /// Deliveries that the provider takes for a success.
    pub answered: u64,
    /// Deliveries that came to the end of the provider's patience.
    pub failed: u64,
    /// Calls of all deliveries that came to an end, retries among them.
    pub tries: u64,
}

impl Counts {
    /// The counts of this moment, each for itself.
    pub fn tally(&self) -> Tally {
        Tally {
            events: self.events.load(Relaxed),
            sent: self.sent.load(Relaxed),
            repeated: self.repeated.load(Relaxed),
            answered: self.answered.load(Relaxed),
            failed: self.failed.load(Relaxed),
            tries: self.tries.load(Relaxed),
        }
    }

    pub(super) fn starts(&self, events: u64) {
        self.events.fetch_add(events, Relaxed);
        self.sent.fetch_add(1, Relaxed);
    }

    pub(super) fn repeats(&self) {
        self.sent.fetch_add(1, Relaxed);
        self.repeated.fetch_add(1, Relaxed);
    }

    pub(super) fn ends(&self, report: &Report) {
        let tries = u64::try_from(report.tries.len()).expect("tries are bounded");
        self.tries.fetch_add(tries, Relaxed);
        let outcome = if report.accepted { &self.answered } else { &self.failed };
        outcome.fetch_add(1, Relaxed);
    }
}

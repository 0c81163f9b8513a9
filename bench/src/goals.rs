//! What each store has to reach, every figure beside its reference in the same run.

/// One store's goals.
pub struct Goals {
    /// Of the bare rate of 1,000 events a transaction: 64 at once on one account, and over 100.
    pub of_bare: f64,
    pub of_bare_many: f64,
    /// How many times as long as a bare durable commit a command takes with nothing else going on.
    pub times_of_commit: f64,
    /// p99 of the answer, 64 at once on one account.
    pub answered_ms: f64,
    /// p99 from the answer until the read models show it, at half of the maximal load.
    pub seen_ms: f64,
    /// Rebuilding, of reading and decoding alone.
    pub of_reading: f64,
    /// A page at 64 connections, of the same from memory; its p99 at 4 connections.
    pub of_memory: f64,
    pub page_ms: f64,
    /// A page of many conversations, of one of few; one far from the first, of the first.
    pub of_few: f64,
    /// The server's memory: idle, and at most under the ingestion load. Millions of bytes.
    pub idle_mb: f64,
    pub most_mb: f64,
}

pub const POSTGRES: Goals = Goals {
    of_bare: 0.30,
    of_bare_many: 0.08,
    times_of_commit: 3.0,
    answered_ms: 8.0,
    seen_ms: 15.0,
    of_reading: 0.20,
    of_memory: 0.6,
    page_ms: 4.0,
    of_few: 1.2,
    idle_mb: 60.0,
    most_mb: 250.0,
};

pub const EMBEDDED: Goals = Goals {
    of_bare: 0.33,
    of_bare_many: 0.30,
    times_of_commit: 2.0,
    answered_ms: 10.0,
    seen_ms: 15.0,
    of_reading: 0.16,
    of_memory: 0.75,
    page_ms: 3.0,
    of_few: 1.2,
    idle_mb: 60.0,
    most_mb: 250.0,
};

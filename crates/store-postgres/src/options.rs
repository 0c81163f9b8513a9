//! How a database is used.

use std::time::Duration;

/// How a database is used.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// Connections of the pool. Beside it, two tell and are told hints, one says that this server is alive, and one
    /// is there while destroyed keys are taken out of the files.
    pub connections: usize,
    /// A statement that takes longer is ended by the server.
    pub statement_timeout: Duration,
    /// What is asked again after a lost connection is given up after this.
    pub trying_max: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        // Four servers fit into PostgreSQL's own default of a hundred connections; a statement of the request path takes
        // milliseconds, the largest page of a rebuild a second or two; a restart or a failover takes seconds, and a
        // caller waits no longer.
        Self {
            connections: 16,
            statement_timeout: Duration::from_secs(30),
            trying_max: Duration::from_secs(10),
        }
    }
}

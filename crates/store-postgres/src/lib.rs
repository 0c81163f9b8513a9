//! The store on PostgreSQL, for any number of servers: tokio-postgres, a pool, and one function call an append.
//!
//! What runs with a connection goes through `PostgresStore::run` (`connection`), which knows what may be asked again
//! after a lost connection and what may not. Nothing here uses triggers, sequences, advisory locks or `NOTIFY` inside
//! of an append; every statement on accounts' data names one account.

mod append;
mod connection;
mod doubt;
mod erasures;
mod error;
mod hints;
mod keys;
mod leases;
mod line;
mod log;
mod migrate;
mod numbers;
mod options;
mod pages;
mod pipeline;
#[cfg(test)]
mod plans;
mod read_models;
mod rows;
mod sign_ins;
mod tokens;
mod transfer;
mod url;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parlance_store::StoreError;
use tokio::sync::watch;

use self::{connection::Pool, erasures::Eraser, hints::Messenger, line::Line, url::Address};
pub use self::{migrate::Migrated, options::PostgresOptions};

/// A PostgreSQL database as a Parlance store. Clones share its connections.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    pool: Pool,
    /// Sees to it that destroyed keys leave the files.
    eraser: Eraser,
    appended: watch::Sender<u64>,
    hints: Messenger,
    /// For beats.
    line: Line,
    worked: AtomicU64,
}

impl PostgresStore {
    /// Connects to a database that was migrated.
    ///
    /// `url` is `postgres://user:password@host:port/database`, as libpq has it (several hosts for
    /// failover: then `target_session_attrs` is `read-write` unless it says otherwise; a socket's folder as an escaped
    /// host), and besides:
    ///
    /// - `sslmode`: `disable`; `require` (TLS, and the certificate is verified against the host's name); `prefer`,
    ///   which is the default: plain by a Unix socket or to a loopback address, and `require` anywhere else.
    /// - `sslrootcert`: a file of PEM certificates that are trusted instead of the system's.
    ///
    /// `Unavailable`, with what to do: the database cannot be reached, is not migrated, or is older than this binary.
    /// `Refused`: the address cannot be one.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        migrate::check(&address).await?;
        let pool = Pool::new(&address, options)?;
        let inner = Inner {
            pool,
            eraser: Eraser::start(&address),
            appended: watch::Sender::new(0),
            hints: Messenger::start(&address),
            line: Line::default(),
            address,
            worked: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Brings the database to the shape that this binary works with. Two at once are no harm: one waits for the other.
    pub async fn migrate(url: &str) -> Result<Migrated, StoreError> {
        migrate::run(&Address::parse(url)?).await
    }

    /// The number of the newest migration in a database; 0: it has no tables of ours.
    pub async fn version(url: &str) -> Result<i32, StoreError> {
        migrate::version_at(&Address::parse(url)?).await
    }

    /// How often work was done with a connection so far: a port's call is one, however many statements it takes.
    pub fn worked(&self) -> u64 {
        self.inner.worked.load(Ordering::Relaxed)
    }
}

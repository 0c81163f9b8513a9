//! The embedded store: one SQLite file, one writer thread, a small read pool. WAL, `synchronous=FULL`.
//!
//! All writing is the writer thread's (`writer`): it takes every account's waiting batch into one transaction,
//! because the disk's sync is what costs, and projections take turns with appends. Reading goes through a
//! pool of read-only connections on tokio's blocking threads.

mod append;
mod connection;
mod error;
mod keys;
mod leases;
mod log;
mod named;
mod pages;
mod read_models;
mod sign_ins;
mod sql;
mod tokens;
mod transfer;
mod wal;
mod writer;

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use parlance_store::{Hint, StoreError};
use tokio::sync::{broadcast, watch};

pub use self::connection::SQLITE_VERSION_MIN;
use self::{connection::ReadPool, writer::Writer};

mod migrations {
    refinery::embed_migrations!("../../migrations/sqlite");
}

/// How the file is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteOptions {
    /// The file never grows beyond this many pages of 4 KiB; what would not fit is refused as a full disk.
    pub max_pages: Option<u32>,
    /// Whether [`SqliteStore::statements_run`] counts. Costs a call for every statement; for tests.
    pub count_statements: bool,
}

/// A SQLite file as a Parlance store. Clones share the file, its writer and its readers.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    readers: Arc<ReadPool>,
    appended: watch::Receiver<u64>,
    /// Nobody else has the file, so nothing is ever told; there for whoever waits for it.
    hints: broadcast::Sender<Hint>,
    /// Held as long as the store is: no second process may write the file.
    lock: Arc<File>,
}

impl SqliteStore {
    /// Opens the file, made and migrated if need be. `Unavailable` if another process holds it, `Refused`
    /// never, `Corrupt` if it is no database of Parlance's.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        // A link is another name of the same file: one lock for both. A file that is not there has one name.
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let lock = connection::lock(&path_with(path, ".lock"))?;
        connection::make(path)?;
        let mut writing = connection::open_writer(path, options)?;
        wal::bring_home(&writing)?;
        migrations::migrations::runner()
            .run(&mut writing)
            .map_err(|error| StoreError::Unavailable(format!("migrating the database: {error}")))?;
        if leases::free_all(&writing).map_err(|error| error::failed(&error))? {
            wal::bring_home(&writing)?;
        }
        let (announce, appended) = watch::channel(0);
        let writer = Writer::start(path, writing, announce)?;
        let readers = ReadPool::open(path, writer.stopping(), options)?;
        let hints = broadcast::Sender::new(1);
        Ok(Self {
            writer: Arc::new(writer),
            readers: Arc::new(readers),
            appended,
            hints,
            lock: Arc::new(lock),
        })
    }

    /// Says in the lock file, which its owner alone can read, how the holder of the store is reached.
    pub fn announce(&self, text: &str) -> std::io::Result<()> {
        let mut file: &File = &self.lock;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())
    }

    /// What the process that holds the store at `path` says of itself; `None`: nothing.
    pub fn announced(path: &Path) -> Option<String> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let text = std::fs::read_to_string(path_with(&path, ".lock")).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// How many statements its readers have run so far, as SQLite itself tells: each reading's beginning and
    /// end among them. 0 unless [`SqliteOptions::count_statements`] is set.
    pub fn statements_run(&self) -> u64 {
        self.readers.statements_run()
    }

    /// Why the store stopped, if it did: from then on every call is answered `Unavailable`.
    pub fn stopped(&self) -> Option<String> {
        self.writer.stopped()
    }
}

fn path_with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

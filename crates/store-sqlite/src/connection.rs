//! Opening the file: pragmas, the lock, the read pool.

use std::{fs::File, path::Path, sync::Mutex, time::Duration};

use parlance_store::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{SqliteOptions, error::failed};

/// 3.51.3 mends a corruption of the write-ahead log's reset; nothing older is trusted with a log.
pub const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Statements kept prepared per connection; there are about sixty in all.
const STATEMENTS_CACHED: usize = 128;
/// Reads of the request path are short; four keep two cores busy.
const READERS: usize = 4;
/// How long a checkpoint on the writer waits for readers of old frames.
const BUSY_MS: u64 = 2_000;

pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let unavailable = |what: String| StoreError::Unavailable(format!("{what}: {}", path.display()));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| unavailable(format!("cannot open the lock file ({error})")))?;
    file.try_lock().map_err(|_| unavailable("another process holds this store".to_owned()))?;
    Ok(file)
}

pub(crate) fn open_writer(path: &Path, options: SqliteOptions) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::Unavailable(format!(
            "SQLite {} is too old: 3.51.3 is needed",
            rusqlite::version()
        )));
    }
    let open = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        // Deleted content is overwritten with zeros, so that erasing erases.
        connection.pragma_update(None, "secure_delete", "on")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        // Checkpoints are made between transactions, never inside a commit; set before any hook.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        if let Some(pages) = options.max_pages {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        Ok(connection)
    };
    open().map_err(|error| failed(&error))
}

/// Read-only connections, lent to blocking tasks.
pub(crate) struct ReadPool {
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl ReadPool {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
            Ok(connection)
        };
        let idle = (0..READERS).map(|_| open()).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        Ok(Self { idle: Mutex::new(idle), permits: Semaphore::new(READERS) })
    }

    /// Runs `read` on a connection, in one read transaction.
    pub(crate) async fn read<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closed".to_owned());
        let pool = std::sync::Arc::clone(self);
        let _permit = self.permits.acquire().await.map_err(closed)?;
        let task = spawn_blocking(move || {
            let taken = pool.idle.lock().expect("no reader panics while it holds the list").pop();
            let mut connection = taken.expect("a permit stands for an idle connection");
            let result = connection
                .transaction()
                .map_err(|error| failed(&error))
                .and_then(|transaction| read(&transaction));
            pool.idle.lock().expect("no reader panics while it holds the list").push(connection);
            result
        });
        task.await.map_err(|error| StoreError::Unavailable(format!("a read did not end: {error}")))?
    }
}

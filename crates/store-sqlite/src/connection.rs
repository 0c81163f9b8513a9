//! Opening the file: pragmas, the lock, the read pool.

use std::{
    fs::File,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parlance_store::StoreError;
use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    trace::{TraceEvent, TraceEventCodes},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::{
    SqliteOptions,
    error::{corrupt, failed},
};

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
    let file =
        private_file(path).map_err(|error| unavailable(format!("cannot open the lock file ({error})")))?;
    file.try_lock().map_err(|_| unavailable("another process holds this store".to_owned()))?;
    // What an earlier holder said of itself holds no more.
    file.set_len(0).map_err(|error| unavailable(format!("cannot clear the lock file ({error})")))?;
    Ok(file)
}

/// Opens a file, made for its owner alone if there is none.
fn private_file(path: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Makes the database file for its owner alone; SQLite gives its log the same mode. Only where there is none,
/// and before SQLite opens it: closing any descriptor of the file drops the locks that SQLite holds on it.
pub(crate) fn make(path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        return Ok(());
    }
    let made = private_file(path);
    made.map(drop).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))
}

pub(crate) fn open_writer(path: &Path, options: SqliteOptions) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::Unavailable(format!(
            "SQLite {} is too old: 3.51.3 is needed",
            rusqlite::version()
        )));
    }
    let connection = Connection::open(path).map_err(|error| failed(&error))?;
    check_is_ours(&connection)?;
    let set_up = || {
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
        keep_plans(&connection)
    };
    set_up().map_err(|error| failed(&error))?;
    Ok(connection)
}

/// Before anything is written: a database that has tables and was never migrated by Parlance is somebody else's.
fn check_is_ours(connection: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT count(*) = 0 OR count(*) FILTER (WHERE name = 'refinery_schema_history') = 1
               FROM sqlite_schema";
    let ours = connection.query_row(sql, [], |row| row.get::<_, bool>(0)).map_err(|error| failed(&error))?;
    if ours { Ok(()) } else { Err(corrupt("a database that is not Parlance's")) }
}

/// Statements are prepared once. Without the planner's guarantee SQLite prepares those that meet a partial
/// index again for every value that is bound.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

fn count(connection: &mut Connection, statements: Arc<AtomicU64>) -> rusqlite::Result<()> {
    let counting = move |_: TraceEvent<'_>| {
        statements.fetch_add(1, Ordering::Relaxed);
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(counting))
}

/// Read-only connections, lent to blocking tasks.
pub(crate) struct ReadPool {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    /// The writer's: after a failed commit nothing read here can be trusted before a restart.
    stopped: Arc<OnceLock<String>>,
    statements: Arc<AtomicU64>,
}

impl ReadPool {
    pub(crate) fn open(
        path: &Path,
        stopped: Arc<OnceLock<String>>,
        options: SqliteOptions,
    ) -> Result<Self, StoreError> {
        let statements = Arc::new(AtomicU64::new(0));
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
            keep_plans(&connection)?;
            if options.count_statements {
                count(&mut connection, Arc::clone(&statements))?;
            }
            Ok(connection)
        };
        let idle = (0..READERS).map(|_| open()).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        Ok(Self { idle: Mutex::new(idle), permits: Arc::new(Semaphore::new(READERS)), stopped, statements })
    }

    pub(crate) fn statements_run(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Runs `read` on a connection, in one read transaction.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closed".to_owned());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(closed)?;
        if let Some(why) = self.stopped.get() {
            return Err(StoreError::Unavailable(format!("the store stopped: {why}")));
        }
        let pool = Arc::clone(self);
        let task = spawn_blocking(move || {
            let mut lent = pool.lend(permit);
            let connection = lent.connection.as_mut().expect("it is taken out only by the drop");
            let transaction = connection.transaction().map_err(|error| failed(&error))?;
            read(&transaction)
        });
        task.await.map_err(|error| StoreError::Unavailable(format!("a read did not end: {error}")))?
    }

    fn lend(&self, permit: OwnedSemaphorePermit) -> Lent<'_> {
        let taken = self.idle.lock().expect("no reader panics while it holds the list").pop();
        let connection = Some(taken.expect("a permit stands for an idle connection"));
        Lent { pool: self, connection, _permit: permit }
    }
}

/// A connection on loan. It comes back whatever happens to the read, and its permit after it: who asked may
/// have given up long before the task ends.
struct Lent<'a> {
    pool: &'a ReadPool,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.pool
            .idle
            .lock()
            .expect("no reader panics while it holds the list")
            .extend(self.connection.take());
    }
}

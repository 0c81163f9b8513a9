//! The write-ahead log kept short, off the path of commits: a thread copies frames back into the file while
//! the writer goes on, then the writer makes one short pass between transactions, so that the log starts over.
//! Readers that never pause keep that from happening; then the writer waits for those of old frames.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use parlance_store::StoreError;
use rusqlite::Connection;

use crate::{SqliteOptions, connection::open_writer, error::failed};

/// About 16 MiB of log; below it a checkpoint costs more than it saves.
const FRAMES_MAX: i32 = 4_000;
/// About 64 MiB: from here on the writer waits, so that the log cannot grow as long as anybody reads. Again
/// after as many more, if even that did not help: it must not wait at every transaction.
const FRAMES_URGENT: i32 = 16_000;

/// Copies what an earlier process left in the log into the file, syncs it, and empties the log. That process may
/// have ended before its sync, or because of a failing one: what recovery found is then in the system's memory
/// alone, and commits behind it would be lost with it.
pub(crate) fn bring_home(writer: &Connection) -> Result<(), StoreError> {
    let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    match busy.map_err(|error| failed(&error))? {
        0 => Ok(()),
        _ => Err(StoreError::Unavailable("somebody else reads the write-ahead log".to_owned())),
    }
}

/// Counts frames and asks for passes.
pub(crate) struct Wal {
    frames: Arc<AtomicI32>,
    ask: Option<SyncSender<()>>,
    /// At how many frames the writer waits for readers.
    urgent_at: i32,
    copied: Arc<AtomicBool>,
    /// Held during a pass. SQLite refuses a second one at once, whatever the busy time-out.
    passing: Arc<Mutex<()>>,
    copier: Option<JoinHandle<()>>,
}

impl Wal {
    pub(crate) fn watch(path: &Path, writer: &mut Connection) -> Result<Self, StoreError> {
        let frames = Arc::new(AtomicI32::new(0));
        let counter = Arc::clone(&frames);
        writer
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                counter.store(pages, Ordering::Relaxed);
                Ok(())
            }))
            .map_err(|error| failed(&error))?;
        let (ask, asked) = sync_channel(1);
        let copied = Arc::new(AtomicBool::new(false));
        let connection = open_writer(path, SqliteOptions::default())?;
        let done = Arc::clone(&copied);
        let passing = Arc::new(Mutex::new(()));
        let copying = Arc::clone(&passing);
        let copier = std::thread::Builder::new()
            .name("parlance-wal".to_owned())
            .spawn(move || copy(&connection, &asked, &done, &copying))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        Ok(Self { frames, ask: Some(ask), urgent_at: FRAMES_URGENT, copied, passing, copier: Some(copier) })
    }

    /// Called by the writer between transactions.
    pub(crate) fn between_transactions(&mut self, writer: &Connection) {
        let frames = self.frames.load(Ordering::Relaxed);
        if frames <= FRAMES_MAX {
            self.urgent_at = FRAMES_URGENT;
        }
        if frames > self.urgent_at {
            let restarted = alone(&self.passing, || pass(writer, "PRAGMA wal_checkpoint(RESTART)"));
            self.urgent_at = if restarted { FRAMES_URGENT } else { frames.saturating_add(FRAMES_URGENT) };
            if restarted {
                self.frames.store(0, Ordering::Relaxed);
            }
        } else if self.copied.swap(false, Ordering::Acquire) {
            // Few frames are left: the next write starts the log over.
            pass(writer, "PRAGMA wal_checkpoint(PASSIVE)");
        } else if frames > FRAMES_MAX
            && let Some(ask) = &self.ask
        {
            // A full channel: a pass is under way already.
            let _ = ask.try_send(());
        }
    }

    /// Empties the log file; `false`: readers of old frames were in the way for too long.
    pub(crate) fn truncate(&self, writer: &Connection) -> bool {
        self.frames.store(0, Ordering::Relaxed);
        alone(&self.passing, || (0..TRUNCATES_MAX).any(|_| pass(writer, "PRAGMA wal_checkpoint(TRUNCATE)")))
    }
}

fn alone<T>(passing: &Mutex<()>, pass: impl FnOnce() -> T) -> T {
    // It guards nothing that a panic could leave behind by halves.
    let _turn: MutexGuard<'_, ()> = passing.lock().unwrap_or_else(PoisonError::into_inner);
    pass()
}

/// Each waits up to the busy time-out; together they bound how long a deletion waits for readers.
const TRUNCATES_MAX: usize = 5;

impl Drop for Wal {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(copier) = self.copier.take() {
            let _ = copier.join();
        }
    }
}

fn copy(connection: &Connection, asked: &Receiver<()>, copied: &AtomicBool, passing: &Mutex<()>) {
    while asked.recv().is_ok() {
        alone(passing, || pass(connection, "PRAGMA wal_checkpoint(PASSIVE)"));
        copied.store(true, Ordering::Release);
    }
}

/// Whether the pass was not held up. A failing checkpoint loses nothing: the log keeps what was not copied.
fn pass(connection: &Connection, pragma: &str) -> bool {
    connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).is_ok_and(|busy| busy == 0)
}

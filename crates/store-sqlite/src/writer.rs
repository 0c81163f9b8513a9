//! The one thread that writes. It takes turns: every waiting batch of every account in one transaction, then
//! one page of projections, and so on.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

use parlance_store::{Batch, Outcome, StoreError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{append, error::failed, wal::Wal};

/// More jobs than any number of accounts' queues and runners have under way in practice; beyond it callers wait.
const JOBS_MAX: usize = 4_096;
/// A transaction takes at most this many accounts' batches, so that nobody waits for too many others.
const BATCHES_PER_TRANSACTION_MAX: usize = 256;

/// Taken from the queue and waiting for their turn; behind them the queue itself is the bound.
const WRITES_WAITING_MAX: usize = 64;

type Work = Box<dyn FnOnce(&Connection) -> Result<(), StoreError> + Send>;

enum Job {
    Append(Box<Batch>, oneshot::Sender<Result<Outcome, StoreError>>),
    Write(Write),
}

struct Write {
    work: Work,
    /// Whether the write-ahead log must be empty before.
    empties_log: bool,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// The way to the writing thread.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    stopped: Arc<OnceLock<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        path: &Path,
        mut connection: Connection,
        announce: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        let wal = Wal::watch(path, &mut connection)?;
        let (jobs, waiting) = mpsc::channel(JOBS_MAX);
        let stopped = Arc::new(OnceLock::new());
        let turns =
            Turns { connection, wal, announce, stopped: Arc::clone(&stopped), writes: VecDeque::new() };
        let thread = std::thread::Builder::new()
            .name("parlance-writer".to_owned())
            .spawn(move || turns.run(waiting))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        Ok(Self { jobs: Some(jobs), stopped, thread: Some(thread) })
    }

    /// Set when the store stops.
    pub(crate) fn stopping(&self) -> Arc<OnceLock<String>> {
        Arc::clone(&self.stopped)
    }

    pub(crate) fn stopped(&self) -> Option<String> {
        self.stopped.get().cloned()
    }

    pub(crate) async fn append(&self, batch: Batch) -> Result<Outcome, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Append(Box::new(batch), reply)).await?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Runs `work` in a transaction of its own.
    pub(crate) async fn write(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.ask_write(Box::new(work), false).await
    }

    /// The same, once nothing of what was written before is left in the write-ahead log; `Unavailable`, and
    /// nothing done, while readers are in the way.
    pub(crate) async fn write_behind_empty_log(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.ask_write(Box::new(work), true).await
    }

    async fn ask_write(&self, work: Work, empties_log: bool) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Write(Write { work, empties_log, reply })).await?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn ask(&self, job: Job) -> Result<(), StoreError> {
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        self.jobs.as_ref().ok_or_else(closed)?.send(job).await.map_err(|_| closed())
    }
}

/// The thread died between taking a job and answering it.
fn gone() -> StoreError {
    StoreError::Unknown("the writer ended".to_owned())
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Turns {
    connection: Connection,
    wal: Wal,
    announce: watch::Sender<u64>,
    stopped: Arc<OnceLock<String>>,
    writes: VecDeque<Write>,
}

impl Turns {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut appends = Vec::new();
        loop {
            if self.writes.is_empty() {
                match waiting.blocking_recv() {
                    Some(job) => self.sort(job, &mut appends),
                    None => break,
                }
            }
            while appends.len() < BATCHES_PER_TRANSACTION_MAX
                && self.writes.len() < WRITES_WAITING_MAX
                && let Ok(job) = waiting.try_recv()
            {
                self.sort(job, &mut appends);
            }
            if !appends.is_empty() {
                self.append(std::mem::take(&mut appends));
            }
            if let Some(write) = self.writes.pop_front() {
                self.write(write);
            }
            self.wal.between_transactions(&self.connection);
        }
        if self.stopped.get().is_none() {
            self.wal.truncate(&self.connection);
        }
    }

    fn sort(&mut self, job: Job, appends: &mut Vec<(Batch, oneshot::Sender<Result<Outcome, StoreError>>)>) {
        match job {
            Job::Append(batch, reply) => appends.push((*batch, reply)),
            Job::Write(write) => self.writes.push_back(write),
        }
    }

    fn write(&mut self, Write { work, empties_log, reply }: Write) {
        let result = if empties_log && self.stopped.get().is_none() && !self.wal.truncate(&self.connection) {
            Err(StoreError::Unavailable("readers keep the write-ahead log from being emptied".to_owned()))
        } else {
            self.transaction(work).and_then(|result| result)
        };
        let _ = reply.send(result);
    }

    fn append(&mut self, appends: Vec<(Batch, oneshot::Sender<Result<Outcome, StoreError>>)>) {
        let (batches, replies): (Vec<_>, Vec<_>) = appends.into_iter().unzip();
        let results = self.transaction(|connection| append::append_all(connection, batches));
        let results = match results.and_then(|results| results) {
            Ok(results) => results,
            Err(error) => replies.iter().map(|_| Err(error.clone())).collect(),
        };
        let news = results.iter().any(|result| matches!(result, Ok(Outcome::Appended(_))));
        for (result, reply) in results.into_iter().zip(replies) {
            let _ = reply.send(result);
        }
        if news {
            self.announce.send_modify(|count| *count += 1);
        }
    }

    /// A transaction around `work`. An error before the commit rolls back, and so does a full disk at the
    /// commit; any other there leaves the outcome unknown and stops the store, because a failed sync cannot be
    /// trusted by reading back.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        if let Some(why) = self.stopped.get() {
            return Err(StoreError::Unavailable(format!("the store stopped: {why}")));
        }
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failed(&error))?;
        let result = work(&self.connection);
        if result.is_err() {
            if let Err(error) = self.roll_back() {
                self.stop(format!("a rollback failed: {error}"));
            }
            return Ok(result);
        }
        match self.connection.execute_batch("COMMIT") {
            Ok(()) => Ok(result),
            // The log's last frame is the one that commits, and it found no room: nothing was committed. (A
            // sync that finds none is an I/O error.)
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DiskFull) && self.roll_back().is_ok() =>
            {
                Err(failed(&error))
            }
            Err(error) => {
                self.stop(format!("a commit failed: {error}"));
                let _ = self.roll_back();
                Err(StoreError::Unknown(error.to_string()))
            }
        }
    }

    fn roll_back(&self) -> rusqlite::Result<()> {
        // SQLite may have rolled back by itself.
        if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch("ROLLBACK") }
    }

    fn stop(&self, why: String) {
        tracing::error!(reason = %why, "the store stops; restart to read back what was stored");
        let _ = self.stopped.set(why);
    }
}

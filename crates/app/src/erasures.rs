//! The list of erasures outside the database: one JSON line for every destroyed key, synced before a deletion
//! is answered. A restore from an older backup demands it, so that nothing erased comes back.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use parlance_store::{Erasure, Keys, StoreError};

/// Pending erasures are drained in pages of this many.
const PAGE: usize = 1_000;
/// Longer than any line of the list.
const LINE_MAX: u64 = 4_096;

/// The list as a file. Clones share it.
#[derive(Clone)]
pub struct ErasureList(Arc<Inner>);

struct Inner {
    path: PathBuf,
    file: Mutex<Option<File>>,
    /// Whether the last attempt to write failed: then deletions are refused until one succeeds.
    failed: AtomicBool,
}

impl ErasureList {
    /// Nothing is opened until it is needed.
    pub fn at(path: &Path) -> Self {
        Self(Arc::new(Inner {
            path: path.to_owned(),
            file: Mutex::new(None),
            failed: AtomicBool::new(false),
        }))
    }

    /// Opens the file, makes its name durable, and cuts off a line that a full disk or a killed process left
    /// unfinished: the next line must not run on from it. What it told is still pending.
    fn open(&self) -> std::io::Result<File> {
        let path = &self.0.path;
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        if let Some(folder) = path.parent() {
            // A relative path's parent may be empty: then it is the folder that we are in.
            let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(here)?.sync_all()?;
        }
        let length = file.metadata()?.len();
        let mut tail = vec![0; usize::try_from(length.min(LINE_MAX)).unwrap_or_default()];
        file.seek(SeekFrom::Start(length - tail.len() as u64))?;
        file.read_exact(&mut tail)?;
        let unfinished = tail.iter().rev().take_while(|byte| **byte != b'\n').count();
        if unfinished > 0 {
            file.set_len(length - unfinished as u64)?;
        }
        Ok(file)
    }

    /// Appends and syncs. Bounded: one write, one sync.
    fn write(&self, erasures: &[Erasure]) -> std::io::Result<()> {
        let lines: String = erasures
            .iter()
            .map(|erasure| {
                let line = serde_json::json!({
                    "account": erasure.account.to_string(),
                    "key": erasure.key.to_string(),
                    "recorded_at": erasure.recorded_at.to_string(),
                });
                format!("{line}\n")
            })
            .collect();
        let mut open = self.0.file.lock().expect("nothing panics while it holds the file");
        let file = match open.take() {
            Some(file) => file,
            None => self.open()?,
        };
        let mut writing = &file;
        writing.write_all(lines.as_bytes())?;
        file.sync_all()?;
        *open = Some(file);
        Ok(())
    }

    async fn try_write(&self, erasures: Vec<Erasure>) -> Result<(), StoreError> {
        let list = self.clone();
        let written = tokio::task::spawn_blocking(move || list.write(&erasures)).await;
        let result = match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        self.0.failed.store(result.is_err(), Ordering::Release);
        result.map_err(|error| {
            let path = self.0.path.display();
            StoreError::Unavailable(format!("the list of erasures {path} cannot be written: {error}"))
        })
    }

    /// Whether a deletion may be taken. After a failure this tries again, with whatever is pending.
    pub async fn ready(&self, store: &impl Keys) -> Result<(), StoreError> {
        if self.0.failed.load(Ordering::Acquire) || self.is_closed() {
            self.drain(store).await
        } else {
            Ok(())
        }
    }

    fn is_closed(&self) -> bool {
        self.0.file.lock().expect("nothing panics while it holds the file").is_none()
    }

    /// Puts everything pending on the list, and confirms it: at start, and after every deletion, before it is
    /// answered. An erasure may be listed twice, never be missing.
    pub async fn drain(&self, store: &impl Keys) -> Result<(), StoreError> {
        loop {
            let pending = store.pending_erasures(PAGE).await?;
            self.try_write(pending.clone()).await?;
            if pending.is_empty() {
                return Ok(());
            }
            store.confirm_erasures(pending).await?;
        }
    }
}

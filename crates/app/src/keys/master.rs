//! The master key: 32 bytes in a file of its own, as 64 hex digits. Whoever has it and the database can read;
//! without it nobody can.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::cipher::Cipher;
use crate::entropy::Entropy;

/// Why there is no master key to start with.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error(
        "the master key file {0} is missing; nothing stored can be read without it: put it back, or restore it from where it is kept"
    )]
    Missing(PathBuf),
    #[error("the master key file {0} must hold 64 hex digits and nothing else")]
    Malformed(PathBuf),
    #[error("the master key file {path} can be read by others (mode {mode:o}); `chmod 600` it")]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("the master key file {path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("the master key is not the one this store was made with")]
    Wrong,
}

/// The key that wraps the accounts' keys.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// For tests and tools that keep it elsewhere.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |error| MasterKeyError::Io { path: path.to_owned(), error };
        let metadata = match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(MasterKeyError::Missing(path.to_owned()));
            }
            other => other.map_err(io)?,
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::TooOpen { path: path.to_owned(), mode });
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(io)?);
        let malformed = || MasterKeyError::Malformed(path.to_owned());
        let digits = text.trim_ascii_end().as_bytes();
        if digits.len() != 64 {
            return Err(malformed());
        }
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
            let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(malformed());
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
        }
        Ok(Self(key))
    }

    /// Makes a new key and its file (mode 0600), durably, and never over an existing one.
    pub fn create(path: &Path, entropy: &Entropy) -> Result<Self, MasterKeyError> {
        let io = |error| MasterKeyError::Io { path: path.to_owned(), error };
        let key = Zeroizing::new(entropy.bytes());
        let text = Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n");
        // Written whole beside its place, then linked into it: a crash leaves no half key, and a link never
        // replaces a file.
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        let linked = std::fs::hard_link(&beside, path);
        std::fs::remove_file(&beside).and(linked).map_err(io)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        Ok(Self(key))
    }

    pub(super) fn cipher(&self) -> Cipher {
        Cipher::new(&self.0)
    }
}

//! Database URLs: which store is meant, and how that is told without the password.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::PostgresUrl;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The embedded store's file.
    Sqlite(PathBuf),
    Postgres(PostgresUrl),
}

/// Why a text is no database URL. It never holds the text: a password may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("the database URL is empty; it is `sqlite://` and a path, or `postgres://user@host/database`")]
    Empty,
    #[error("the database URL `sqlite://` names no file; a path follows, as in `sqlite:///srv/parlance.db`")]
    NoFile,
    #[error("the database URL names no host or database; it is `postgres://user@host/database`")]
    NoHost,
    #[error(
        "the database URL must begin with `sqlite://` (and a path), `postgres://` or `postgresql://` (and \
         user@host/database)"
    )]
    Scheme,
}

impl DatabaseUrl {
    /// Reads `sqlite://path`, `postgres://…` or `postgresql://…`.
    pub fn read(text: &str) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DatabaseUrlError::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Err(DatabaseUrlError::Scheme) };
        match (scheme, rest) {
            ("sqlite", "") => Err(DatabaseUrlError::NoFile),
            ("sqlite", path) => Ok(Self::Sqlite(PathBuf::from(path))),
            ("postgres" | "postgresql", "" | "/") => Err(DatabaseUrlError::NoHost),
            ("postgres" | "postgresql", _) => Ok(Self::Postgres(PostgresUrl(text.to_owned()))),
            _ => Err(DatabaseUrlError::Scheme),
        }
    }

    /// The embedded store's file, if it is that.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

/// What people are shown: a path, or an address without what must stay secret.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

//! Opening the store that a URL names, and bringing it up to date.

use parlance_store::StoreError;
pub use parlance_store_postgres::Migrated;
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use parlance_store_sqlite::{SqliteOptions, SqliteStore};

use crate::{AnyStore, DatabaseUrl};

/// How a store is opened. The defaults are what a server uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Whether [`AnyStore::statements_run`] counts. Costs a little for every statement; for tests.
    pub count_statements: bool,
}

impl AnyStore {
    /// Opens it. The embedded store is made and migrated by that, PostgreSQL never: `Unavailable` says what to do.
    pub async fn open(url: &DatabaseUrl, options: OpenOptions) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let options =
                    SqliteOptions { count_statements: options.count_statements, ..SqliteOptions::default() };
                Ok(SqliteStore::open(path, options)?.into())
            }
            DatabaseUrl::Postgres(url) => {
                Ok(PostgresStore::connect(url.secret(), PostgresOptions::default()).await?.into())
            }
        }
    }

    /// Whether there are no tables of ours yet.
    pub async fn is_empty(url: &DatabaseUrl) -> Result<bool, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(!path.exists()),
            DatabaseUrl::Postgres(url) => Ok(PostgresStore::version(url.secret()).await? == 0),
        }
    }

    /// Brings PostgreSQL up to date; opening the embedded store is that already.
    pub async fn migrate(url: &DatabaseUrl) -> Result<Migrated, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => Err(StoreError::Unavailable(format!(
                "{} is the embedded store, which is migrated when it is opened",
                path.display()
            ))),
            DatabaseUrl::Postgres(url) => PostgresStore::migrate(url.secret()).await,
        }
    }

    /// What the process that holds the embedded store says of itself; `None`: nothing, or nobody holds this kind.
    pub fn announced(url: &DatabaseUrl) -> Option<String> {
        SqliteStore::announced(url.file()?)
    }
}

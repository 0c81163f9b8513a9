//! SQLite keeps the contract of every store.

use parlance_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

async fn make() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(&folder.path().join("parlance.db"), SqliteOptions::default());
    (folder, store.expect("a fresh store opens"))
}

parlance_store::contract_tests!(make);

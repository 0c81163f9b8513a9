//! PostgreSQL keeps the contract of every store.

use parlance_private_postgres::{Database, Server};
use parlance_store_postgres::PostgresStore;

use crate::support;

/// Where there is no PostgreSQL, the process ends without having tested anything, and says so.
async fn make() -> (Database, PostgresStore) {
    let Some(database) = support::database().await else {
        assert!(Server::shared().is_none());
        std::process::exit(0);
    };
    let store = support::store(&database).await;
    (database, store)
}

parlance_store::contract_tests!(make);

//! Migrated databases for tests: migrated once a process, then copied.

pub mod log;
pub mod proxy;

use std::sync::OnceLock;

use parlance_private_postgres::{Database, Options, Server};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio::sync::OnceCell;

/// The name of a migrated database of the shared server, to make others like it.
async fn template(server: &'static Server) -> &'static str {
    static TEMPLATE: OnceCell<Database> = OnceCell::const_new();
    let make = || async {
        let database = server.empty_database().await;
        PostgresStore::migrate(&database.url).await.expect("an empty database is migrated");
        database
    };
    &TEMPLATE.get_or_init(make).await.name
}

/// A migrated database of its own; `None`: there is no PostgreSQL here, which was said loudly.
pub async fn database() -> Option<Database> {
    let server = Server::shared()?;
    Some(server.database_like(template(server).await).await)
}

/// A server that listens on a port, made once a process; where it listens, and what it is.
pub fn listening() -> Option<&'static Server> {
    static LISTENING: OnceLock<Option<Server>> = OnceLock::new();
    let start = || {
        Server::shared()?;
        Some(Server::start(&Options { tcp: true, ..Options::default() }).expect("a server starts"))
    };
    LISTENING.get_or_init(start).as_ref()
}

/// A store on it.
pub async fn store(database: &Database) -> PostgresStore {
    let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await;
    store.expect("a migrated database is connected to")
}

//! One private server for all contenders, as durable as a server is, and databases on it, one after the other.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use parlance_private_postgres::{Options, Server};
use tokio_postgres::{Client, NoTls};

/// The same for everybody. Checkpoints come between turns: a random one in the midst of a turn is nobody's fault.
const SETTINGS: [&str; 4] =
    ["shared_buffers = 512MB", "max_wal_size = 8GB", "checkpoint_timeout = 1h", "wal_compression = off"];

/// The server, with how one talks to it.
pub struct Databases {
    server: Server,
    made: AtomicU64,
    runtime: tokio::runtime::Runtime,
}

/// A database of a contender's own.
pub struct Database {
    name: String,
    pub url: String,
}

/// Connects; the connection's task ends with the client.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Databases {
    pub fn start() -> anyhow::Result<Self> {
        let settings = SETTINGS.map(str::to_owned).to_vec();
        let server = Server::start(&Options { durable: true, tcp: false, settings })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { server, made: AtomicU64::new(0), runtime })
    }

    fn admin(&self, statements: &[String]) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let client = connect(&self.server.url("postgres")).await?;
            for statement in statements {
                client.batch_execute(statement).await.with_context(|| statement.clone())?;
            }
            Ok(())
        })
    }

    /// A new empty database; nothing of the turn before is still to be written.
    pub fn create(&self, of: &str) -> anyhow::Result<Database> {
        let name = format!("{of}_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.admin(&[format!("CREATE DATABASE {name} TEMPLATE template0"), "CHECKPOINT".to_owned()])?;
        Ok(Database { url: self.server.url(&name), name })
    }

    pub fn remove(&self, database: &Database) -> anyhow::Result<()> {
        self.admin(&[format!("DROP DATABASE {} WITH (FORCE)", database.name)])
    }

    pub fn version(&self) -> anyhow::Result<String> {
        self.runtime.block_on(async {
            let client = connect(&self.server.url("postgres")).await?;
            let row = client.query_one("SHOW server_version", &[]).await?;
            Ok(row.get::<_, String>(0).split(' ').next().unwrap_or_default().to_owned())
        })
    }

    /// What is set otherwise than PostgreSQL does by itself.
    pub fn settings() -> String {
        SETTINGS.join(", ")
    }
}

//! A private PostgreSQL server, as durable as a server is, and databases on it, each gone with whoever has it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, anyhow};
use parlance_private_postgres::{Options, Server};
use tokio_postgres::{Client, NoTls};

/// The same for everybody. Checkpoints come between turns: a random one in the midst of a turn is nobody's fault.
const SETTINGS: [&str; 4] =
    ["shared_buffers = 512MB", "max_wal_size = 8GB", "checkpoint_timeout = 1h", "wal_compression = off"];

/// The server. It ends with the last of its databases.
pub struct Databases {
    server: Arc<Server>,
    made: AtomicU64,
}

/// A database of somebody's own, removed with this.
pub struct Database {
    name: String,
    pub url: String,
    server: Arc<Server>,
}

/// Connects; the connection's task ends with the client.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// One after the other, on a thread of their own: who asks may be a task, or may be going.
fn run(url: &str, statements: &[&str]) -> anyhow::Result<Option<String>> {
    let work = || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let client = connect(url).await?;
            let mut answer = None;
            for statement in statements {
                let told = client.simple_query(statement).await.with_context(|| (*statement).to_owned())?;
                answer = told.iter().find_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                });
            }
            Ok(answer)
        })
    };
    thread::scope(|scope| scope.spawn(work).join()).map_err(|_| anyhow!("asking PostgreSQL panicked"))?
}

impl Databases {
    pub fn start() -> anyhow::Result<Self> {
        let settings = SETTINGS.map(str::to_owned).to_vec();
        let server = Server::start(&Options { durable: true, tcp: false, settings })?;
        Ok(Self { server: Arc::new(server), made: AtomicU64::new(0) })
    }

    /// A new empty database; nothing of the turn before is still to be written.
    pub fn create(&self, of: &str) -> anyhow::Result<Database> {
        let name = format!("{of}_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let made = format!("CREATE DATABASE {name} TEMPLATE template0");
        run(&self.server.url("postgres"), &[&made, "CHECKPOINT"])?;
        Ok(Database { url: self.server.url(&name), name, server: Arc::clone(&self.server) })
    }

    pub fn version(&self) -> anyhow::Result<String> {
        let version = run(&self.server.url("postgres"), &["SHOW server_version"])?;
        Ok(version.unwrap_or_default().split(' ').next().unwrap_or_default().to_owned())
    }

    /// What is set otherwise than PostgreSQL does by itself.
    pub fn settings() -> String {
        SETTINGS.join(", ")
    }
}

impl Database {
    /// What a server does by itself within a minute or so, now, so that it is not in the midst of a turn.
    pub fn tidy(&self) -> anyhow::Result<()> {
        run(&self.url, &["VACUUM (ANALYZE)", "CHECKPOINT"]).map(drop)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        if let Err(error) = run(&self.server.url("postgres"), &[&dropped]) {
            eprintln!("{} stays: {error:#}", self.name);
        }
    }
}

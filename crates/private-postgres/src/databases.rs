//! Databases that go when nobody uses them any more.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use tokio_postgres::{Client, NoTls};

use crate::Server;

/// A database, removed with this.
pub struct Database {
    pub name: String,
    /// Its address by the server's socket.
    pub url: String,
    done: mpsc::Sender<String>,
}

impl Drop for Database {
    fn drop(&mut self) {
        // At the process's end everything goes.
        let _ = self.done.send(std::mem::take(&mut self.name));
    }
}

/// Makes databases, and removes them on a thread of its own: whoever drops one may not wait.
pub(crate) struct Janitor {
    admin: String,
    made: AtomicU64,
    done: mpsc::Sender<String>,
}

impl Janitor {
    pub fn new(admin: String) -> Self {
        let (done, waiting) = mpsc::channel();
        let url = admin.clone();
        let clean = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            while let Ok(name) = waiting.recv() {
                runtime.block_on(async {
                    if let Ok(client) = connect(&url).await {
                        let _ = client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
                    }
                });
            }
        };
        // Without the thread the databases go with the server.
        let _ = thread::Builder::new().name("databases".to_owned()).spawn(clean);
        Self { admin, made: AtomicU64::new(0), done }
    }

    pub async fn make(&self, server: &Server, template: &str) -> Database {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let client = connect(&self.admin).await.expect("the private server lets us in");
        let made = format!("CREATE DATABASE {name} TEMPLATE {template}");
        client.batch_execute(&made).await.expect("a database can be made");
        let url = server.url(&name);
        Database { name, url, done: self.done.clone() }
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

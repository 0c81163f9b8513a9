//! A connection to a test's database that no store knows of: to look behind its back, and to spoil what is there.

use parlance_domain::AccountId;
use parlance_stores::DatabaseUrl;
use rusqlite::Connection;
use tokio_postgres::{Client, NoTls};

use crate::{app::PATIENCE, home::settle};

/// Both take the same statements, but for how bytes and an account's id are written.
pub enum Beside {
    Sqlite(Connection),
    /// Each statement has a connection of its own.
    Postgres(String),
}

impl Beside {
    pub(crate) fn open(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite(file) => {
                let connection = Connection::open(file).expect("the file opens");
                connection.busy_timeout(PATIENCE).expect("a time-out is set");
                Self::Sqlite(connection)
            }
            DatabaseUrl::Postgres(url) => Self::Postgres(url.secret().to_owned()),
        }
    }

    /// Runs a statement; how many rows it changed.
    pub fn execute(&self, sql: &str) -> u64 {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, []).expect("the statement runs") as u64,
            Self::Postgres(url) => settle(async {
                connect(url).await.execute(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
            }),
        }
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(connection) => {
                connection.query_row(sql, [], |row| row.get(0)).expect("the query gives a row")
            }
            Self::Postgres(url) => settle(async {
                connect(url).await.query_one(sql, &[]).await.expect("the query gives a row").get(0)
            }),
        }
    }

    /// The bytes that a query gives.
    pub fn bytes(&self, sql: &str) -> Vec<u8> {
        match self {
            Self::Sqlite(connection) => {
                connection.query_row(sql, [], |row| row.get(0)).expect("the query gives a row")
            }
            Self::Postgres(url) => settle(async {
                connect(url).await.query_one(sql, &[]).await.expect("the query gives a row").get(0)
            }),
        }
    }

    /// The one of both that is meant for this database: where the tables themselves differ.
    pub fn either<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }

    /// How a statement writes these bytes.
    pub fn blob(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::bytea"),
        }
    }

    /// How a statement writes an account's id.
    pub fn account(&self, account: AccountId) -> String {
        self.id(account.bytes())
    }

    /// How a statement writes an id of the log or of a key.
    pub fn id(&self, id: [u8; 16]) -> String {
        match self {
            Self::Sqlite(_) => self.blob(&id),
            Self::Postgres(_) => format!("'{}'::uuid", uuid::Uuid::from_bytes(id)),
        }
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.expect("the private server lets us in");
    tokio::spawn(connection);
    client
}

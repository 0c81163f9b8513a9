//! Leases and hints. One process at a time holds the file, so nobody else is told anything, and what a process that
//! has ended held is free as soon as the next one opens it.

use std::time::Duration;

use parlance_store::{
    AccountBucket, Beat, Fence, Hint, Hints, Holding, Lease, Leases, ServerId, StoreError, fair_share,
};
use rusqlite::{Connection, params};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{
    SqliteStore,
    error::failed,
    sql::{signed, unsigned},
};

/// The store's clock, in microseconds.
const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

impl Leases for SqliteStore {
    async fn beat(&self, server: ServerId, ttl: Duration) -> Result<Beat, StoreError> {
        self.written(move |connection| settle(connection, server, ttl).map_err(|error| failed(&error))).await
    }

    async fn leave(&self, server: ServerId) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let server = server.0.as_bytes();
                connection
                    .execute(
                        "UPDATE leases SET server_id = NULL, expires_at = 0 WHERE server_id = ?1",
                        [server],
                    )
                    .and_then(|_| connection.execute("DELETE FROM servers WHERE server_id = ?1", [server]))
                    .map_err(|error| failed(&error))?;
                Ok(())
            })
            .await
    }

    async fn holdings(&self) -> Result<Vec<Holding>, StoreError> {
        self.readers
            .read(move |connection| {
                let find = || {
                    let text = format!(
                        "SELECT bucket, fence, CASE WHEN expires_at > {NOW} THEN server_id END
                         FROM leases ORDER BY bucket"
                    );
                    connection
                        .prepare_cached(&text)?
                        .query_map([], |row| {
                            let server: Option<[u8; 16]> = row.get(2)?;
                            Ok(Holding {
                                bucket: AccountBucket(row.get(0)?),
                                fence: Fence(unsigned(row.get(1)?)),
                                server: server.map(|id| ServerId(Uuid::from_bytes(id))),
                            })
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }
}

/// Frees what a process that has ended held: it cannot hold the file any more. Whether there was anything.
pub(crate) fn free_all(connection: &Connection) -> rusqlite::Result<bool> {
    let held =
        "SELECT EXISTS (SELECT 1 FROM servers) OR EXISTS (SELECT 1 FROM leases WHERE server_id IS NOT NULL)";
    // To remove nothing would be a write all the same.
    if !connection.query_row(held, [], |row| row.get::<_, bool>(0))? {
        return Ok(false);
    }
    connection
        .execute("UPDATE leases SET server_id = NULL, expires_at = 0 WHERE server_id IS NOT NULL", [])?;
    connection.execute("DELETE FROM servers", [])?;
    Ok(true)
}

fn settle(connection: &Connection, server: ServerId, ttl: Duration) -> rusqlite::Result<Beat> {
    let me = server.0.as_bytes();
    let ttl = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX >> 1);
    let now: i64 = connection.query_row(&format!("SELECT {NOW}"), [], |row| row.get(0))?;
    let until = now.saturating_add(ttl);
    connection.execute("DELETE FROM servers WHERE expires_at <= ?1 AND server_id <> ?2", params![now, me])?;
    connection.execute(
        "INSERT INTO servers (server_id, expires_at) VALUES (?1, ?2)
         ON CONFLICT (server_id) DO UPDATE SET expires_at = excluded.expires_at",
        params![me, until],
    )?;
    let servers: u32 = connection.query_row("SELECT count(*) FROM servers", [], |row| row.get(0))?;
    let servers = servers as usize;
    let share = signed(fair_share(servers) as u64);
    connection.execute(
        "UPDATE leases SET server_id = NULL, expires_at = 0 WHERE bucket IN
            (SELECT bucket FROM leases WHERE server_id = ?1 ORDER BY bucket LIMIT -1 OFFSET ?2)",
        params![me, share],
    )?;
    let held: i64 =
        connection.query_row("SELECT count(*) FROM leases WHERE server_id = ?1", [me], |row| row.get(0))?;
    connection.execute(
        "UPDATE leases SET server_id = ?1, fence = fence + 1 WHERE bucket IN
            (SELECT bucket FROM leases
             WHERE server_id IS NULL OR (server_id <> ?1 AND expires_at <= ?2) ORDER BY bucket LIMIT ?3)",
        params![me, now, share - held],
    )?;
    connection.execute("UPDATE leases SET expires_at = ?2 WHERE server_id = ?1", params![me, until])?;
    let held = connection
        .prepare_cached("SELECT bucket, fence FROM leases WHERE server_id = ?1 ORDER BY bucket")?
        .query_map([me], |row| {
            Ok(Lease { bucket: AccountBucket(row.get(0)?), fence: Fence(unsigned(row.get(1)?)) })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Beat { servers, held })
}

/// Whether a write may be made under this fence.
pub(crate) fn check_fence(
    connection: &Connection,
    bucket: AccountBucket,
    fence: Option<Fence>,
) -> Result<(), StoreError> {
    let Some(fence) = fence else { return Ok(()) };
    let stored = connection
        .prepare_cached("SELECT fence FROM leases WHERE bucket = ?1")
        .and_then(|mut statement| statement.query_row([bucket.0], |row| row.get::<_, i64>(0)))
        .map_err(|error| failed(&error))?;
    if unsigned(stored) == fence.0 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the lease of the account's bucket is another server's by now"))
    }
}

impl Hints for SqliteStore {
    fn is_shared(&self) -> bool {
        false
    }

    fn tell(&self, _hint: Hint) {}

    fn told(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }
}

//! Seeing to it that the bytes of destroyed keys leave the database's files.
//!
//! PostgreSQL never writes a row where it was: destroying writes zeros as a new row, and vacuuming the old one only
//! frees its place in the page, with the bytes still in it. So after the vacuum a row as large as all of the page's
//! free space, of zeros, is written into it and taken back: the page stays as it was, and its free space is zeros. That
//! such a row fits is also what shows that the old one is gone: as long as any transaction may see it, it does not.
//!
//! What is left then, and not in our hands: PostgreSQL's own log (until its segments are recycled, and whatever
//! archives or replicas keep of it), backups, and what the file system or the disk keep of overwritten blocks. The page
//! itself is on the disk with the next checkpoint. The role needs to own `data_keys`, as whoever migrated does: nobody
//! else's vacuum does anything.

use parlance_store::{Erasure, StoreError};
use tokio_postgres::{Client, Row, error::SqlState};
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::{connect, settled},
    error::Failure,
};

/// A vacuum of the keys: it passes over pages where nothing changed, so it takes as long as there were changes.
const VACUUM_MAX: std::time::Duration = std::time::Duration::from_secs(300);

/// PostgreSQL's page, its head, the head of a row with all columns but `wrapped` and the length of that, an entry in
/// the page's list of rows, and what rows are rounded up to.
const PAGE_BYTES: i64 = 8_192;
const PAGE_HEAD_BYTES: i64 = 24;
const ROW_HEAD_BYTES: i64 = 64;
const ENTRY_BYTES: i64 = 4;
const ROUND: i64 = 8;
/// The largest row that a page takes.
const ROW_BYTES_MAX: i64 = PAGE_BYTES - PAGE_HEAD_BYTES - 2 * ENTRY_BYTES;
/// Less than the reckoned free space is taken too: entries of rows that are gone may be in the way. Any key's row
/// is larger than this, so with one of them in the page nothing fits.
const SLACK_BYTES: i64 = 48;

const BLOCKS: &str = "\
    SELECT DISTINCT p.block FROM unnest($1::uuid[], $2::uuid[]) AS done(account_id, key_id)
    JOIN erasures_pending p ON p.account_id = done.account_id AND p.key_id = done.key_id
    WHERE p.block IS NOT NULL ORDER BY p.block";

const CONFIRM: &str = "\
    DELETE FROM erasures_pending p USING unnest($1::uuid[], $2::uuid[]) AS done(account_id, key_id)
    WHERE p.account_id = done.account_id AND p.key_id = done.key_id";

/// What the rows of a page take, how long the list of them is, and one of them. By the page's number: it is
/// maintenance, like the vacuum itself, and reads no content.
const PAGE: &str = "\
    SELECT sum(($1::bigint + length(wrapped) + 7) / 8 * 8)::bigint, max((ctid::text::point)[1])::bigint,
           (array_agg(account_id))[1], (array_agg(key_id))[1]
    FROM data_keys WHERE ctid >= ('(' || $2::text || ',0)')::tid AND ctid < ('(' || $3::text || ',0)')::tid";

const FILL: &str = "\
    UPDATE data_keys SET wrapped = $3 WHERE account_id = $1 AND key_id = $2
    RETURNING (ctid::text::point)[0]::bigint";

impl PostgresStore {
    pub(crate) async fn erase(&self, erasures: &[Erasure]) -> Result<(), StoreError> {
        let accounts: Vec<_> = erasures.iter().map(|erasure| erasure.account.uuid()).collect();
        let keys: Vec<_> = erasures.iter().map(|erasure| erasure.key.uuid()).collect();
        let _turn = self.inner.erasing.lock().await;
        let config = settled(self.inner.address.config.clone(), VACUUM_MAX, "on");
        let mut client = connect(&self.inner.address, &config).await?;
        let done = async {
            let found = client.query(BLOCKS, &[&accounts, &keys]).await?;
            let mut blocks = found.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
            let mut tries = self.inner.pool.tries();
            while !blocks.is_empty() {
                client.batch_execute("VACUUM (TRUNCATE OFF) data_keys").await?;
                let mut left = Vec::new();
                for block in blocks {
                    if !is_overwritten(&mut client, block).await? {
                        left.push(block);
                    }
                }
                blocks = left;
                if !blocks.is_empty() && !tries.again().await {
                    return Err(Failure::Store(StoreError::Unavailable(
                        "a transaction that is still open keeps what was erased".to_owned(),
                    )));
                }
            }
            client.execute(CONFIRM, &[&accounts, &keys]).await?;
            Ok(())
        };
        // Whatever went wrong: it is pending still, or confirmed; confirming once more is no harm.
        done.await.map_err(|failure: Failure| failure.given_up())
    }
}

/// Whether the free space of a page of the vacuumed table is zeros now.
async fn is_overwritten(client: &mut Client, block: i64) -> Result<bool, Failure> {
    let page =
        client.query_one(PAGE, &[&ROW_HEAD_BYTES, &block.to_string(), &(block + 1).to_string()]).await?;
    let Some(reckoned) = free_bytes(&page)? else {
        // No row is left in it, and so nothing that could be written there: the next keys are.
        return Ok(true);
    };
    let (account, key): (Uuid, Uuid) = (page.try_get(2)?, page.try_get(3)?);
    let mut filling = client.transaction().await?;
    filling.batch_execute("SET LOCAL lock_timeout = '1s'").await?;
    let mut size = reckoned.min(ROW_BYTES_MAX) / ROUND * ROUND;
    while size >= ROW_HEAD_BYTES && size + SLACK_BYTES >= reckoned.min(ROW_BYTES_MAX) {
        let zeros = vec![0_u8; usize::try_from(size - ROW_HEAD_BYTES).unwrap_or_default()];
        let attempt = filling.savepoint("attempt").await?;
        match attempt.query_opt(FILL, &[&account, &key, &zeros]).await {
            // Taken back with the transaction, as all the others.
            Ok(Some(row)) if row.try_get::<_, i64>(0)? == block => return Ok(true),
            Ok(_) => attempt.rollback().await?,
            // Somebody works with the row.
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        size -= ROUND;
    }
    // So little is free that no key's bytes can be in it.
    Ok(reckoned < ROW_HEAD_BYTES)
}

/// How large a row still fits; `None`: there are no rows.
fn free_bytes(page: &Row) -> Result<Option<i64>, Failure> {
    let (taken, entries): (Option<i64>, Option<i64>) = (page.try_get(0)?, page.try_get(1)?);
    Ok(taken
        .zip(entries)
        .map(|(taken, entries)| PAGE_BYTES - PAGE_HEAD_BYTES - taken - ENTRY_BYTES * (entries + 1)))
}

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

//!
//! Nobody waits for all that: a deletion is answered when its keys are zeros and listed, and one round of it was made or
//! a second has passed. What is left then (somebody's snapshot is open, a page is busy) is tried again by this store's
//! task for as long as the store lives, and by the next store that connects.

use std::{collections::BTreeMap, time::Duration};

use parlance_store::{Erasure, StoreError};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_postgres::{Client, Row, error::SqlState};
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::{IfLost, connect, jittered, settled},
    error::{Failure, Meaning},
    url::Address,
};

/// A vacuum of the keys: it passes over pages where nothing changed, so it takes as long as there were changes.
const VACUUM_MAX: Duration = Duration::from_secs(300);
/// All of a round.
const ROUND_MAX: Duration = Duration::from_secs(600);
/// Keys of a round: what is listed and still in the files is far fewer, unless a snapshot is open for days.
const KEYS_MAX: i64 = 100_000;
/// A deletion waits this long for the round that takes its keys.
const AT_ONCE_MAX: Duration = Duration::from_secs(1);
/// Between a round that left something and the next: at first, and at most. A snapshot of a request is gone in no time,
/// one of a backup in hours.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(60);

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

/// Keys that left no bytes in any page are done with; the others are from now on this module's alone.
const CONFIRM: &str = "\
    WITH done AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS done(account_id, key_id)),
         nowhere AS (DELETE FROM erasures_pending p USING done
                     WHERE p.account_id = done.account_id AND p.key_id = done.key_id AND p.block IS NULL)
    UPDATE erasures_pending p SET listed = true FROM done
    WHERE p.account_id = done.account_id AND p.key_id = done.key_id AND p.block IS NOT NULL";

/// By no account: it is maintenance, like the vacuum itself.
const LISTED: &str = "\
    SELECT account_id, key_id, block FROM erasures_pending WHERE listed AND block IS NOT NULL
    ORDER BY account_id, key_id LIMIT $1";

const ERASED: &str = "\
    DELETE FROM erasures_pending p USING unnest($1::uuid[], $2::uuid[]) AS done(account_id, key_id)
    WHERE p.account_id = done.account_id AND p.key_id = done.key_id AND p.listed";

/// What the rows of a page take, how long the list of them is, and one of them. By the page's number: it is
/// maintenance, like the vacuum itself, and reads no content.
const PAGE: &str = "\
    SELECT sum(($1::bigint + length(wrapped) + 7) / 8 * 8)::bigint, max((ctid::text::point)[1])::bigint,
           (array_agg(account_id))[1], (array_agg(key_id))[1]
    FROM data_keys WHERE ctid >= ('(' || $2::text || ',0)')::tid AND ctid < ('(' || $3::text || ',0)')::tid";

const FILL: &str = "\
    UPDATE data_keys SET wrapped = $3 WHERE account_id = $1 AND key_id = $2
    RETURNING (ctid::text::point)[0]::bigint";

/// The task that takes destroyed keys out of the files.
pub(crate) struct Eraser {
    /// Counts up with every confirmation.
    asked: watch::Sender<u64>,
    ended: watch::Receiver<Ended>,
    task: JoinHandle<()>,
}

/// The last round.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    /// What was confirmed up to this was in it.
    upto: Option<u64>,
    is_clean: bool,
}

impl Eraser {
    /// The first round is for what earlier processes left.
    pub(crate) fn start(address: &Address) -> Self {
        let (asked, asks) = watch::channel(0);
        let (end, ended) = watch::channel(Ended::default());
        let task = tokio::spawn(run(address.clone(), asks, end));
        Self { asked, ended, task }
    }

    /// Waits for the round that takes what was confirmed before, or the first behind it that leaves nothing.
    async fn round(&self, upto: u64, clean: bool) {
        let mut ended = self.ended.clone();
        let is_it = |ended: &Ended| ended.upto >= Some(upto) && (ended.is_clean || !clean);
        // It ends with the store.
        let _ = ended.wait_for(is_it).await;
    }
}

impl Drop for Eraser {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PostgresStore {
    pub(crate) async fn erase(&self, erasures: &[Erasure]) -> Result<(), StoreError> {
        let accounts: &Vec<_> = &erasures.iter().map(|erasure| erasure.account.uuid()).collect();
        let keys: &Vec<_> = &erasures.iter().map(|erasure| erasure.key.uuid()).collect();
        // Confirming once more is no harm.
        self.run(IfLost::Again, move |connection| async move {
            connection.execute(CONFIRM, &[accounts, keys]).await?;
            Ok(())
        })
        .await?;
        let eraser = &self.inner.eraser;
        let mut upto = 0;
        eraser.asked.send_modify(|asked| {
            *asked += 1;
            upto = *asked;
        });
        // What was not done in time is done behind it.
        let _ = timeout(AT_ONCE_MAX, eraser.round(upto, false)).await;
        Ok(())
    }

    /// Waits until all keys that were destroyed and confirmed so far have left the files. There is no end by itself for
    /// as long as anybody's snapshot is open.
    pub async fn erased(&self) {
        let upto = *self.inner.eraser.asked.borrow();
        self.inner.eraser.round(upto, true).await;
    }
}

async fn run(address: Address, mut asks: watch::Receiver<u64>, end: watch::Sender<Ended>) {
    let mut pause = PAUSE_FIRST;
    loop {
        let upto = *asks.borrow_and_update();
        let is_clean = match timeout(ROUND_MAX, round(&address)).await {
            Ok(Ok(0)) => true,
            Ok(Ok(left)) => {
                if pause == PAUSE_MAX {
                    tracing::warn!(
                        left,
                        "an open transaction or a busy page keeps bytes of destroyed keys in the files"
                    );
                }
                false
            }
            Ok(Err(failure)) => {
                if let Meaning::No(error) | Meaning::Again(error) | Meaning::Standby(error) =
                    failure.meaning()
                {
                    tracing::warn!(%error, "bytes of destroyed keys are not taken out of the files; trying again");
                }
                false
            }
            Err(_) => {
                tracing::warn!(
                    "bytes of destroyed keys are not taken out of the files in time; trying again"
                );
                false
            }
        };
        end.send_replace(Ended { upto: Some(upto), is_clean });
        if is_clean {
            pause = PAUSE_FIRST;
            if asks.changed().await.is_err() {
                return;
            }
            continue;
        }
        tokio::select! {
            () = sleep(jittered(pause)) => pause = (pause * 2).min(PAUSE_MAX),
            asked = asks.changed() => if asked.is_err() {
                return;
            },
        }
    }
}

/// Takes what is listed out of the files, and says how many keys may still be in there.
async fn round(address: &Address) -> Result<usize, Failure> {
    let config = settled(address.config.clone(), VACUUM_MAX, "on");
    let mut client = connect(address, &config).await?;
    let mut pages: BTreeMap<i64, (Vec<Uuid>, Vec<Uuid>)> = BTreeMap::new();
    let found = client.query(LISTED, &[&KEYS_MAX]).await?;
    for row in &found {
        let (accounts, keys) = pages.entry(row.try_get(2)?).or_default();
        accounts.push(row.try_get(0)?);
        keys.push(row.try_get(1)?);
    }
    if pages.is_empty() {
        return Ok(0);
    }
    client.batch_execute("VACUUM (TRUNCATE OFF) data_keys").await?;
    // A full page of them: there may be more.
    let mut left = usize::from(i64::try_from(found.len()).is_ok_and(|found| found == KEYS_MAX));
    for (block, (accounts, keys)) in pages {
        if is_overwritten(&mut client, block).await? {
            client.execute(ERASED, &[&accounts, &keys]).await?;
        } else {
            left += keys.len();
        }
    }
    Ok(left)
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

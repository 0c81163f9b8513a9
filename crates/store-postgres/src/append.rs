//! Appending: one call of `append_batch`, and what to do when its answer did not come.

use std::collections::{HashMap, HashSet};

use parlance_domain::{Position, StreamRef, Timestamp};
use parlance_store::{
    Appended, Batch, EVENT_BYTES_MAX, EVENTS_PER_BATCH_MAX, KeyOp, NewEvent, Outcome, RefusedBecause,
    Rejection, StoreError,
};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::Connection,
    doubt,
    error::{Failure, Meaning, corrupt},
    numbers::{signed, unsigned},
};

/// All of a batch's bytes: far below PostgreSQL's bound for a message (1 GiB), and memory that a server can spare.
const BATCH_BYTES_MAX: usize = 256 << 20;

pub(crate) const APPEND: &str = "\
    SELECT before, not_before, recorded_last, stale_places, stale_versions, known_places, known_positions
    FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                      $21, $22, $23, $24, $25, $26, $27, $28, $29)";

impl PostgresStore {
    /// Appends the batch once, however often that has to be asked. A try whose answer was lost is never just repeated:
    /// first it is looked for. Behind that, asking again is safe: of the two at most one can find what it expects, and
    /// when the first one wins late, the second is rejected and it is looked for once more.
    pub(crate) async fn append_once(&self, batch: &Batch) -> Result<Outcome, StoreError> {
        check(batch)?;
        let arrays = Arrays::of(batch);
        let mut tries = self.inner.pool.tries();
        // Why it is not known whether a try before was recorded, or may be yet.
        let mut doubt: Option<String> = None;
        loop {
            let failed = match self.try_append(batch, &arrays, doubt.is_some()).await {
                Ok(outcome) => return Ok(outcome),
                Err(Tried::NotAsked(error)) => error,
                Err(Tried::Failed(Meaning::No(error))) => {
                    return Err(match (doubt, error) {
                        // It would have been refused before, too.
                        (_, error @ StoreError::Refused(_)) | (None, error) => error,
                        (Some(why), _) => StoreError::Unknown(why),
                    });
                }
                Err(Tried::Failed(Meaning::Again(error))) => error,
                Err(Tried::Failed(Meaning::Standby(error))) => {
                    self.inner.pool.forget_idle();
                    error
                }
                Err(Tried::Failed(Meaning::Lost(why))) => {
                    if doubt.is_none() {
                        // What is to be found out has its own time.
                        tries = self.inner.pool.tries();
                    }
                    doubt = Some(why.clone());
                    StoreError::Unknown(why)
                }
            };
            if !tries.again().await {
                return Err(doubt.map_or(failed, StoreError::Unknown));
            }
        }
    }

    async fn try_append(
        &self,
        batch: &Batch,
        arrays: &Arrays<'_>,
        is_in_doubt: bool,
    ) -> Result<Outcome, Tried> {
        let pool = &self.inner.pool;
        let (connection, _permit) = pool.get_to_append().await.map_err(Tried::NotAsked)?;
        let tried = self.try_with(&connection, batch, arrays, is_in_doubt).await;
        if matches!(tried, Err(Failure::Silent)) {
            // Whoever had it next would wait behind a statement that may never end.
            drop(Connection::take(connection));
        }
        Ok(tried?)
    }

    async fn try_with(
        &self,
        connection: &Connection,
        batch: &Batch,
        arrays: &Arrays<'_>,
        is_in_doubt: bool,
    ) -> Result<Outcome, Failure> {
        let pool = &self.inner.pool;
        if is_in_doubt && let Some(appended) = pool.answer(doubt::look(connection, batch)).await? {
            return Ok(Outcome::Appended(appended));
        }
        let asked = pool.answer(ask(connection, batch, arrays)).await;
        // The try before may have come late; then it is why this one is not taken.
        let is_taken = matches!(asked, Ok(Outcome::Appended(_)));
        let is_settled = |failure: &Failure| matches!(failure.meaning(), Meaning::No(_));
        if is_in_doubt
            && !is_taken
            && asked.as_ref().err().is_none_or(is_settled)
            && let Some(appended) = pool.answer(doubt::look(connection, batch)).await?
        {
            return Ok(Outcome::Appended(appended));
        }
        asked
    }
}

enum Tried {
    /// There was no connection.
    NotAsked(StoreError),
    Failed(Meaning),
}

impl From<Failure> for Tried {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.meaning())
    }
}

async fn ask(connection: &Connection, batch: &Batch, arrays: &Arrays<'_>) -> Result<Outcome, Failure> {
    let statement = connection.prepare_cached(APPEND).await?;
    // Only behind the last message, which tells that the transaction has ended, there is a row.
    let row = connection.query_one(&statement, &arrays.parameters(&batch.account.uuid())).await?;
    outcome(batch, &row)
}

fn outcome(batch: &Batch, row: &Row) -> Result<Outcome, Failure> {
    let before: i64 = row.try_get(0)?;
    let stale: Option<Vec<i64>> = row.try_get(3)?;
    let known: Option<Vec<i64>> = row.try_get(5)?;
    if stale.is_none() && known.is_none() {
        let count = batch.events.len() as u64;
        return Ok(Outcome::Appended(Appended {
            first: Position::new(unsigned(before) + 1),
            last: Position::new(unsigned(before) + count),
            not_before: Timestamp::from_micros(row.try_get(1)?),
            recorded_at: Timestamp::from_micros(row.try_get(2)?),
        }));
    }
    let versions: Option<Vec<i64>> = row.try_get(4)?;
    let positions: Option<Vec<i64>> = row.try_get(6)?;
    let nowhere = || corrupt("an answer about nothing in the batch");
    let mut rejection = Rejection::default();
    for (place, version) in stale.into_iter().flatten().zip(versions.into_iter().flatten()) {
        let expectation = at_place(&batch.expectations, place).ok_or_else(nowhere)?;
        rejection.stale.push((expectation.stream, unsigned(version)));
    }
    for (place, position) in known.into_iter().flatten().zip(positions.into_iter().flatten()) {
        let token = at_place(&batch.events, place).and_then(|event| event.dedupe).ok_or_else(nowhere)?;
        rejection.known.push((token, Position::new(unsigned(position))));
    }
    Ok(Outcome::Rejected(rejection))
}

/// PostgreSQL counts from 1.
fn at_place<T>(items: &[T], place: i64) -> Option<&T> {
    items.get(usize::try_from(place).ok()?.checked_sub(1)?)
}

/// What can be told without the log: sizes, and that each event's version follows from its stream's expectation and
/// the events before it.
fn check(batch: &Batch) -> Result<(), StoreError> {
    let refused = |because| Err(StoreError::Refused(because));
    if batch.events.len() > EVENTS_PER_BATCH_MAX {
        return refused(RefusedBecause::TooMany { limit: EVENTS_PER_BATCH_MAX });
    }
    let bytes = |event: &NewEvent| event.payload.len() + event.sealed.as_ref().map_or(0, Vec::len);
    if batch.events.iter().any(|event| bytes(event) > EVENT_BYTES_MAX) {
        return refused(RefusedBecause::TooLarge { limit: EVENT_BYTES_MAX });
    }
    if batch.events.iter().map(bytes).sum::<usize>() > BATCH_BYTES_MAX {
        return refused(RefusedBecause::TooLarge { limit: BATCH_BYTES_MAX });
    }
    let mut versions: HashMap<StreamRef, u64> =
        batch.expectations.iter().map(|expected| (expected.stream, expected.version)).collect();
    for event in &batch.events {
        let Some(version) = versions.get_mut(&event.stream) else {
            return refused(RefusedBecause::Malformed("its stream has no expectation"));
        };
        if version.checked_add(1) != Some(event.version) {
            return refused(RefusedBecause::Malformed("its version does not follow"));
        }
        *version = event.version;
    }
    Ok(())
}

/// The batch in columns, as `append_batch` takes it.
#[derive(Default)]
struct Arrays<'a> {
    expected_types: Vec<&'static str>,
    expected_ids: Vec<Uuid>,
    expected_versions: Vec<i64>,
    stream_types: Vec<&'static str>,
    stream_ids: Vec<Uuid>,
    versions: Vec<i64>,
    event_types: Vec<&'static str>,
    schema_versions: Vec<i32>,
    /// Each the latest so far.
    times: Vec<i64>,
    actor_kinds: Vec<&'static str>,
    actor_ids: Vec<Option<Uuid>>,
    actor_reasons: Vec<Option<&'static str>>,
    correlations: Vec<Uuid>,
    causations: Vec<Uuid>,
    payloads: Vec<&'a [u8]>,
    sealed_parts: Vec<Option<&'a [u8]>>,
    keys: Vec<Option<Uuid>>,
    tokens: Vec<Option<Uuid>>,
    account_keys_new: Vec<&'a [u8]>,
    id_keys_new: Vec<&'a [u8]>,
    keys_new: Vec<Uuid>,
    keys_new_wrapped: Vec<&'a [u8]>,
    keys_destroyed: Vec<Uuid>,
    snapshot_types: Vec<&'static str>,
    snapshot_ids: Vec<Uuid>,
    snapshot_versions: Vec<i64>,
    snapshot_shapes: Vec<i64>,
    snapshot_states: Vec<&'a [u8]>,
}

impl<'a> Arrays<'a> {
    fn of(batch: &'a Batch) -> Self {
        let mut arrays = Self::default();
        for expected in &batch.expectations {
            arrays.expected_types.push(expected.stream.kind.as_str());
            arrays.expected_ids.push(expected.stream.id);
            arrays.expected_versions.push(signed(expected.version));
        }
        let mut latest = i64::MIN;
        for event in &batch.events {
            latest = latest.max(event.recorded_at.micros());
            arrays.event(event, latest);
        }
        arrays.key_ops(&batch.keys);
        // Else a time was lifted here, and the states were made without that.
        if batch.events.is_sorted_by_key(|event| event.recorded_at) {
            arrays.snapshots(batch);
        }
        arrays
    }

    fn event(&mut self, event: &'a NewEvent, latest: i64) {
        let (actor_kind, actor_id, actor_reason) = event.actor.to_columns();
        self.stream_types.push(event.stream.kind.as_str());
        self.stream_ids.push(event.stream.id);
        self.versions.push(signed(event.version));
        self.event_types.push(event.event_type);
        self.schema_versions.push(i32::from(event.schema_version));
        self.times.push(latest);
        self.actor_kinds.push(actor_kind);
        self.actor_ids.push(actor_id);
        self.actor_reasons.push(actor_reason);
        self.correlations.push(event.correlation.uuid());
        self.causations.push(event.causation.uuid());
        self.payloads.push(&event.payload);
        self.sealed_parts.push(event.sealed.as_deref());
        self.keys.push(event.key.map(parlance_domain::KeyId::uuid));
        self.tokens.push(event.dedupe.map(|token| Uuid::from_bytes(token.bytes())));
    }

    /// The function makes keys first and destroys after. That is the same as one after the other, but for a key that
    /// is destroyed before it is made: there is none yet, or the batch is refused.
    fn key_ops(&mut self, ops: &'a [KeyOp]) {
        let mut destroyed: Vec<Uuid> = Vec::new();
        for op in ops {
            match op {
                KeyOp::CreateAccount(keys) => {
                    self.account_keys_new.push(&keys.account_key);
                    self.id_keys_new.push(&keys.id_key);
                }
                KeyOp::Create { key, wrapped } => {
                    destroyed.retain(|before| *before != key.uuid());
                    self.keys_new.push(key.uuid());
                    self.keys_new_wrapped.push(wrapped);
                }
                KeyOp::Destroy { key } => destroyed.push(key.uuid()),
            }
        }
        self.keys_destroyed = destroyed;
    }

    /// The last of each stream that the batch looks at and that has events behind it.
    fn snapshots(&mut self, batch: &'a Batch) {
        let mut there: HashSet<StreamRef> = batch.events.iter().map(|event| event.stream).collect();
        there.extend(batch.expectations.iter().filter(|e| e.version > 0).map(|e| e.stream));
        let mut met = HashSet::new();
        for snapshot in batch.snapshots.iter().rev() {
            if there.contains(&snapshot.stream) && met.insert(snapshot.stream) {
                self.snapshot_types.push(snapshot.stream.kind.as_str());
                self.snapshot_ids.push(snapshot.stream.id);
                self.snapshot_versions.push(signed(snapshot.version));
                self.snapshot_shapes.push(i64::from(snapshot.shape));
                self.snapshot_states.push(&snapshot.state);
            }
        }
    }

    fn parameters<'b>(&'b self, account: &'b Uuid) -> [&'b (dyn ToSql + Sync); 29] {
        [
            account,
            &self.expected_types,
            &self.expected_ids,
            &self.expected_versions,
            &self.stream_types,
            &self.stream_ids,
            &self.versions,
            &self.event_types,
            &self.schema_versions,
            &self.times,
            &self.actor_kinds,
            &self.actor_ids,
            &self.actor_reasons,
            &self.correlations,
            &self.causations,
            &self.payloads,
            &self.sealed_parts,
            &self.keys,
            &self.tokens,
            &self.account_keys_new,
            &self.id_keys_new,
            &self.keys_new,
            &self.keys_new_wrapped,
            &self.keys_destroyed,
            &self.snapshot_types,
            &self.snapshot_ids,
            &self.snapshot_versions,
            &self.snapshot_shapes,
            &self.snapshot_states,
        ]
    }
}

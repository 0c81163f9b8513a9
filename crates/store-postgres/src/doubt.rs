//! Whether a batch whose answer was lost was recorded: looked for where it would be.

use parlance_domain::{Position, Timestamp};
use parlance_store::{Appended, Batch, KeyOp, StoredKey};
use tokio_postgres::types::ToSql;

use crate::{
    connection::Connection,
    error::Failure,
    keys::{account_keys, data_keys},
    log::{head, position},
    numbers::signed,
};

/// The first event at its version, of its cause, and the last one as far behind it as in the batch: that is the batch,
/// all of it. And the time of the event before.
pub(crate) const LOOK: &str = "\
    SELECT first.position, last.recorded_at,
           (SELECT recorded_at FROM events
            WHERE account_id = first.account_id AND position = first.position - 1)
    FROM events first, events last
    WHERE first.account_id = $1 AND first.stream_type = $2 AND first.stream_id = $3 AND first.version = $4
      AND first.causation_id = $5
      AND last.account_id = $1 AND last.stream_type = $6 AND last.stream_id = $7 AND last.version = $8
      AND last.causation_id = $9 AND last.position = first.position + $10";

/// What was answered, or would have been, when the batch was recorded; `None`: it was not, or not yet.
pub(crate) async fn look(connection: &Connection, batch: &Batch) -> Result<Option<Appended>, Failure> {
    let [first, .., last] = &batch.events[..] else {
        return match &batch.events[..] {
            [only] => at(connection, batch, only, only).await,
            _ => of_keys(connection, batch).await,
        };
    };
    at(connection, batch, first, last).await
}

async fn at(
    connection: &Connection,
    batch: &Batch,
    first: &parlance_store::NewEvent,
    last: &parlance_store::NewEvent,
) -> Result<Option<Appended>, Failure> {
    let behind = signed(batch.events.len() as u64 - 1);
    let statement = connection.prepare_cached(LOOK).await?;
    let given: [&(dyn ToSql + Sync); 10] = [
        &batch.account.uuid(),
        &first.stream.kind.as_str(),
        &first.stream.id,
        &signed(first.version),
        &first.causation.uuid(),
        &last.stream.kind.as_str(),
        &last.stream.id,
        &signed(last.version),
        &last.causation.uuid(),
        &behind,
    ];
    let Some(row) = connection.query_opt(&statement, &given).await? else { return Ok(None) };
    let first: i64 = row.try_get(0)?;
    let not_before: Option<i64> = row.try_get(2)?;
    Ok(Some(Appended {
        first: position(first),
        last: position(first + behind),
        not_before: not_before.map_or(Timestamp::default(), Timestamp::from_micros),
        recorded_at: Timestamp::from_micros(row.try_get(1)?),
    }))
}

/// A batch without events: its keys tell. Where it makes none, asking again does no harm, so nothing is told.
async fn of_keys(connection: &Connection, batch: &Batch) -> Result<Option<Appended>, Failure> {
    let mut is_told = false;
    let ids: Vec<_> = batch
        .keys
        .iter()
        .filter_map(|op| match op {
            KeyOp::Create { key, .. } | KeyOp::Destroy { key } => Some(key.uuid()),
            KeyOp::CreateAccount(_) => None,
        })
        .collect();
    let mut stored = data_keys(connection, batch.account, &ids).await?.into_iter();
    for op in &batch.keys {
        match op {
            KeyOp::CreateAccount(keys) => {
                is_told = true;
                if account_keys(connection, batch.account).await?.as_ref() != Some(keys) {
                    return Ok(None);
                }
            }
            KeyOp::Create { key, wrapped } => {
                is_told = true;
                let destroys = KeyOp::Destroy { key: *key };
                match stored.next() {
                    Some(StoredKey::Wrapped(stored)) if stored == *wrapped => {}
                    Some(StoredKey::Destroyed) if batch.keys.contains(&destroys) => {}
                    _ => return Ok(None),
                }
            }
            KeyOp::Destroy { .. } => {
                stored.next();
            }
        }
    }
    if !is_told {
        return Ok(None);
    }
    let head = head(connection, batch.account).await?;
    Ok(Some(Appended {
        first: Position::new(head.position.number() + 1),
        last: head.position,
        not_before: head.recorded_at,
        recorded_at: head.recorded_at,
    }))
}

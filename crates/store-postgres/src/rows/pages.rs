//! Pages of folded events: for each its checkpoint, the fence, and its changes in bulk, one statement a table and kind
//! of change. All pages of a call are one transaction of two round trips.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::AccountId;
use parlance_projections::{Change, TABLES, Table, Value};
use parlance_store::{AccountBucket, Fence, PageWrite, ParkedStream, RefusedBecause, StoreError};

use super::{SQL, arrays};
use crate::{
    connection::Connection,
    error::Failure,
    numbers::signed,
    pipeline::{Call, Open},
};

/// Rows that one statement takes: beyond some thousands a larger one is no faster, and takes memory twice.
const ROWS_PER_STATEMENT_MAX: usize = 4_096;
/// Bytes that one statement takes, at about: the server and this side hold them at the same time.
const BYTES_PER_STATEMENT_MAX: usize = 16 * 1024 * 1024;

/// A statement of a page, and what it means when it finds no row.
struct Step<'a> {
    call: Call<'a>,
    or_conflict: Option<&'static str>,
}

impl<'a> From<Call<'a>> for Step<'a> {
    fn from(call: Call<'a>) -> Self {
        Self { call, or_conflict: None }
    }
}

pub(crate) async fn write_pages(connection: &Connection, pages: &[PageWrite]) -> Result<(), Failure> {
    if pages.is_empty() {
        return Ok(());
    }
    // Everybody locks checkpoints in one order, so no two wait for each other. Pages of different checkpoints have
    // nothing in common; those of the same one stay in their order.
    let mut ordered: Vec<_> = pages.iter().collect();
    ordered.sort_by_key(|page| (page.account, page.projection, page.generation));
    let mut steps = Vec::new();
    for page in ordered {
        plan(page, &mut steps)?;
    }
    let (calls, conflicts): (Vec<_>, Vec<_>) =
        steps.into_iter().map(|step| (step.call, step.or_conflict)).unzip();
    let open = Open::new(connection);
    let counts = open.write(Some("BEGIN"), &calls).await?;
    for (count, or_conflict) in counts.iter().zip(conflicts) {
        if let (0, Some(why)) = (count, or_conflict) {
            return Err(StoreError::Conflict(why).into());
        }
    }
    open.commit().await
}

fn plan<'a>(page: &'a PageWrite, steps: &mut Vec<Step<'a>>) -> Result<(), StoreError> {
    // The checkpoint's row first: whoever else writes this read model waits here, and finds it moved.
    steps.push(checkpoint(page));
    steps.extend(check_fence(page.account, page.fence));
    plan_changes(page, steps)?;
    steps.extend(parked(page).map(Step::from));
    Ok(())
}

fn checkpoint(page: &PageWrite) -> Step<'_> {
    let text = match page.from {
        None => {
            "INSERT INTO checkpoints (account_id, projection, generation, position, taken, version)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account_id, projection, generation) DO NOTHING"
        }
        Some(_) => {
            "UPDATE checkpoints SET position = $4, taken = $5, version = $6
             WHERE account_id = $1 AND projection = $2 AND generation = $3
               AND position = $7 AND taken = $8 AND version = $9"
        }
    };
    let mut call = Call::new(text).with(page.account.uuid()).with(page.projection).with(page.generation.0);
    for point in [Some(&page.to), page.from.as_ref()].into_iter().flatten() {
        call = call.with(signed(point.position.number())).with(signed(point.taken));
        call = call.with(i64::from(point.version));
    }
    Step { call, or_conflict: Some("the projection's checkpoint is another by now") }
}

/// Whether a write may be made under this fence.
fn check_fence(account: AccountId, fence: Option<Fence>) -> Option<Step<'static>> {
    let fence = fence?;
    Some(Step { call: check_fence_of(account, fence), or_conflict: Some(FENCE_MOVED) })
}

pub(crate) const FENCE_MOVED: &str = "the lease of the account's bucket is another server's by now";

/// Finds one row while the fence is the bucket's.
pub(crate) fn check_fence_of(account: AccountId, fence: Fence) -> Call<'static> {
    let bucket = i64::from(AccountBucket::of(account).0);
    Call::new("SELECT 1 FROM leases WHERE bucket = $1::bigint AND fence = $2")
        .with(bucket)
        .with(signed(fence.0))
}

/// Changes of one table that do not depend on each other's order, besides that the removals by prefix come first.
#[derive(Default)]
struct Group<'a> {
    prefixes: BTreeSet<&'a [Value]>,
    puts: BTreeMap<&'a [Value], &'a [Value]>,
    removes: BTreeSet<&'a [Value]>,
    adds: BTreeMap<&'a [Value], Vec<i64>>,
}

impl<'a> Group<'a> {
    /// Takes a change, unless it must come after what is here.
    fn take(&mut self, change: &'a Change) -> bool {
        match change {
            Change::RemovePrefix { prefix, .. } => {
                if !(self.puts.is_empty() && self.removes.is_empty() && self.adds.is_empty()) {
                    return false;
                }
                self.prefixes.insert(prefix);
                true
            }
            Change::Put { table, row } => {
                let key = &row[..TABLES[*table].key.len().min(row.len())];
                if self.removes.contains(key) || self.adds.contains_key(key) {
                    return false;
                }
                self.puts.insert(key, row);
                true
            }
            Change::Remove { key, .. } => {
                if self.puts.contains_key(key.as_slice()) || self.adds.contains_key(key.as_slice()) {
                    return false;
                }
                self.removes.insert(key);
                true
            }
            Change::Add { key, by, .. } => {
                if self.puts.contains_key(key.as_slice()) || self.removes.contains(key.as_slice()) {
                    return false;
                }
                let sum = self.adds.entry(key).or_insert_with(|| vec![0; by.len()]);
                for (sum, by) in sum.iter_mut().zip(by) {
                    *sum = sum.saturating_add(*by);
                }
                true
            }
        }
    }
}

fn plan_changes<'a>(page: &'a PageWrite, steps: &mut Vec<Step<'a>>) -> Result<(), StoreError> {
    let mut groups: BTreeMap<usize, Group<'a>> = BTreeMap::new();
    for change in &page.changes {
        let (Change::RemovePrefix { table, .. }
        | Change::Put { table, .. }
        | Change::Remove { table, .. }
        | Change::Add { table, .. }) = change;
        let group = groups.entry(*table).or_default();
        if !group.take(change) {
            plan_group(page, TABLES[*table], std::mem::take(group), steps)?;
            group.take(change);
        }
    }
    groups.into_iter().try_for_each(|(table, group)| plan_group(page, TABLES[table], group, steps))
}

fn plan_group<'a>(
    page: &PageWrite,
    table: &'static Table,
    group: Group<'a>,
    steps: &mut Vec<Step<'a>>,
) -> Result<(), StoreError> {
    let sql = &SQL[table.id];
    let scoped = |text| Call::new(text).with(page.account.uuid()).with(page.generation.0);
    let all = || table.key.iter().chain(table.columns);
    let too_long = || StoreError::Refused(RefusedBecause::Malformed("a key is longer than its table's"));
    for count in 0..=table.key.len() {
        let of_this_length = group.prefixes.iter().copied().filter(|prefix| prefix.len() == count);
        let prefixes: Vec<_> = of_this_length.collect();
        for chunk in chunks(&prefixes) {
            steps.push(
                scoped(&sql.remove[count]).with_arrays(arrays(table.key[..count].iter(), chunk)?).into(),
            );
        }
    }
    if group.prefixes.iter().any(|prefix| prefix.len() > table.key.len()) {
        return Err(too_long());
    }
    let removes: Vec<_> = group.removes.into_iter().collect();
    for chunk in chunks(&removes) {
        steps.push(scoped(&sql.remove[table.key.len()]).with_arrays(arrays(table.key.iter(), chunk)?).into());
    }
    let puts: Vec<_> = group.puts.into_values().collect();
    for chunk in chunks(&puts) {
        steps.push(scoped(&sql.put).with_arrays(arrays(all(), chunk)?).into());
    }
    let (added, by): (Vec<_>, Vec<_>) = group.adds.into_iter().unzip();
    for (chunk, by) in added.chunks(ROWS_PER_STATEMENT_MAX).zip(by.chunks(ROWS_PER_STATEMENT_MAX)) {
        let mut add = scoped(&sql.add).with_arrays(arrays(table.key.iter(), chunk)?);
        for column in 0..table.columns.len() {
            add = add.with(by.iter().map(|by| by.get(column).copied().unwrap_or(0)).collect::<Vec<_>>());
        }
        steps.push(add.into());
        steps.push(scoped(&sql.prune).with_arrays(arrays(table.key.iter(), chunk)?).into());
    }
    Ok(())
}

/// As many rows as one statement takes.
fn chunks<'r, 'a>(rows: &'r [&'a [Value]]) -> impl Iterator<Item = &'r [&'a [Value]]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let mut fits = |row: &&[Value]| {
            bytes += row.iter().map(size).sum::<usize>();
            bytes <= BYTES_PER_STATEMENT_MAX
        };
        let count = rest.iter().take(ROWS_PER_STATEMENT_MAX).take_while(|row| fits(row)).count();
        // One that is larger alone goes alone.
        let (chunk, after) = rest.split_at(count.max(1).min(rest.len()));
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Int(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

fn parked(page: &PageWrite) -> Option<Call<'_>> {
    // One line a stream: the last word on it counts.
    let parked: BTreeMap<_, _> = page.parked.iter().map(|parked| (parked.stream, parked)).collect();
    if parked.is_empty() {
        return None;
    }
    let of = |number: fn(&ParkedStream) -> u64| -> Vec<_> {
        parked.values().map(|parked| signed(number(parked))).collect()
    };
    let call = Call::new(
        "INSERT INTO parked_streams (account_id, projection, generation, stream_type, stream_id, position, events,
                                     reason)
         SELECT $1::uuid, $2::text, $3::bigint, given.*
         FROM unnest($4::text[], $5::uuid[], $6::bigint[], $7::bigint[], $8::text[]) AS given
         ON CONFLICT (account_id, projection, generation, stream_type, stream_id)
         DO UPDATE SET events = excluded.events",
    );
    Some(
        call.with(page.account.uuid())
            .with(page.projection)
            .with(page.generation.0)
            .with(parked.keys().map(|stream| stream.kind.as_str()).collect::<Vec<_>>())
            .with(parked.keys().map(|stream| stream.id).collect::<Vec<_>>())
            .with(of(|parked| parked.position.number()))
            .with(of(|parked| parked.events))
            // Text cannot hold a zero here.
            .with(parked.values().map(|parked| parked.reason.replace('\0', "\u{fffd}")).collect::<Vec<_>>()),
    )
}

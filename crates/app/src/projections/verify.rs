//! Verify: replays the log into a generation of its own, compares row by row with the live rows at the same
//! checkpoint, names every difference, and throws the replayed rows away.

use std::fmt;

use parlance_domain::{AccountId, Position};
use parlance_projections::{PROJECTORS, Projector, Row, Table, Value};
use parlance_store::{Checkpoint, EventLog, FIRST_GENERATION, Generation, ReadModels, StoreError};

use super::fold::AccountFold;

/// Replay works through large pages: nobody waits for it.
const PAGE: usize = 5_000;
/// Rows compared at a time.
const ROWS: usize = 2_000;
/// Differences named per table; a broken fold would name every row.
const FINDINGS_PER_TABLE_MAX: usize = 100;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The checkpoint contradicts itself or the log.
    Checkpoint { position: Position, taken: u64, head: Position },
    /// The log says there is such a row.
    Missing,
    /// The log knows no such row.
    Unexpected,
    /// The row differs in these columns.
    Differs { columns: Vec<&'static str> },
    /// Further differences of the table were not listed.
    More,
}

/// One difference between the live rows and their replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub account: AccountId,
    pub projection: &'static str,
    /// Empty for a checkpoint.
    pub table: &'static str,
    /// The row's key, as text.
    pub key: String,
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account, self.projection)?;
        match &self.problem {
            Problem::Checkpoint { position, taken, head } => write!(
                f,
                ": the checkpoint says position {position} and {taken} events taken, the log ends at {head}"
            ),
            Problem::Missing => write!(f, ": {}({}) is missing", self.table, self.key),
            Problem::Unexpected => write!(f, ": {}({}) should not be there", self.table, self.key),
            Problem::Differs { columns } => {
                write!(f, ": {}({}) differs in {}", self.table, self.key, columns.join(", "))
            }
            Problem::More => write!(f, ": {} differs in more rows, not listed", self.table),
        }
    }
}

/// Verifies every projection of one account, each at its own checkpoint. Nothing may fold the account
/// meanwhile. Empty: the rows are what the log says.
pub async fn verify(
    store: &(impl EventLog + ReadModels),
    account: AccountId,
) -> Result<Vec<Finding>, StoreError> {
    let head = store.head(account).await?.position;
    let mut findings = Vec::new();
    for projector in PROJECTORS {
        let live = store.checkpoint(account, projector.name(), FIRST_GENERATION).await?;
        let checkpoint = live.unwrap_or(Checkpoint { version: projector.version(), ..Checkpoint::default() });
        let Checkpoint { position, taken, .. } = checkpoint;
        if taken != position.number() || position > head {
            findings.push(Finding {
                account,
                projection: projector.name(),
                table: "",
                key: String::new(),
                problem: Problem::Checkpoint { position, taken, head },
            });
        }
        // Where the two numbers of a moved checkpoint differ, the rows are those of the events taken.
        let until = Position::new(taken).min(head);
        let scratch = scratch_generation(store, account, projector).await?;
        let compared = replay_and_compare(store, account, projector, scratch, until, &mut findings).await;
        store.drop_generation(account, projector.name(), projector.tables(), scratch).await?;
        compared?;
    }
    Ok(findings)
}

/// A generation that no checkpoint names. What an interrupted verify left there is removed first.
async fn scratch_generation(
    store: &impl ReadModels,
    account: AccountId,
    projector: &'static dyn Projector,
) -> Result<Generation, StoreError> {
    const SCRATCH: Generation = Generation(i64::MAX);
    store.drop_generation(account, projector.name(), projector.tables(), SCRATCH).await?;
    Ok(SCRATCH)
}

async fn replay_and_compare(
    store: &(impl EventLog + ReadModels),
    account: AccountId,
    projector: &'static dyn Projector,
    scratch: Generation,
    until: Position,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let mut replay = AccountFold::resume(store, account, scratch, None, &[projector]).await?;
    while replay.page(store, PAGE, Some(until)).await? {}
    for table in projector.tables() {
        compare(store, account, projector, table, scratch, findings).await?;
    }
    Ok(())
}

/// A table's rows in key order, a page at a time.
struct Cursor<'a, S> {
    store: &'a S,
    account: AccountId,
    generation: Generation,
    table: &'static Table,
    page: std::vec::IntoIter<Row>,
    last: Option<Vec<Value>>,
    ended: bool,
}

impl<S: ReadModels> Cursor<'_, S> {
    async fn next(&mut self) -> Result<Option<Row>, StoreError> {
        loop {
            if let Some(row) = self.page.next() {
                return Ok(Some(row));
            }
            if self.ended {
                return Ok(None);
            }
            let rows = self
                .store
                .scan_rows(self.account, self.generation, self.table, self.last.take(), ROWS)
                .await?;
            self.ended = rows.len() < ROWS;
            self.last = rows.last().map(|row| row[..self.table.key.len()].to_vec());
            self.page = rows.into_iter();
        }
    }
}

async fn compare(
    store: &impl ReadModels,
    account: AccountId,
    projector: &'static dyn Projector,
    table: &'static Table,
    scratch: Generation,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let cursor = |generation| Cursor {
        store,
        account,
        generation,
        table,
        page: Vec::new().into_iter(),
        last: None,
        ended: false,
    };
    let (mut live, mut replayed) = (cursor(FIRST_GENERATION), cursor(scratch));
    let (mut a, mut b) = (live.next().await?, replayed.next().await?);
    let width = table.key.len();
    let mut found = 0;
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a[..width].cmp(&b[..width]),
        };
        let (row, problem) = match order {
            std::cmp::Ordering::Less => {
                (std::mem::replace(&mut a, live.next().await?), Some(Problem::Unexpected))
            }
            std::cmp::Ordering::Greater => {
                (std::mem::replace(&mut b, replayed.next().await?), Some(Problem::Missing))
            }
            std::cmp::Ordering::Equal => {
                let row = std::mem::replace(&mut a, live.next().await?);
                let other = std::mem::replace(&mut b, replayed.next().await?);
                let columns = differing(table, row.as_deref(), other.as_deref());
                let problem = (!columns.is_empty()).then_some(Problem::Differs { columns });
                (row, problem)
            }
        };
        if let (Some(row), Some(problem)) = (row, problem) {
            found += 1;
            let last = found > FINDINGS_PER_TABLE_MAX;
            findings.push(Finding {
                account,
                projection: projector.name(),
                table: table.name,
                key: if last { String::new() } else { key_text(&row[..width]) },
                problem: if last { Problem::More } else { problem },
            });
            if last {
                return Ok(());
            }
        }
    }
}

fn differing(table: &'static Table, live: Option<&[Value]>, replayed: Option<&[Value]>) -> Vec<&'static str> {
    let (Some(live), Some(replayed)) = (live, replayed) else { return Vec::new() };
    let width = table.key.len();
    let pairs = live[width..].iter().zip(&replayed[width..]);
    table.columns.iter().zip(pairs).filter(|(_, (a, b))| a != b).map(|(column, _)| column.name).collect()
}

/// Ids as hex, the rest as it is: no key holds anything personal.
fn key_text(key: &[Value]) -> String {
    let text = |value: &Value| match value {
        Value::Null => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    key.iter().map(text).collect::<Vec<_>>().join(", ")
}

//! The runner's protocol over maps: load what events name, in rounds; fold, and undo what failed; write the
//! changes as given. It holds the changes to what an adapter can take.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::{DecodeError, Event, RecordedEvent, StreamRef};
use parlance_projections::{
    Change, Column, ColumnType, Folded, Projector, Row, RowKey, Rows, TABLES, Table, Touch, Value,
};

/// Every table's rows, by key.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables(Vec<BTreeMap<RowKey, Row>>);

impl Default for Tables {
    fn default() -> Self {
        Self(vec![BTreeMap::new(); TABLES.len()])
    }
}

/// What the working set of a page knows when it is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowing {
    /// What the events named, from the store each time.
    Named,
    /// What the events named, and what earlier pages left.
    Kept,
    /// Everything, named or not.
    Everything,
}

pub type Decoded = (RecordedEvent, Result<Event, DecodeError>);

pub fn decoded(events: &[RecordedEvent]) -> Vec<Decoded> {
    events.iter().map(|recorded| (recorded.clone(), recorded.decode())).collect()
}

/// One projector on its way through a log.
pub struct Driver<'a> {
    projector: &'a dyn Projector,
    knowing: Knowing,
    rows: Rows,
    pub tables: Tables,
    /// Streams that are parked, each with the position where and the reason why.
    pub parked: BTreeMap<StreamRef, (u64, String)>,
}

impl<'a> Driver<'a> {
    pub fn new(projector: &'a dyn Projector, knowing: Knowing) -> Self {
        Self { projector, knowing, rows: Rows::default(), tables: Tables::default(), parked: BTreeMap::new() }
    }

    /// Folds the log cut into pages of these sizes, and what is left as a last page.
    pub fn run(&mut self, mut log: &[Decoded], pages: impl IntoIterator<Item = usize>) {
        for size in pages {
            let (page, rest) = log.split_at(size.min(log.len()));
            self.page(page);
            log = rest;
        }
        self.page(log);
    }

    pub fn page(&mut self, page: &[Decoded]) {
        if page.is_empty() {
            return;
        }
        if self.knowing != Knowing::Kept {
            self.rows = Rows::default();
        }
        self.load(page);
        for (recorded, event) in page {
            if self.parked.contains_key(&recorded.stream) {
                continue;
            }
            self.rows.begin();
            let folded = match event {
                Ok(event) => self.projector.fold(&mut self.rows, &Folded { recorded, event }),
                Err(error) => panic!("an event of this version is read: {error}"),
            };
            if let Err(error) = folded {
                self.rows.undo();
                self.parked.insert(recorded.stream, (recorded.position.number(), error.to_string()));
            }
        }
        let changes = self.rows.take_changes();
        for change in &changes {
            let (Change::RemovePrefix { table, .. }
            | Change::Put { table, .. }
            | Change::Remove { table, .. }
            | Change::Add { table, .. }) = change;
            assert!(self.projector.tables().iter().any(|own| own.id == *table), "a table of its own");
        }
        self.tables.apply(changes);
        assert!(self.rows.take_changes().is_empty(), "what was taken is not taken again");
    }

    fn load(&mut self, page: &[Decoded]) {
        if self.knowing == Knowing::Everything {
            for table in self.projector.tables() {
                let touch = Touch::new(table, Vec::new());
                let rows = self.tables.begin_with(&touch);
                self.rows.insert_loaded(touch, rows);
            }
        }
        for round in 0..=Rows::ROUNDS_MAX {
            let wanted = self.wanted(page);
            if wanted.is_empty() {
                return;
            }
            assert!(round < Rows::ROUNDS_MAX, "still wanted after the last round: {wanted:?}");
            for touch in wanted {
                let rows = self.tables.begin_with(&touch);
                self.rows.insert_loaded(touch, rows);
            }
        }
    }

    fn wanted(&self, page: &[Decoded]) -> BTreeSet<Touch> {
        let events = page.iter().filter_map(|(recorded, event)| Some((recorded, event.as_ref().ok()?)));
        events
            // A fold that cannot say what it touches fails in the same way when it folds.
            .flat_map(|(recorded, event)| {
                self.projector.touches(&self.rows, &Folded { recorded, event }).unwrap_or_default()
            })
            .filter(|touch| !self.rows.knows(touch))
            .collect()
    }
}

impl Tables {
    pub fn of(&self, table: &Table) -> &BTreeMap<RowKey, Row> {
        &self.0[table.id]
    }

    pub fn of_mut(&mut self, table: &Table) -> &mut BTreeMap<RowKey, Row> {
        &mut self.0[table.id]
    }

    pub fn put(&mut self, table: &Table, row: Row) {
        fits(table, &row);
        self.0[table.id].insert(row[..table.key.len()].to_vec(), row);
    }

    pub fn begin_with(&self, touch: &Touch) -> Vec<Row> {
        let rows = self.0[touch.table].iter().filter(|(key, _)| key.starts_with(&touch.prefix));
        rows.map(|(_, row)| row.clone()).collect()
    }

    /// Writes changes one after the other, as an adapter does.
    pub fn apply(&mut self, changes: Vec<Change>) {
        let prefixes = changes.iter().take_while(|c| matches!(c, Change::RemovePrefix { .. })).count();
        for (place, change) in changes.into_iter().enumerate() {
            match change {
                Change::RemovePrefix { table, prefix } => {
                    assert!(place < prefixes, "removals of prefixes come first");
                    self.0[table].retain(|key, _| !key.starts_with(&prefix));
                }
                Change::Put { table, row } => {
                    assert!(!TABLES[table].counters, "counters are only added to");
                    self.put(TABLES[table], row);
                }
                Change::Remove { table, key } => {
                    assert!(!TABLES[table].counters, "counters are only added to");
                    self.0[table].remove(&key);
                }
                Change::Add { table, key, by } => self.add(TABLES[table], &key, &by),
            }
        }
    }

    fn add(&mut self, table: &Table, key: &RowKey, by: &[i64]) {
        assert!(table.counters, "only counters are added to");
        let zeros = vec![Value::Int(0); table.columns.len()];
        let row = self.0[table.id].entry(key.clone()).or_insert_with(|| [key.clone(), zeros].concat());
        for (value, by) in row[table.key.len()..].iter_mut().zip(by) {
            let Value::Int(count) = value else { panic!("a counter is a number") };
            *count += by;
            assert!(*count >= 0, "a counter of {} is below zero: {key:?}", table.name);
        }
        if row[table.key.len()..].iter().all(|value| *value == Value::Int(0)) {
            self.0[table.id].remove(key);
        } else {
            fits(table, row);
        }
    }
}

/// A row has a value of the right type for each column.
fn fits(table: &Table, row: &[Value]) {
    let columns: Vec<&Column> = table.key.iter().chain(table.columns).collect();
    assert_eq!(row.len(), columns.len(), "{}", table.name);
    for (place, (value, column)) in row.iter().zip(columns).enumerate() {
        let fits = match value {
            Value::Null => place >= table.key.len(),
            Value::Int(_) => column.kind == ColumnType::Int,
            Value::Text(_) => column.kind == ColumnType::Text,
            Value::Bytes(_) => column.kind == ColumnType::Bytes,
        };
        assert!(fits, "{}.{} is {value:?}", table.name, column.name);
    }
}

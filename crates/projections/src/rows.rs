//! The rows a page of events works on: loaded before the fold, changed in memory, written in bulk after it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{Row, RowKey, TABLES, Table, Value};

/// Rows that a fold wants to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    pub table: usize,
    /// A whole key, or the beginning of one: then all rows that begin so.
    pub prefix: RowKey,
}

impl Touch {
    pub fn new(table: &Table, prefix: RowKey) -> Self {
        Self { table: table.id, prefix }
    }
}

/// A change to be written, in the order: removals of prefixes, then the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    RemovePrefix {
        table: usize,
        prefix: RowKey,
    },
    Put {
        table: usize,
        row: Row,
    },
    Remove {
        table: usize,
        key: RowKey,
    },
    /// For a table of counters: adds to each column; a row whose counters are all zero is removed.
    Add {
        table: usize,
        key: RowKey,
        by: Vec<i64>,
    },
}

#[derive(Clone, Debug, Default)]
struct Entry {
    /// The row as it is now; `None`: there is none. For counters: the loaded row.
    row: Option<Row>,
    /// For counters: what was added since.
    added: Vec<i64>,
    dirty: bool,
}

/// A working set of rows of one account and generation. Cloning is not offered: an event's changes are
/// undone by [`Rows::undo`].
#[derive(Debug)]
pub struct Rows {
    tables: Vec<BTreeMap<RowKey, Entry>>,
    loaded: BTreeSet<Touch>,
    /// The keys of dirty entries, and perhaps of some that an undo has cleaned again.
    changed: BTreeSet<(usize, RowKey)>,
    removed: Vec<Touch>,
    undo: Vec<(usize, RowKey, Option<Entry>)>,
    undo_removed: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            tables: vec![BTreeMap::new(); TABLES.len()],
            loaded: BTreeSet::new(),
            changed: BTreeSet::new(),
            removed: Vec::new(),
            undo: Vec::new(),
            undo_removed: 0,
        }
    }
}

fn begins_with(key: &[Value], prefix: &[Value]) -> bool {
    key.len() >= prefix.len() && &key[..prefix.len()] == prefix
}

fn covers(loaded: &BTreeSet<Touch>, table: usize, key: &[Value]) -> bool {
    (0..=key.len()).any(|length| loaded.contains(&Touch { table, prefix: key[..length].to_vec() }))
}

impl Rows {
    /// No fold needs more than a row, what that row names, and what those name.
    pub const ROUNDS_MAX: usize = 4;

    /// The working set of a projection that has not begun: there are no rows of `tables`, so none need be
    /// looked for.
    pub fn of_nothing(tables: &[&Table]) -> Self {
        let loaded = tables.iter().map(|table| Touch::new(table, RowKey::new())).collect();
        Self { loaded, ..Self::default() }
    }

    /// Whether all rows of `touch` have been loaded.
    pub fn knows(&self, touch: &Touch) -> bool {
        covers(&self.loaded, touch.table, &touch.prefix)
    }

    /// Takes what the store has for `touch`. Rows already here are newer and stay.
    pub fn insert_loaded(&mut self, touch: Touch, rows: Vec<Row>) {
        let table = TABLES[touch.table];
        for row in rows {
            let key = row[..table.key.len()].to_vec();
            let entry = self.tables[touch.table].entry(key);
            // A counter that was added to before it was loaded keeps its additions.
            let entry = entry.or_default();
            if entry.row.is_none() && (table.counters || !entry.dirty) {
                entry.row = Some(row);
            }
        }
        self.loaded.insert(touch);
    }

    /// How many rows are held, so that the runner can bound them.
    pub fn len(&self) -> usize {
        self.tables.iter().map(BTreeMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, table: &Table, key: &[Value]) -> Option<&Row> {
        self.tables[table.id].get(key).and_then(|entry| entry.row.as_ref())
    }

    /// All rows whose key begins with `prefix`, in key order; counters with what was added since.
    pub fn scan(&self, table: &Table, prefix: &[Value]) -> Vec<Row> {
        let entries = self.tables[table.id].range::<[Value], _>((Bound::Included(prefix), Bound::Unbounded));
        let within = entries.take_while(|(key, _)| begins_with(key, prefix));
        if !table.counters {
            return within.filter_map(|(_, entry)| entry.row.clone()).collect();
        }
        within
            .filter_map(|(key, entry)| {
                let counts = counted(table, entry);
                counts.iter().any(|count| *count != 0).then(|| {
                    let mut row = key.clone();
                    row.extend(counts.into_iter().map(Value::Int));
                    row
                })
            })
            .collect()
    }

    pub fn put(&mut self, table: &Table, row: Row) {
        let key = row[..table.key.len()].to_vec();
        self.change(table.id, key, |entry| entry.row = Some(row));
    }

    pub fn remove(&mut self, table: &Table, key: &[Value]) {
        self.change(table.id, key.to_vec(), |entry| entry.row = None);
    }

    /// Adds to a counter row, loaded or not.
    pub fn add(&mut self, table: &Table, key: RowKey, by: &[i64]) {
        self.change(table.id, key, |entry| {
            entry.added.resize(by.len(), 0);
            for (sum, by) in entry.added.iter_mut().zip(by) {
                *sum += by;
            }
        });
    }

    /// Removes every row whose key begins with `prefix`, known here or not.
    pub fn remove_prefix(&mut self, table: &Table, prefix: RowKey) {
        let keys: Vec<_> = self.tables[table.id]
            .range::<[Value], _>((Bound::Included(prefix.as_slice()), Bound::Unbounded))
            .map(|(key, _)| key)
            .take_while(|key| begins_with(key, &prefix))
            .cloned()
            .collect();
        for key in keys {
            let old = self.tables[table.id].insert(key.clone(), Entry::default());
            self.undo.push((table.id, key, old));
        }
        self.removed.push(Touch::new(table, prefix));
    }

    fn change(&mut self, table: usize, key: RowKey, change: impl FnOnce(&mut Entry)) {
        let old = self.tables[table].get(&key).cloned();
        let entry = self.tables[table].entry(key.clone()).or_default();
        change(entry);
        if !entry.dirty {
            entry.dirty = true;
            self.changed.insert((table, key.clone()));
        }
        self.undo.push((table, key, old));
    }

    /// From here on is one event.
    pub fn begin(&mut self) {
        self.undo.clear();
        self.undo_removed = self.removed.len();
    }

    /// Takes back everything since [`Self::begin`].
    pub fn undo(&mut self) {
        while let Some((table, key, old)) = self.undo.pop() {
            match old {
                Some(old) => self.tables[table].insert(key, old),
                None => self.tables[table].remove(&key),
            };
        }
        self.removed.truncate(self.undo_removed);
    }

    /// What has to be written. The rows stay, as the store will have them.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes: Vec<_> = std::mem::take(&mut self.removed)
            .into_iter()
            .map(|Touch { table, prefix }| Change::RemovePrefix { table, prefix })
            .collect();
        for (id, key) in std::mem::take(&mut self.changed) {
            let table = TABLES[id];
            let Some(entry) = self.tables[id].get_mut(&key).filter(|entry| entry.dirty) else { continue };
            entry.dirty = false;
            if table.counters {
                // A counter whose stored value is unknown here stays unknown.
                if covers(&self.loaded, id, &key) {
                    let counts = counted(table, entry);
                    entry.row = Some(key.iter().cloned().chain(counts.into_iter().map(Value::Int)).collect());
                }
                let by = std::mem::take(&mut entry.added);
                if by.iter().any(|by| *by != 0) {
                    changes.push(Change::Add { table: id, key, by });
                }
            } else {
                changes.push(match &entry.row {
                    Some(row) => Change::Put { table: id, row: row.clone() },
                    None => Change::Remove { table: id, key },
                });
            }
        }
        self.undo.clear();
        self.undo_removed = 0;
        changes
    }
}

fn counted(table: &Table, entry: &Entry) -> Vec<i64> {
    let loaded = entry.row.as_ref().map(|row| &row[table.key.len()..]);
    (0..table.columns.len())
        .map(|column| {
            let base = match loaded.and_then(|columns| columns.get(column)) {
                Some(Value::Int(count)) => *count,
                _ => 0,
            };
            base + entry.added.get(column).copied().unwrap_or(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inbox, key};

    fn member(n: u8, since: i64) -> Row {
        vec![vec![n].into(), since.into()]
    }

    fn put(n: u8, since: i64) -> Change {
        Change::Put { table: inbox::MEMBERS.id, row: member(n, since) }
    }

    #[test]
    fn nothing_is_looked_for_before_a_projection_has_begun() {
        let rows = Rows::of_nothing(&[&inbox::MEMBERS]);
        assert!(rows.knows(&Touch::new(&inbox::MEMBERS, key([vec![1].into()]))));
        assert!(rows.knows(&Touch::new(&inbox::MEMBERS, key([]))));
        assert!(!rows.knows(&Touch::new(&inbox::ACCESS, key([vec![1].into()]))));
    }

    #[test]
    fn a_change_is_written_once_and_what_was_undone_never() {
        let mut rows = Rows::default();
        rows.begin();
        rows.put(&inbox::MEMBERS, member(1, 1));
        rows.put(&inbox::MEMBERS, member(1, 2));
        rows.begin();
        rows.put(&inbox::MEMBERS, member(1, 3));
        rows.put(&inbox::MEMBERS, member(2, 3));
        rows.remove_prefix(&inbox::MEMBERS, key([]));
        rows.undo();
        assert_eq!(rows.take_changes(), [put(1, 2)]);
        assert_eq!(rows.take_changes(), []);
        rows.begin();
        rows.remove(&inbox::MEMBERS, &[vec![1].into()]);
        let removed = Change::Remove { table: inbox::MEMBERS.id, key: key([vec![1].into()]) };
        assert_eq!(rows.take_changes(), [removed]);
    }
}

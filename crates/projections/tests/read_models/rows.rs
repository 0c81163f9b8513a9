//! The working set of a page by itself: what is loaded, changed, undone and handed over to be written.

use std::collections::BTreeMap;

use parlance_projections::{
    Change, Row, RowKey, Rows, Touch, Value,
    inbox::{ACCESS, COUNTS},
    key,
};
use proptest::{collection::vec, prelude::*};

use crate::support::{config, driver::Tables};

fn access_key(channel: u8, member: u8) -> RowKey {
    key([vec![channel].into(), vec![member].into()])
}

fn access(channel: u8, member: u8, since: i64) -> Row {
    vec![vec![channel].into(), vec![member].into(), since.into()]
}

fn bucket(channel: u8, state: &str) -> RowKey {
    key([vec![channel].into(), state.into(), vec![].into()])
}

fn counts(channel: u8, state: &str, conversations: i64, contacted: i64) -> Row {
    [bucket(channel, state), vec![conversations.into(), contacted.into()]].concat()
}

fn channel(channel: u8) -> RowKey {
    key([vec![channel].into()])
}

#[test]
fn what_is_loaded_never_overwrites_what_is_newer() {
    let mut rows = Rows::default();
    rows.put(&ACCESS, access(1, 1, 5));
    rows.remove(&ACCESS, &access_key(1, 2));
    let stored = vec![access(1, 1, 1), access(1, 2, 1), access(1, 3, 1)];
    rows.insert_loaded(Touch::new(&ACCESS, channel(1)), stored);
    assert_eq!(rows.scan(&ACCESS, &[]), [access(1, 1, 5), access(1, 3, 1)]);
    let changes = rows.take_changes();
    assert_eq!(
        changes,
        [
            Change::Put { table: ACCESS.id, row: access(1, 1, 5) },
            Change::Remove { table: ACCESS.id, key: access_key(1, 2) },
        ]
    );
    // Written by now, and still newer than what a slow load brings.
    rows.insert_loaded(Touch::new(&ACCESS, access_key(1, 1)), vec![access(1, 1, 1)]);
    assert_eq!(rows.get(&ACCESS, &access_key(1, 1)), Some(&access(1, 1, 5)));
}

#[test]
fn a_counter_that_is_loaded_after_additions_has_both() {
    let mut rows = Rows::default();
    rows.add(&COUNTS, bucket(1, "open"), &[2, 1]);
    rows.insert_loaded(Touch::new(&COUNTS, channel(1)), vec![counts(1, "open", 3, 0)]);
    rows.add(&COUNTS, bucket(1, "open"), &[-1, 0]);
    rows.add(&COUNTS, bucket(1, "closed"), &[1, 1]);
    let known = [counts(1, "closed", 1, 1), counts(1, "open", 4, 1)];
    assert_eq!(rows.scan(&COUNTS, &channel(1)), known);
    let added = |state, by: [i64; 2]| Change::Add { table: COUNTS.id, key: bucket(1, state), by: by.into() };
    assert_eq!(rows.take_changes(), [added("closed", [1, 1]), added("open", [1, 1])]);
    assert_eq!(rows.scan(&COUNTS, &channel(1)), known);
    assert_eq!(rows.take_changes(), [], "what was taken is not taken again");
}

#[test]
fn a_counter_that_was_never_loaded_stays_unknown_when_its_additions_are_written() {
    let mut rows = Rows::default();
    rows.add(&COUNTS, bucket(1, "open"), &[2, 1]);
    assert_eq!(rows.take_changes().len(), 1);
    rows.insert_loaded(Touch::new(&COUNTS, channel(1)), vec![counts(1, "open", 5, 4)]);
    assert_eq!(rows.scan(&COUNTS, &channel(1)), [counts(1, "open", 5, 4)], "not added to twice");
}

#[test]
fn a_counter_at_zero_is_no_row_and_additions_that_cancel_out_are_no_change() {
    let mut rows = Rows::default();
    rows.insert_loaded(Touch::new(&COUNTS, channel(1)), vec![counts(1, "open", 1, 1)]);
    rows.add(&COUNTS, bucket(1, "open"), &[-1, -1]);
    rows.add(&COUNTS, bucket(2, "open"), &[1, 0]);
    rows.add(&COUNTS, bucket(2, "open"), &[-1, 0]);
    assert_eq!(rows.scan(&COUNTS, &[]), Vec::<Row>::new());
    let gone = Change::Add { table: COUNTS.id, key: bucket(1, "open"), by: vec![-1, -1] };
    assert_eq!(rows.take_changes(), [gone]);
}

#[test]
fn a_prefix_is_removed_before_what_is_put_under_it_again() {
    let mut rows = Rows::default();
    rows.insert_loaded(Touch::new(&ACCESS, channel(1)), vec![access(1, 1, 1), access(1, 2, 1)]);
    rows.put(&ACCESS, access(1, 3, 2));
    rows.remove_prefix(&ACCESS, channel(1));
    rows.put(&ACCESS, access(1, 2, 9));
    rows.put(&ACCESS, access(2, 1, 9));
    assert_eq!(rows.scan(&ACCESS, &channel(1)), [access(1, 2, 9)]);
    assert_eq!(
        rows.take_changes(),
        [
            Change::RemovePrefix { table: ACCESS.id, prefix: channel(1) },
            Change::Put { table: ACCESS.id, row: access(1, 2, 9) },
            Change::Put { table: ACCESS.id, row: access(2, 1, 9) },
        ]
    );
}

#[test]
fn what_begins_with_something_loaded_is_known() {
    let mut rows = Rows::default();
    rows.insert_loaded(Touch::new(&ACCESS, channel(1)), Vec::new());
    assert!(rows.knows(&Touch::new(&ACCESS, channel(1))));
    assert!(rows.knows(&Touch::new(&ACCESS, access_key(1, 7))), "and it is known that there is none");
    assert!(!rows.knows(&Touch::new(&ACCESS, Vec::new())));
    assert!(!rows.knows(&Touch::new(&ACCESS, access_key(2, 7))));
    assert!(!rows.knows(&Touch::new(&COUNTS, channel(1))));
}

#[derive(Clone, Debug)]
enum Doing {
    Put(u8, u8, i64),
    Remove(u8, u8),
    RemovePrefix(u8),
    Count(u8, bool, i64),
}

/// What one event does, and whether it fails in the end.
type Happening = (Vec<Doing>, bool);

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        4 => (0..3_u8, 0..3_u8, 1..99_i64).prop_map(|(c, m, since)| Doing::Put(c, m, since)),
        3 => (0..3_u8, 0..3_u8).prop_map(|(c, m)| Doing::Remove(c, m)),
        2 => (0..3_u8).prop_map(Doing::RemovePrefix),
        4 => (0..3_u8, any::<bool>(), -2..3_i64).prop_map(|(c, open, by)| Doing::Count(c, open, by)),
    ]
}

/// Pages of events: whether each begins with an empty working set, and the channels that are loaded for it.
fn pages() -> impl Strategy<Value = Vec<(bool, Vec<u8>, Vec<Happening>)>> {
    let happening = (vec(doing(), 1..5), prop::bool::weighted(0.3));
    vec((prop::bool::weighted(0.3), vec(0..3_u8, 0..3), vec(happening, 0..6)), 1..8)
}

/// The same on plain maps.
#[derive(Clone, Default)]
struct Plain {
    access: BTreeMap<RowKey, Row>,
    counts: BTreeMap<RowKey, i64>,
}

impl Plain {
    fn counted(&self) -> BTreeMap<RowKey, Row> {
        let there = self.counts.iter().filter(|(_, count)| **count != 0);
        let row = |key: &RowKey, count: i64| [key.clone(), vec![count.into(), Value::Int(0)]].concat();
        there.map(|(key, count)| (key.clone(), row(key, *count))).collect()
    }
}

fn does(rows: &mut Rows, plain: &mut Plain, doing: &Doing) {
    match doing {
        Doing::Put(c, m, since) => {
            rows.put(&ACCESS, access(*c, *m, *since));
            plain.access.insert(access_key(*c, *m), access(*c, *m, *since));
        }
        Doing::Remove(c, m) => {
            rows.remove(&ACCESS, &access_key(*c, *m));
            plain.access.remove(&access_key(*c, *m));
        }
        Doing::RemovePrefix(c) => {
            rows.remove_prefix(&ACCESS, channel(*c));
            plain.access.retain(|key, _| !key.starts_with(&channel(*c)));
        }
        Doing::Count(c, open, by) => {
            let key = bucket(*c, if *open { "open" } else { "closed" });
            let count = plain.counts.entry(key.clone()).or_default();
            // No fold takes more than there is.
            let by = (*by).max(-*count);
            *count += by;
            rows.add(&COUNTS, key, &[by, 0]);
        }
    }
}

fn begin_with(rows: &BTreeMap<RowKey, Row>, prefix: &[Value]) -> Vec<Row> {
    rows.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(_, row)| row.clone()).collect()
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn pages_of_changes_with_failures_among_them_end_as_on_plain_maps(pages in pages()) {
        let (mut rows, mut plain, mut tables) = (Rows::default(), Plain::default(), Tables::default());
        for (fresh, loads, happenings) in &pages {
            if *fresh {
                rows = Rows::default();
            }
            for touch in loads.iter().flat_map(|c| [&ACCESS, &COUNTS].map(|t| Touch::new(t, channel(*c)))) {
                let stored = tables.begin_with(&touch);
                rows.insert_loaded(touch, stored);
            }
            for (doings, fails) in happenings {
                let before = plain.clone();
                rows.begin();
                doings.iter().for_each(|doing| does(&mut rows, &mut plain, doing));
                if *fails {
                    rows.undo();
                    plain = before;
                }
                for known in (0..3).map(channel).filter(|c| rows.knows(&Touch::new(&COUNTS, c.clone()))) {
                    prop_assert_eq!(rows.scan(&ACCESS, &known), begin_with(&plain.access, &known));
                    prop_assert_eq!(rows.scan(&COUNTS, &known), begin_with(&plain.counted(), &known));
                }
            }
            tables.apply(rows.take_changes());
            prop_assert_eq!(tables.of(&ACCESS), &plain.access);
            prop_assert_eq!(tables.of(&COUNTS), &plain.counted());
        }
    }
}

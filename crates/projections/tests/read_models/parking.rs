//! An event that cannot be folded leaves no trace: its stream is parked, and everything else goes on as if the
//! rest of that stream had never been.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::StreamRef;
use parlance_projections::{
    FoldError, Folded, PROJECTORS, Projector, Rows, Table, Touch, Value, inbox, thread,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::support::{
    asking, config,
    driver::{Decoded, Driver, Knowing, decoded},
    log::Log,
};

const STEPS_MAX: usize = 160;

/// A projector that, having done all its work, fails at some positions.
struct Failing<'a> {
    inner: &'a dyn Projector,
    at: BTreeSet<u64>,
}

impl Projector for Failing<'_> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn version(&self) -> u32 {
        self.inner.version()
    }

    fn tables(&self) -> &'static [&'static Table] {
        self.inner.tables()
    }

    fn touches(&self, rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        self.inner.touches(rows, event)
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        self.inner.fold(rows, event)?;
        if self.at.contains(&event.recorded.position.number()) {
            return Err(FoldError::Refused("chosen to fail".to_owned()));
        }
        Ok(())
    }
}

/// The log without what is parked when folding fails at these positions, and where streams are parked.
fn without_parked(log: &[Decoded], at: &BTreeSet<u64>) -> (Vec<Decoded>, BTreeMap<StreamRef, u64>) {
    let (mut left, mut parked) = (Vec::new(), BTreeMap::new());
    for event in log {
        let (stream, position) = (event.0.stream, event.0.position.number());
        if at.contains(&position) {
            parked.entry(stream).or_insert(position);
        }
        if !parked.contains_key(&stream) {
            left.push(event.clone());
        }
    }
    (left, parked)
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn an_event_that_fails_to_fold_leaves_no_trace_and_parks_its_stream_alone(
        steps in asking::steps(STEPS_MAX),
        at in vec(any::<Index>(), 1..8),
        pages in vec(1..30_usize, 0..40),
    ) {
        let log = decoded(&Log::of(&steps).events);
        let at: BTreeSet<u64> = at.iter().map(|at| log[at.index(log.len())].0.position.number()).collect();
        let (left, parked) = without_parked(&log, &at);
        for inner in PROJECTORS {
            let mut expected = Driver::new(inner, Knowing::Named);
            expected.run(&left, vec![1; left.len()]);
            prop_assert!(expected.parked.is_empty());
            let failing = Failing { inner, at: at.clone() };
            for knowing in [Knowing::Named, Knowing::Kept] {
                let mut driver = Driver::new(&failing, knowing);
                driver.run(&log, pages.iter().copied());
                prop_assert_eq!(&driver.tables, &expected.tables);
                let found = driver.parked.iter().map(|(stream, (position, _))| (*stream, *position));
                prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), parked.clone());
            }
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_parks_what_reads_it_and_nothing_else(
        steps in asking::steps(STEPS_MAX),
        cut in any::<Index>(),
        chosen in any::<Index>(),
    ) {
        let log = decoded(&Log::of(&steps).events);
        let (before, after) = log.split_at(cut.index(log.len()));
        let state_or_direction: [(&dyn Projector, &'static Table, usize); 2] =
            [(&inbox::InboxProjector, &inbox::CONVERSATIONS, 3), (&thread::ThreadProjector, &thread::MESSAGES, 4)];
        for (projector, table, column) in state_or_direction {
            let mut driver = Driver::new(projector, Knowing::Named);
            driver.run(before, [10, 10]);
            let keys: Vec<_> = driver.tables.of(table).keys().cloned().collect();
            if keys.is_empty() {
                continue;
            }
            let key = &keys[chosen.index(keys.len())];
            driver.tables.of_mut(table).get_mut(key).expect("a row")[column] = Value::from("lost");
            driver.run(after, [7, 1, 30]);

            let (left, mut expected) = (log.clone(), Driver::new(projector, Knowing::Named));
            expected.run(&left, [9, 50]);
            // A row of the same conversation may have missed what was parked.
            let others = |tables: &crate::support::driver::Tables| {
                let rows = tables.of(table).iter().filter(|(other, _)| other[0] != key[0]);
                rows.map(|(_, row)| row.clone()).collect::<Vec<_>>()
            };
            prop_assert_eq!(others(&driver.tables), others(&expected.tables));
            for settled in [&inbox::ACCESS, &inbox::CHANNELS, &inbox::MEMBERS] {
                prop_assert_eq!(driver.tables.of(settled), expected.tables.of(settled));
            }
            for (_, reason) in driver.parked.values() {
                let unread = format!("column {column} of a stored row of `{}`", table.name);
                prop_assert!(reason.starts_with(&unread), "{}", reason);
            }
        }
    }
}

//! Every row, section and count is what the definitions say, after every event.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::catalogue;
use parlance_projections::{
    PROJECTORS, RowReader, Value, inbox,
    thread::{self, ThreadRow},
};
use proptest::{prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};
use uuid::Uuid;

use crate::support::{
    asking, config,
    driver::{Driver, Knowing, Tables, decoded},
    log::Log,
    model::{self, Fact, Section},
};

/// Steps of a log, about half of which are allowed: enough for every conversation to live several lives.
const STEPS_MAX: usize = 240;

fn same(folded: &Tables, facts: &[Fact], projector: &dyn parlance_projections::Projector) {
    let defined = model::tables(facts);
    for table in projector.tables() {
        let (folded, defined) = (folded.of(table), defined.of(table));
        for key in folded.keys().chain(defined.keys()) {
            let after = facts.last().map(|fact| (&fact.name, fact.position));
            assert_eq!(folded.get(key), defined.get(key), "{} after {after:?}", table.name);
        }
    }
}

/// Conversations and unread of each section, summed up from the kept counts as a query does.
fn kept_sections(tables: &Tables, member: Uuid) -> BTreeMap<Section, (i64, i64)> {
    let mut sections = BTreeMap::<Section, (i64, i64)>::new();
    let accessible =
        |channel: &Value| tables.of(&inbox::ACCESS).contains_key(&vec![channel.clone(), member.into()]);
    let place = |state: &Value, assignee: &Value| match (state, assignee) {
        (Value::Text(state), _) if state == "closed" => Section::Closed,
        (_, Value::Bytes(nobody)) if nobody.is_empty() => Section::Unassigned,
        (_, assignee) if *assignee == Value::from(member) => Section::AssignedToMe,
        _ => Section::AssignedToOthers,
    };
    for row in tables.of(&inbox::COUNTS).values().filter(|row| accessible(&row[0])) {
        let mut read = RowReader::new(&inbox::COUNTS, row);
        read.skip(inbox::COUNTS.key.len());
        let sums = sections.entry(place(&row[1], &row[2])).or_default();
        sums.0 += read.int().expect("a count");
        sums.1 += read.int().expect("a count");
    }
    let own = tables.of(&inbox::SEEN).values().filter(|row| row[1] == Value::from(member));
    for row in own.filter(|row| accessible(&row[0])) {
        let mut read = RowReader::new(&inbox::SEEN, row);
        read.skip(inbox::SEEN.key.len());
        sections.entry(place(&row[2], &row[3])).or_default().1 -= read.int().expect("a count");
    }
    sections
}

fn defined_sections(facts: &[Fact], member: Uuid) -> BTreeMap<Section, (i64, i64)> {
    let history = model::History::of(facts);
    let mut sections = BTreeMap::<Section, (i64, i64)>::new();
    for conversation in model::conversations(facts, &history) {
        if let Some(since) = history.now().get(&(conversation.channel, member)) {
            let counts = sections.entry(model::section(member, &conversation)).or_default();
            counts.0 += 1;
            counts.1 += i64::from(model::unread(facts, member, *since, &conversation));
        }
    }
    sections
}

fn sections_hold(tables: &Tables, facts: &[Fact]) {
    for member in model::History::of(facts).everybody() {
        assert_eq!(kept_sections(tables, member), defined_sections(facts, member), "for {member}");
    }
}

fn threads_hold(tables: &Tables, facts: &[Fact]) {
    let mut threads = BTreeMap::<Uuid, Vec<ThreadRow>>::new();
    for row in tables.of(&thread::MESSAGES).values() {
        let row = ThreadRow::from_row(row).expect("a row of this version");
        threads.entry(row.conversation.uuid()).or_default().push(row);
    }
    for (conversation, mut rows) in threads {
        rows.retain(|row| row.present);
        rows.sort_by_key(|row| (row.at, row.position));
        let folded: Vec<_> = rows.iter().map(|row| row.message.uuid()).collect();
        assert_eq!(folded, model::thread_order(facts, conversation));
    }
}

/// Everything, after each of these numbers of events.
fn holds(log: &Log, prefixes: &BTreeSet<usize>) {
    let (facts, page) = (Fact::all(&log.events), decoded(&log.events));
    for projector in PROJECTORS {
        let mut driver = Driver::new(projector, Knowing::Named);
        for (place, event) in page.iter().enumerate() {
            driver.page(std::slice::from_ref(event));
            if prefixes.contains(&(place + 1)) {
                let facts = &facts[..=place];
                same(&driver.tables, facts, projector);
                match projector.name() {
                    "inbox" => sections_hold(&driver.tables, facts),
                    "thread" => threads_hold(&driver.tables, facts),
                    _ => {}
                }
            }
        }
        assert_eq!(driver.parked, BTreeMap::new(), "whatever the rules allow is folded");
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn rows_sections_and_threads_are_what_their_definitions_say(
        steps in asking::steps(STEPS_MAX),
        prefixes in prop::collection::vec(any::<Index>(), 6),
    ) {
        let log = Log::of(&steps);
        let mut prefixes: BTreeSet<_> = prefixes.iter().map(|index| index.index(log.events.len()) + 1).collect();
        prefixes.insert(log.events.len());
        holds(&log, &prefixes);
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn rows_sections_and_threads_hold_after_every_single_event(steps in asking::steps(STEPS_MAX)) {
        let log = Log::of(&steps);
        holds(&log, &(1..=log.events.len()).collect());
    }
}

/// What the random logs must meet for the tests above to say anything.
#[derive(Default, Debug)]
struct Met {
    events: BTreeSet<String>,
    revived: usize,
    unread: usize,
    read: usize,
    seen_by_gaining_access: usize,
    readers_without_access: usize,
    waiting: usize,
    withdrawn: usize,
}

fn meet(met: &mut Met, log: &Log) {
    let facts = Fact::all(&log.events);
    met.events.extend(facts.iter().map(|fact| fact.name.clone()));
    let history = model::History::of(&facts);
    for conversation in model::conversations(&facts, &history) {
        for ((channel, member), since) in history.now() {
            if *channel == conversation.channel && conversation.contact.is_some() {
                let unread = model::unread(&facts, *member, *since, &conversation);
                met.unread += usize::from(unread);
                met.read += usize::from(!unread);
                met.seen_by_gaining_access += usize::from(conversation.contact < Some(*since));
            }
        }
        let gone = |reader| !history.now().contains_key(&(conversation.channel, reader));
        met.readers_without_access += conversation.readers.iter().filter(|reader| gone(**reader)).count();
    }
    for row in model::tables(&facts).of(&thread::MESSAGES).values() {
        let row = ThreadRow::from_row(row).expect("a row of this version");
        met.revived += usize::from(row.incarnation > 1);
        met.waiting += usize::from(!row.present);
        met.withdrawn += usize::from(row.present && row.unsent_at.is_some());
    }
}

#[test]
fn the_random_logs_meet_what_the_read_models_are_about() {
    let mut met = Met::default();
    let mut runner = TestRunner::deterministic();
    for _ in 0..48 {
        let steps = asking::steps(STEPS_MAX).new_tree(&mut runner).expect("a list of steps").current();
        meet(&mut met, &Log::of(&steps));
    }
    for (stream, name, _) in catalogue() {
        let folded = stream.as_str() != "account";
        assert!(!folded || met.events.contains(name), "no {name}");
    }
    let counts = [met.revived, met.unread, met.read, met.seen_by_gaining_access, met.readers_without_access];
    assert!(counts.iter().chain(&[met.waiting, met.withdrawn]).all(|count| *count > 2), "{met:?}");
}

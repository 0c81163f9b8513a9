//! Rows of read models: written, added up, removed, found by key and in key order.

use parlance_domain::AccountId;
use parlance_projections::{
    Change, ColumnType, Row, RowKey, TABLES, Table, Touch, Value,
    inbox::{ACCESS, CONVERSATIONS, COUNTS},
    key,
};
use uuid::Uuid;

use super::{
    given::{Log, fresh_id},
    read_models::page,
};
use crate::{FIRST_GENERATION, Generation, Store};

fn filled(kind: ColumnType, number: i64) -> Value {
    match kind {
        ColumnType::Int => Value::Int(number),
        ColumnType::Text => Value::Text(format!("tëxt {number}")),
        ColumnType::Bytes => Value::Bytes(number.to_be_bytes().to_vec()),
    }
}

/// A row of `table` whose other columns say `number`.
pub(super) fn row(table: &Table, key: RowKey, number: i64) -> Row {
    let columns = table.columns.iter().map(|column| filled(column.kind, number));
    key.into_iter().chain(columns).collect()
}

pub(super) async fn all_rows(
    store: &impl Store,
    account: AccountId,
    generation: Generation,
    table: &'static Table,
) -> Vec<Row> {
    store.scan_rows(account, generation, table, None, usize::MAX).await.expect("rows can be scanned")
}

/// One page after the other, so that a case need not count.
struct Model<S> {
    store: S,
    account: AccountId,
    written: u64,
}

impl<S: Store + Clone> Model<S> {
    fn new(store: &S) -> Self {
        Self { store: store.clone(), account: Log::new(store).account, written: 0 }
    }

    async fn write(&mut self, changes: Vec<Change>) {
        let page = page(self.account, self.written, self.written + 1, changes);
        self.written += 1;
        self.store.write_pages(vec![page]).await.expect("the page is taken");
    }

    async fn load(&self, table: &Table, prefix: RowKey) -> Vec<Row> {
        let touch = Touch::new(table, prefix);
        let loaded = self.store.load_rows(self.account, FIRST_GENERATION, vec![touch.clone()]).await;
        let mut loaded = loaded.expect("rows can be loaded");
        assert_eq!(loaded.len(), 1);
        let (answered, mut rows) = loaded.remove(0);
        assert_eq!(answered, touch);
        rows.sort();
        rows
    }

    async fn scan(&self, table: &'static Table) -> Vec<Row> {
        all_rows(&self.store, self.account, FIRST_GENERATION, table).await
    }
}

fn put(table: &Table, row: &Row) -> Change {
    Change::Put { table: table.id, row: row.clone() }
}

pub async fn every_table_takes_its_rows(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    for table in TABLES {
        let whole: RowKey = table.key.iter().map(|column| filled(column.kind, 7)).collect();
        let other: RowKey = table.key.iter().map(|column| filled(column.kind, 8)).collect();
        let (first, second, beside) = (
            row(table, whole.clone(), 1),
            row(table, whole.clone(), i64::MAX),
            row(table, other.clone(), i64::MIN),
        );
        model.write(vec![put(table, &first), put(table, &beside)]).await;
        assert_eq!(model.scan(table).await, [first, beside.clone()], "{}", table.name);
        model.write(vec![put(table, &second)]).await;
        assert_eq!(model.load(table, whole.clone()).await, [second], "{}", table.name);
        model.write(vec![Change::Remove { table: table.id, key: whole.clone() }]).await;
        assert_eq!(model.load(table, whole).await, Vec::<Row>::new(), "{}", table.name);
        assert_eq!(model.scan(table).await, [beside], "{}", table.name);
    }
}

/// A conversation's row: the id, the channel, who holds it.
fn conversation(id: Uuid, channel: Uuid, assignee: Option<Uuid>) -> Row {
    let mut row = row(&CONVERSATIONS, vec![id.into()], 1);
    for (name, value) in [("channel_id", Some(channel)), ("assignee", assignee), ("profile", None)] {
        let place = CONVERSATIONS.columns.iter().position(|column| column.name == name);
        row[1 + place.expect("a column of the table")] = value.into();
    }
    row
}

pub async fn absent_and_empty_values_are_two_things(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    let mut absent = conversation(Uuid::nil(), fresh_id(), None);
    let mut empty = conversation(Uuid::max(), fresh_id(), None);
    let profile = absent.iter().rposition(|value| *value == Value::Null).expect("profiles are absent");
    empty[profile] = Value::Bytes(vec![]);
    absent[profile] = Value::Null;
    model.write(vec![put(&CONVERSATIONS, &empty), put(&CONVERSATIONS, &absent)]).await;
    assert_eq!(model.scan(&CONVERSATIONS).await, [absent, empty]);
    let no_one = row(&COUNTS, key([fresh_id().into(), "".into(), vec![].into()]), 2);
    model.write(vec![put(&COUNTS, &no_one)]).await;
    assert_eq!(model.load(&COUNTS, no_one[..3].to_vec()).await, [no_one]);
}

pub async fn rows_are_loaded_by_key_and_by_its_beginning(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    let (one, two) = (fresh_id(), fresh_id());
    let mut rows = Vec::new();
    for channel in [one, two] {
        for state in ["open", "open ", "opened"] {
            for assignee in [vec![], vec![0], vec![0, 0]] {
                rows.push(row(&COUNTS, key([channel.into(), state.into(), assignee.into()]), 4));
            }
        }
    }
    rows.sort();
    model.write(rows.iter().map(|row| put(&COUNTS, row)).collect()).await;
    for length in 0..=3 {
        for row in &rows {
            let prefix = row[..length].to_vec();
            let expected: Vec<_> = rows.iter().filter(|row| row.starts_with(&prefix)).cloned().collect();
            assert_eq!(model.load(&COUNTS, prefix).await, expected);
        }
    }
    let touches = vec![
        Touch::new(&COUNTS, key([two.into()])),
        Touch::new(&ACCESS, key([two.into()])),
        Touch::new(&COUNTS, rows[0][..3].to_vec()),
    ];
    let loaded = store.load_rows(model.account, FIRST_GENERATION, touches.clone()).await;
    let loaded = loaded.expect("rows can be loaded");
    assert_eq!(loaded.iter().map(|(touch, _)| touch.clone()).collect::<Vec<_>>(), touches);
    assert_eq!(loaded.iter().map(|(_, rows)| rows.len()).collect::<Vec<_>>(), [9, 0, 1]);
    let elsewhere = store.load_rows(model.account, Generation(2), touches).await.expect("rows can be loaded");
    assert!(elsewhere.iter().all(|(_, rows)| rows.is_empty()));
}

pub async fn a_prefix_takes_its_rows_with_it(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    let (one, two) = (fresh_id(), fresh_id());
    let access =
        |channel: Uuid, member: u128| row(&ACCESS, key([channel.into(), Uuid::from_u128(member).into()]), 1);
    let rows = [access(one, 1), access(one, 2), access(two, 1), access(two, 2)];
    model.write(rows.iter().map(|row| put(&ACCESS, row)).collect()).await;
    // Removed and written again in one page: changes are made in order.
    let removed = Change::RemovePrefix { table: ACCESS.id, prefix: key([one.into()]) };
    model.write(vec![removed, put(&ACCESS, &rows[1])]).await;
    let mut left = rows[1..].to_vec();
    left.sort();
    assert_eq!(model.scan(&ACCESS).await, left);
    model.write(vec![Change::RemovePrefix { table: ACCESS.id, prefix: rows[3][..2].to_vec() }]).await;
    model.write(vec![Change::Remove { table: ACCESS.id, key: rows[0][..2].to_vec() }]).await;
    left.retain(|row| *row != rows[3]);
    assert_eq!(model.scan(&ACCESS).await, left);
    model.write(vec![Change::RemovePrefix { table: ACCESS.id, prefix: vec![] }]).await;
    assert_eq!(model.scan(&ACCESS).await, Vec::<Row>::new());
}

pub async fn counters_sum_and_go_when_they_are_zero(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    let bucket = key([fresh_id().into(), "open".into(), vec![].into()]);
    let other = key([fresh_id().into(), "open".into(), vec![].into()]);
    let add =
        |key: &RowKey, by: [i64; 2]| Change::Add { table: COUNTS.id, key: key.clone(), by: by.to_vec() };
    let counts = |key: &RowKey, counts: [i64; 2]| -> Row {
        key.iter().cloned().chain(counts.map(Value::Int)).collect()
    };
    model.write(vec![add(&bucket, [3, 1]), add(&other, [1, 0]), add(&bucket, [-1, 4])]).await;
    assert_eq!(model.load(&COUNTS, bucket.clone()).await, [counts(&bucket, [2, 5])]);
    model.write(vec![add(&bucket, [-2, 0]), add(&other, [0, 0])]).await;
    assert_eq!(model.load(&COUNTS, bucket.clone()).await, [counts(&bucket, [0, 5])]);
    model.write(vec![add(&bucket, [0, -6])]).await;
    assert_eq!(model.load(&COUNTS, bucket.clone()).await, [counts(&bucket, [0, -1])]);
    model.write(vec![add(&bucket, [0, 1])]).await;
    assert_eq!(model.scan(&COUNTS).await, [counts(&other, [1, 0])]);
    model.write(vec![add(&bucket, [0, 0])]).await;
    assert_eq!(model.scan(&COUNTS).await, [counts(&other, [1, 0])], "nothing added is nothing written");
}

pub async fn rows_are_scanned_in_key_order(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    let mut rows = Vec::new();
    for channel in [Uuid::nil(), Uuid::from_u128(1 << 127), Uuid::max()] {
        for state in ["", "A", "a", "ä", "ab", "b"] {
            for assignee in [vec![], vec![0x7F], vec![0x80], vec![0x80, 0]] {
                rows.push(row(&COUNTS, key([channel.into(), state.into(), assignee.into()]), 1));
            }
        }
    }
    rows.sort();
    model.write(rows.iter().rev().map(|row| put(&COUNTS, row)).collect()).await;
    assert_eq!(model.scan(&COUNTS).await, rows);
    for limit in [1, 5, 7, rows.len() + 1] {
        let mut scanned: Vec<Row> = Vec::new();
        loop {
            let after = scanned.last().map(|row| row[..3].to_vec());
            let page = store.scan_rows(model.account, FIRST_GENERATION, &COUNTS, after, limit).await;
            let page = page.expect("rows can be scanned");
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            scanned.extend(page);
        }
        assert_eq!(scanned, rows, "in pages of {limit}");
    }
    assert_eq!(store.scan_rows(model.account, FIRST_GENERATION, &COUNTS, None, 0).await, Ok(vec![]));
}

pub async fn who_holds_which_conversations_is_found(store: impl Store + Clone) {
    let mut model = Model::new(&store);
    let (here, there, mine, theirs) = (fresh_id(), fresh_id(), fresh_id(), fresh_id());
    let id = |number: u128| Uuid::from_u128(number << 64);
    let held = [
        (0, here, Some(mine)),
        (1, there, Some(mine)),
        (2, here, Some(theirs)),
        (3, here, None),
        (4, here, Some(mine)),
        (5, there, Some(mine)),
    ];
    let rows = held.map(|(number, channel, assignee)| conversation(id(number), channel, assignee));
    model.write(rows.iter().map(|row| put(&CONVERSATIONS, row)).collect()).await;
    let find = async |assignee, channel, after, limit| {
        let found =
            store.held_conversations(model.account, FIRST_GENERATION, assignee, channel, after, limit).await;
        found.expect("conversations can be looked for")
    };
    assert_eq!(find(mine, None, None, 10).await, [id(0), id(1), id(4), id(5)]);
    assert_eq!(find(mine, Some(here), None, 10).await, [id(0), id(4)]);
    assert_eq!(find(mine, None, None, 3).await, [id(0), id(1), id(4)]);
    assert_eq!(find(mine, None, Some(id(4)), 3).await, [id(5)]);
    assert_eq!(find(mine, None, Some(id(0)), 1).await, [id(1)], "the lowest id of all can be passed, too");
    assert_eq!(find(mine, Some(there), Some(id(2)), 3).await, [id(5)]);
    assert_eq!(find(theirs, Some(there), None, 3).await, Vec::<Uuid>::new());
    assert_eq!(find(fresh_id(), None, None, 3).await, Vec::<Uuid>::new());
    let elsewhere = store.held_conversations(model.account, Generation(2), mine, None, None, 9).await;
    assert_eq!(elsewhere, Ok(vec![]));
}

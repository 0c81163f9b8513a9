//! Pages of screens: the rows that a naive look at all of them would give, in the same order.

use parlance_domain::{AccountId, ChannelId, ConversationId, MemberId, Position, Timestamp};
use parlance_projections::{
    Change, ColumnType, Row, RowKey, TABLES, Table, Value,
    deliveries::DELIVERIES,
    inbox::{ACCESS, CONVERSATIONS, COUNTS, State},
    key,
    members::MEMBERS,
    thread::MESSAGES,
};
use uuid::Uuid;

use super::{
    given::{Log, Seed, fresh_id},
    read_models::page,
    rows::row,
};
use crate::{
    Bucket, FIRST_GENERATION, Generation, NAMED_MAX, PAGE_ROWS_MAX, Place, Store, StoreError, ThreadOrder,
    Wanted,
};

async fn write(store: &impl Store, account: AccountId, table: &Table, rows: &[Row]) {
    let changes = rows.iter().map(|row| Change::Put { table: table.id, row: row.clone() }).collect();
    store.write_pages(vec![page(account, 0, 1, changes)]).await.expect("the page is taken");
}

/// Sets columns of a row by their names.
fn with<const N: usize>(table: &Table, mut row: Row, values: [(&str, Value); N]) -> Row {
    for (name, value) in values {
        row[place_of(table, name)] = value;
    }
    row
}

fn place_of(table: &Table, name: &str) -> usize {
    let mut columns = table.key.iter().chain(table.columns);
    columns.position(|column| column.name == name).expect("a column of the table")
}

async fn find(store: &impl Store, account: AccountId, table: &'static Table, keys: Vec<RowKey>) -> Vec<Row> {
    let wanted = vec![Wanted { table, keys }];
    let found = store.find_rows(account, FIRST_GENERATION, wanted).await.expect("rows can be found");
    assert_eq!(found.len(), 1, "one answer for each of the wanted");
    found.concat()
}

pub async fn rows_of_every_table_are_found_by_many_keys(store: impl Store + Clone) {
    for table in TABLES {
        let account = Log::new(&store).account;
        let whole = |number: i64| -> RowKey {
            let value = |kind| match kind {
                ColumnType::Int => Value::Int(number),
                ColumnType::Text => Value::Text(format!("tëxt \"{number}\"\n")),
                ColumnType::Bytes => Value::Bytes(number.to_be_bytes().to_vec()),
            };
            table.key.iter().map(|column| value(column.kind)).collect()
        };
        let rows: Vec<_> = (-3..3).map(|number| row(table, whole(number), number)).collect();
        write(&store, account, table, &rows).await;
        let wanted = vec![whole(2), whole(9), whole(-3), whole(0)];
        let found = find(&store, account, table, wanted.clone()).await;
        assert_eq!(found, [rows[5].clone(), rows[0].clone(), rows[3].clone()], "{}", table.name);
        let beginnings = wanted.into_iter().map(|key| key[..1].to_vec()).collect();
        assert_eq!(find(&store, account, table, beginnings).await.len(), 3, "{}", table.name);
        assert_eq!(find(&store, account, table, vec![]).await, Vec::<Row>::new());
        let elsewhere = Wanted { table, keys: vec![whole(0)] };
        let found = store.find_rows(account, Generation(2), vec![elsewhere.clone()]).await;
        assert_eq!(found, Ok(vec![vec![]]));
        let found = store.find_rows(Log::new(&store).account, FIRST_GENERATION, vec![elsewhere]).await;
        assert_eq!(found, Ok(vec![vec![]]));
    }
}

pub async fn rows_of_several_tables_are_found_by_the_beginnings_of_keys(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let (one, two, three) = (fresh_id(), fresh_id(), fresh_id());
    let count = |channel: Uuid, state: &str, assignee: Vec<u8>| {
        row(&COUNTS, key([channel.into(), state.into(), assignee.into()]), 1)
    };
    let counts = [count(one, "closed", vec![1]), count(one, "open", vec![]), count(two, "open", vec![2])];
    let access = row(&ACCESS, key([two.into(), three.into()]), 1);
    let put = |table: &Table, row: &Row| Change::Put { table: table.id, row: row.clone() };
    let mut changes: Vec<_> = counts.iter().map(|row| put(&COUNTS, row)).collect();
    changes.push(put(&ACCESS, &access));
    store.write_pages(vec![page(account, 0, 1, changes)]).await.expect("the page is taken");
    let of = |channel: Uuid| key([channel.into()]);
    let wanted = vec![
        Wanted { table: &COUNTS, keys: vec![of(two), of(three), of(one)] },
        Wanted { table: &ACCESS, keys: vec![of(one), of(two)] },
    ];
    let mut found = store.find_rows(account, FIRST_GENERATION, wanted).await.expect("rows can be found");
    assert_eq!(found[0][0], counts[2], "in the order of the keys");
    found[0].sort();
    let mut expected = counts.to_vec();
    expected.sort();
    assert_eq!(found, [expected, vec![access]]);
}

pub async fn keys_that_make_no_question_are_refused(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let refused = async |keys| {
        let wanted = vec![Wanted { table: &COUNTS, keys }];
        let answer = store.find_rows(account, FIRST_GENERATION, wanted).await;
        assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    };
    let (channel, state) = (Value::from(fresh_id()), Value::from("open"));
    refused(vec![key([channel.clone()]), key([channel.clone(), state.clone()])]).await;
    refused(vec![key([channel.clone(), state.clone(), channel.clone(), state])]).await;
    refused(vec![key([channel]); NAMED_MAX + 1]).await;
    let bucket = Bucket { channel: ChannelId::default(), state: State::Open, assignee: None };
    let buckets = vec![bucket; NAMED_MAX + 1];
    let answer = store.section_page(account, FIRST_GENERATION, buckets, None, 1).await;
    assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    let threads = vec![ConversationId::default(); PAGE_ROWS_MAX + 1];
    let order = ThreadOrder::OldestFirst;
    let answer = store.thread_pages(account, FIRST_GENERATION, threads, order, None, 1).await;
    assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
}

/// Where a row stands in its order.
fn place(table: &Table, row: &Row, at: &str, position: &str) -> Place {
    match (&row[place_of(table, at)], &row[place_of(table, position)]) {
        (Value::Int(at), Value::Int(position)) => {
            (Timestamp::from_micros(*at), Position::new(u64::try_from(*position).expect("not negative")))
        }
        _ => panic!("places are numbers"),
    }
}

fn section_place(row: &Row) -> Place {
    place(&CONVERSATIONS, row, "last_message_at", "last_message_position")
}

pub async fn a_section_page_is_its_buckets_in_the_order_of_places(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let mut seed = Seed(7);
    let channels = [fresh_id(), fresh_id(), fresh_id()].map(ChannelId::new);
    let assignees = [None, Some(MemberId::new(fresh_id())), Some(MemberId::new(fresh_id()))];
    let states = [State::Open, State::Closed];
    let mut rows = Vec::new();
    for number in 0..400_u64 {
        let bucket = Bucket {
            channel: *seed.one_of(&channels),
            state: *seed.one_of(&states),
            assignee: *seed.one_of(&assignees),
        };
        // Several share a time, some of them before 1970; none shares a place.
        let at = i64::try_from(seed.below(60)).expect("a small number") - 10;
        let whole = row(&CONVERSATIONS, vec![fresh_id().into()], 1);
        let values = [
            ("channel_id", bucket.channel.uuid().into()),
            ("state", bucket.state.as_str().into()),
            ("assignee", bucket.assignee.map(MemberId::uuid).into()),
            ("last_message_at", at.into()),
            ("last_message_position", number.into()),
        ];
        rows.push((bucket, with(&CONVERSATIONS, whole, values)));
    }
    let all: Vec<_> = rows.iter().map(|(_, row)| row.clone()).collect();
    write(&store, account, &CONVERSATIONS, &all).await;
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(section_place(row)));
    for limit in [1, 2, 7, 50, PAGE_ROWS_MAX] {
        let mut buckets = Vec::new();
        for channel in channels {
            for state in states {
                for assignee in assignees {
                    if seed.below(3) > 0 {
                        buckets.push(Bucket { channel, state, assignee });
                    }
                }
            }
        }
        // One that holds nothing is no harm.
        buckets.push(Bucket { channel: ChannelId::new(fresh_id()), state: State::Open, assignee: None });
        let of = rows.iter().filter(|(bucket, _)| buckets.contains(bucket));
        let expected: Vec<_> = of.map(|(_, row)| row.clone()).collect();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.section_page(account, FIRST_GENERATION, buckets.clone(), after, limit).await;
            let page = page.expect("a section can be read");
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(section_place(last));
            found.extend(page);
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
    let all = |account, generation, limit| {
        let bucket = |channel| Bucket { channel, state: State::Open, assignee: None };
        store.section_page(account, generation, channels.map(bucket).into(), None, limit)
    };
    assert_eq!(all(account, Generation(2), 9).await, Ok(vec![]));
    assert_eq!(all(Log::new(&store).account, FIRST_GENERATION, 9).await, Ok(vec![]));
    assert_eq!(all(account, FIRST_GENERATION, 0).await, Ok(vec![]));
    assert_eq!(store.section_page(account, FIRST_GENERATION, vec![], None, 9).await, Ok(vec![]));

    // The same page, its buckets chosen by rows that are found with it.
    let counts: Vec<_> = channels
        .iter()
        .map(|channel| row(&COUNTS, key([channel.uuid().into(), "open".into(), Vec::new().into()]), 1))
        .collect();
    let put = |row: &Row| Change::Put { table: COUNTS.id, row: row.clone() };
    let write = page(account, 1, 2, counts.iter().map(put).collect());
    store.write_pages(vec![write]).await.expect("the page is taken");
    let wanted = || vec![Wanted { table: &COUNTS, keys: vec![key([channels[1].uuid().into()])] }];
    let chosen = [Bucket { channel: channels[2], state: State::Closed, assignee: assignees[1] }];
    let expected = store.section_page(account, FIRST_GENERATION, chosen.into(), None, 9).await;
    let (generation, expected) = (FIRST_GENERATION, expected.expect("a section can be read"));
    assert!(!expected.is_empty());
    let (found, one) = (vec![vec![counts[1].clone()]], counts[1].clone());
    let choose = move |found: &[Vec<Row>]| match found {
        [rows] if *rows == [one] => Ok(chosen.into()),
        _ => Ok(Vec::new()),
    };
    let answer = store.chosen_section_page(account, generation, wanted(), choose, None, 9).await;
    assert_eq!(answer, Ok((found.clone(), expected)));
    let nothing = |_: &[Vec<Row>]| Ok(Vec::new());
    let answer = store.chosen_section_page(account, generation, wanted(), nothing, None, 9).await;
    assert_eq!(answer, Ok((found, vec![])));
    let corrupt = StoreError::Corrupt("a row that nobody wrote".to_owned());
    let error = corrupt.clone();
    let choose = move |_: &[Vec<Row>]| Err(error);
    let answer = store.chosen_section_page(account, generation, wanted(), choose, None, 9).await;
    assert_eq!(answer, Err(corrupt));
}

fn thread_place(row: &Row) -> Place {
    place(&MESSAGES, row, "at", "position")
}

pub async fn threads_are_read_in_pages_from_either_end(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let mut seed = Seed(11);
    let conversations: Vec<_> = (0..4).map(|_| ConversationId::new(fresh_id())).collect();
    let mut rows = Vec::new();
    for number in 0..300_u64 {
        // The last of them has no thread.
        let conversation = *seed.one_of(&conversations[..3]);
        let whole = row(&MESSAGES, vec![conversation.uuid().into(), fresh_id().into()], 1);
        let present = seed.below(5) > 0;
        let at = i64::try_from(seed.below(40)).expect("a small number") - 10;
        let values = [("present", present.into()), ("at", at.into()), ("position", number.into())];
        rows.push((conversation, present, with(&MESSAGES, whole, values)));
    }
    let all: Vec<_> = rows.iter().map(|(_, _, row)| row.clone()).collect();
    write(&store, account, &MESSAGES, &all).await;
    rows.sort_by_key(|(_, _, row)| thread_place(row));
    let read = |order, beyond, limit| {
        store.thread_pages(account, FIRST_GENERATION, conversations.clone(), order, beyond, limit)
    };
    for order in [ThreadOrder::OldestFirst, ThreadOrder::NewestFirst] {
        for (beyond, limit) in [(None, 3), (None, PAGE_ROWS_MAX), (Some(5), 4), (Some(25), 20), (Some(99), 2)]
        {
            let beyond = beyond.map(|at| (Timestamp::from_micros(at), Position::new(150)));
            let expected: Vec<_> = conversations
                .iter()
                .map(|conversation| {
                    let thread = rows.iter().filter(|(of, present, row)| {
                        let place = thread_place(row);
                        let on = match (order, beyond) {
                            (_, None) => true,
                            (ThreadOrder::OldestFirst, Some(from)) => place > from,
                            (ThreadOrder::NewestFirst, Some(from)) => place < from,
                        };
                        of == conversation && *present && on
                    });
                    let mut thread: Vec<_> = thread.map(|(_, _, row)| row.clone()).collect();
                    if order == ThreadOrder::NewestFirst {
                        thread.reverse();
                    }
                    thread.truncate(limit);
                    thread
                })
                .collect();
            assert_eq!(read(order, beyond, limit).await, Ok(expected), "{order:?} {beyond:?} {limit}");
        }
    }
    let (order, nobody) = (ThreadOrder::OldestFirst, vec![ConversationId::new(fresh_id())]);
    let found = store.thread_pages(account, FIRST_GENERATION, nobody, order, None, 9).await;
    assert_eq!(found, Ok(vec![vec![]]));
}

pub async fn removed_members_are_passed_over(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let mut seed = Seed(13);
    let mut rows: Vec<_> = (0..90)
        .map(|_| {
            let standing = *seed.one_of(&["invited", "active", "removed", "removed"]);
            with(&MEMBERS, row(&MEMBERS, vec![fresh_id().into()], 1), [("standing", standing.into())])
        })
        .collect();
    write(&store, account, &MEMBERS, &rows).await;
    rows.sort();
    rows.retain(|row| row[1] != Value::from("removed"));
    let id = |row: &Row| match &row[0] {
        Value::Bytes(id) => MemberId::new(Uuid::from_slice(id).expect("an id")),
        _ => panic!("ids are bytes"),
    };
    for limit in [1, 7, PAGE_ROWS_MAX] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.present_members(account, FIRST_GENERATION, after, limit).await;
            let page = page.expect("members can be read");
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(id(last));
            found.extend(page);
        }
        assert_eq!(found, rows, "in pages of {limit}");
    }
}

pub async fn deliveries_are_read_newest_first(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let rows: Vec<_> = (1..60_u64)
        .map(|number| {
            let whole = row(&DELIVERIES, vec![fresh_id().into()], 1);
            with(&DELIVERIES, whole, [("position", number.into())])
        })
        .collect();
    write(&store, account, &DELIVERIES, &rows).await;
    let read = |before: Option<u64>, limit| {
        store.deliveries_page(account, FIRST_GENERATION, before.map(Position::new), limit)
    };
    let newest: Vec<_> = rows.iter().rev().cloned().collect();
    assert_eq!(read(None, usize::MAX).await, Ok(newest.clone()));
    assert_eq!(read(None, 5).await, Ok(newest[..5].to_vec()));
    assert_eq!(read(Some(50), 5).await, Ok(newest[10..15].to_vec()));
    assert_eq!(read(Some(1), 5).await, Ok(vec![]));
    assert_eq!(store.deliveries_page(account, Generation(2), None, 5).await, Ok(vec![]));
}

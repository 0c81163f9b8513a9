//! Reading back: every field as written, in pages, from anywhere.

use parlance_domain::{
    Actor, CommandId, ConversationId, CorrelationId, MemberId, OperatorId, Position, SystemReason, Timestamp,
};
use uuid::Uuid;

use super::given::{Log, Write as _, at, conversation, event, fresh_id, key_id, places, token};
use crate::{
    Batch, EVENT_BYTES_MAX, Head, NewEvent, PAGE_BYTES_MAX, PAGE_MAX, Store, TOUCHED_MAX, canonical,
};

pub async fn every_field_comes_back_as_written(store: impl Store + Clone) {
    let log = Log::new(&store);
    let id = fresh_id();
    let mut actors = vec![
        Actor::Member(MemberId::new(id)),
        Actor::Contact(ConversationId::new(id)),
        Actor::Operator(OperatorId::new(id)),
        Actor::Operator(OperatorId::COMMAND_LINE),
    ];
    actors.extend(SystemReason::ALL.map(Actor::System));
    let stream = conversation();
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let plain = (1..).zip(actors).map(|(version, actor)| NewEvent {
        actor,
        recorded_at: Timestamp::from_micros(at(0).micros() + i64::from(u32::MAX)),
        ..event(stream, version)
    });
    let mut events: Vec<_> = plain.collect();
    for (payload, sealed) in [
        (every_byte.clone(), Some(every_byte)),
        (Vec::new(), Some(Vec::new())),
        ("ünï ¿😀\0".as_bytes().to_vec(), None),
    ] {
        let version = u64::try_from(events.len()).expect("a small number") + 1;
        events.push(NewEvent {
            event_type: "Größer_'\"\\%",
            schema_version: u16::MAX,
            recorded_at: Timestamp::from_micros(i64::MAX - 1),
            correlation: CorrelationId::new(Uuid::max()),
            causation: CommandId::new(fresh_id()),
            key: sealed.is_some().then(key_id),
            dedupe: Some(token()),
            payload,
            sealed,
            ..event(stream, version)
        });
    }
    let batch = Batch { events: events.clone(), ..log.batch().guard(stream, 0) };
    log.append(batch).await;
    let expected: Vec<_> = (1..)
        .zip(events)
        .map(|(position, event)| {
            let time = event.recorded_at;
            event.recorded(log.account, Position::new(position), time)
        })
        .collect();
    let read = log.all().await;
    assert_eq!(read, expected);
    assert_eq!(log.stream(stream, 0, usize::MAX).await, expected);
    let loaded = store.load(log.account, stream, 1).await.expect("a stream can be loaded");
    assert_eq!(loaded.events, expected);
    for (row, written) in read.iter().zip(&expected) {
        let bytes = canonical::encode(row);
        assert_eq!(bytes, canonical::encode(written));
        assert_eq!(canonical::decode(&bytes).as_ref(), Ok(written));
    }
}

pub async fn a_log_is_read_in_pages(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (a, b) = (conversation(), conversation());
    log.append(log.batch().write(a, 0, 4).write(b, 0, 3)).await;
    let all = log.all().await;
    assert_eq!(log.read(0, 0).await, []);
    assert_eq!(log.read(0, 3).await, all[..3]);
    assert_eq!(log.read(3, 3).await, all[3..6]);
    assert_eq!(log.read(6, 3).await, all[6..]);
    assert_eq!(log.read(7, 3).await, []);
    assert_eq!(log.read(u64::MAX, usize::MAX).await, []);
    assert_eq!(log.stream(a, 0, 0).await, []);
    assert_eq!(log.stream(a, 1, 2).await, all[1..3]);
    assert_eq!(log.stream(b, 0, usize::MAX).await, all[4..]);
    assert_eq!(log.stream(b, 3, 1).await, []);
    assert_eq!(log.stream(b, u64::MAX, 1).await, []);
    assert_eq!(log.stream(conversation(), 0, 1).await, []);
}

/// Enough for one page and one event, as the batches take them.
async fn a_page_and_one<S: Store + Clone>(log: &Log<S>, command: CommandId) -> parlance_domain::StreamRef {
    let stream = conversation();
    let most = u64::try_from(PAGE_MAX).expect("a small number") + 1;
    let mut version = 0;
    while version < most {
        let count = (most - version).min(4_000);
        let mut batch = log.batch().write(stream, version, count);
        version += count;
        if version == most {
            let last = batch.events.last_mut().expect("every batch has events");
            last.causation = command;
        }
        log.append(batch).await;
    }
    stream
}

pub async fn no_page_is_longer_than_the_longest(store: impl Store + Clone) {
    let log = Log::new(&store);
    let command = CommandId::new(fresh_id());
    let stream = a_page_and_one(&log, command).await;
    let most = u64::try_from(PAGE_MAX).expect("a small number");
    assert_eq!(log.read(0, usize::MAX).await.len(), PAGE_MAX);
    assert_eq!(log.stream(stream, 0, usize::MAX).await.len(), PAGE_MAX);
    let rest = log.stream(stream, most, usize::MAX).await;
    assert_eq!(places(&rest), [(stream, most + 1)]);
    // Loading goes on where its first page ended, whatever its length.
    let loaded = store.load(log.account, stream, 1).await.expect("a stream can be loaded");
    assert!(!loaded.complete && !loaded.events.is_empty());
    let mut events = loaded.events;
    while let Some(last) = events.last()
        && last.version <= most
    {
        events.extend(log.stream(stream, last.version, usize::MAX).await);
    }
    assert_eq!(places(&events), (1..=most + 1).map(|version| (stream, version)).collect::<Vec<_>>());
    let caused = async |after| {
        let found = store.caused_by(log.account, command, Position::new(after)).await;
        found.expect("what a command caused can be looked for")
    };
    assert_eq!(caused(0).await, [], "it lies behind the events that are looked at");
    assert_eq!(caused(1).await, [Position::new(most + 1)]);
    assert_eq!(caused(most + 1).await, []);
}

pub async fn what_a_command_caused_is_found(store: impl Store + Clone) {
    let log = Log::new(&store);
    let other_account = Log::new(&store);
    let (stream, command) = (conversation(), CommandId::new(fresh_id()));
    let by_it = |version| NewEvent { causation: command, ..event(stream, version) };
    let batch = log.batch().write(stream, 0, 1).event(by_it(2)).event(event(stream, 3)).event(by_it(4));
    log.append(batch).await;
    other_account.append(other_account.batch().guard(stream, 0).event(by_it(1))).await;
    let caused = async |command, after| {
        let found = store.caused_by(log.account, command, Position::new(after)).await;
        found.expect("what a command caused can be looked for")
    };
    assert_eq!(caused(command, 0).await, [Position::new(2), Position::new(4)]);
    assert_eq!(caused(command, 2).await, [Position::new(4)]);
    assert_eq!(caused(command, 4).await, []);
    assert_eq!(caused(command, u64::MAX).await, []);
    assert_eq!(caused(CommandId::new(fresh_id()), 0).await, []);
}

pub async fn what_was_touched_is_told_without_what_it_says(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (one, two) = (conversation(), conversation());
    log.append(log.batch().write(one, 0, 2).write(two, 0, 1)).await;
    log.append(log.batch().guard(one, 2).event(NewEvent { event_type: "Ended", ..event(one, 3) })).await;
    let touched = async |after, limit| {
        let told = store.touched(log.account, Position::new(after), limit).await.expect("it can be asked");
        told.into_iter().map(|t| (t.position.number(), t.stream, t.version, t.event_type)).collect::<Vec<_>>()
    };
    let noted = "Noted".to_owned();
    let all = [
        (1, one, 1, noted.clone()),
        (2, one, 2, noted.clone()),
        (3, two, 1, noted),
        (4, one, 3, "Ended".into()),
    ];
    assert_eq!(touched(0, usize::MAX).await, all);
    assert_eq!(touched(1, 2).await, all[1..3]);
    assert_eq!(touched(4, 10).await, []);
    assert_eq!(store.touched(Log::new(&store).account, Position::START, 10).await, Ok(vec![]));
    let most = TOUCHED_MAX as u64;
    let stream = conversation();
    let mut written = 0;
    while written <= most {
        log.append(log.batch().write(stream, written, 2_501)).await;
        written += 2_501;
    }
    assert_eq!(touched(0, usize::MAX).await.len(), TOUCHED_MAX, "no more than that at once");
}

pub async fn an_unknown_account_has_an_empty_log(store: impl Store + Clone) {
    let log = Log::new(&store);
    let nothing = Head { position: Position::START, ..Head::default() };
    assert_eq!(log.head().await, nothing);
    assert_eq!(log.head().await.epoch, 0);
    assert_eq!(log.read(0, 10).await, []);
    let loaded = store.load(log.account, conversation(), 1).await.expect("nothing can be loaded");
    assert!(loaded.complete && loaded.snapshot.is_none() && loaded.events.is_empty());
    log.append(log.batch().write(conversation(), 0, 1)).await;
    assert_eq!(log.head().await, Head { position: Position::new(1), recorded_at: at(0), epoch: 0 });
}

pub async fn a_page_of_large_events_is_shorter_and_nothing_is_passed_over(store: impl Store + Clone) {
    let log = Log::new(&store);
    let stream = conversation();
    let large = EVENT_BYTES_MAX;
    let count = PAGE_BYTES_MAX / large + 3;
    for version in 1..=count as u64 {
        let event = NewEvent { payload: vec![b'x'; large], ..event(stream, version) };
        log.append(log.batch().guard(stream, version - 1).event(event)).await;
    }
    let first = store.read(log.account, Position::START, usize::MAX).await.expect("the log can be read");
    assert_eq!(first.len(), PAGE_BYTES_MAX / large, "the bytes end the page");
    let last = first.last().expect("a page").position;
    let rest = store.read(log.account, last, usize::MAX).await.expect("the log can be read");
    assert_eq!((rest.len(), rest[0].position), (3, last.next()));
}

//! What must be true of a log and its read models after any end of the process, given everything that was asked.

use std::collections::{BTreeMap, HashMap, HashSet};

use parlance_app::{keys::Opened, projections::verify};
use parlance_domain::{
    CommandId, ConversationId, DedupeToken, Event, Position, RecordedEvent, StreamRef,
    conversation::{ConversationEvent, MessageContent},
};
use parlance_store::{EventLog as _, Keys as _, PAGE_MAX, StoredKey};
use parlance_stores::{AnyStore, OpenOptions};
use parlance_tests::{
    Home,
    driven::{Answer, Crew, Order},
    home::{database_url, when_nobody_is_left},
};

use super::asked::{Asked, Book};

/// Holds the log in `folder` against everything that was asked; answers where the log ends.
pub fn check(folder: &Home, book: &Book) -> u64 {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        // What was answered is outside the database, too, before anything is opened again.
        let listed = std::fs::read_to_string(folder.path().join("erasures.log")).unwrap_or_default();
        when_nobody_is_left(folder.path());
        let url = database_url(folder.path());
        let store = AnyStore::open(&url, OpenOptions::default()).await.expect("the store opens");
        let wal = std::fs::metadata(folder.path().join("parlance.db-wal")).map_or(0, |file| file.len());
        assert_eq!(wal, 0, "what was found is synced into the file before anything is answered from it");
        drop(store);
        let crew = Crew::open(folder.path(), None).await.expect("Parlance opens");
        let log = log(&crew).await;
        in_order(&log);
        let groups = groups(&log);
        exactly_what_was_answered(&crew, book, &log, &groups);
        whole_or_absent(&crew, book, &groups);
        keys_and_contents(&crew, book, &log, (&listed, folder)).await;
        crew.parlance
            .projections
            .catch_up(&crew.parlance.store, crew.account)
            .await
            .expect("the projections catch up");
        let findings = verify(&crew.parlance.store, crew.account).await.expect("they are verified");
        assert!(findings.is_empty(), "{}", findings[0]);
        log.len() as u64
    })
}

async fn log(crew: &Crew) -> Vec<RecordedEvent> {
    let mut log: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = log.last().map_or(Position::START, |event| event.position);
        let page = crew.parlance.store.read(crew.account, after, PAGE_MAX).await.expect("the log is read");
        if page.is_empty() {
            let head = crew.parlance.store.head(crew.account).await.expect("the head is read");
            assert_eq!(head.position, after, "the head names the last event");
            return log;
        }
        log.extend(page);
    }
}

/// Positions are gapless, times never go back, every stream counts on, no message is there twice.
fn in_order(log: &[RecordedEvent]) {
    let mut versions: HashMap<StreamRef, u64> = HashMap::new();
    let mut tokens = HashSet::new();
    let mut before = None;
    for (index, event) in log.iter().enumerate() {
        assert_eq!(event.position.number(), index as u64 + 1, "positions are gapless");
        assert!(before <= Some(event.recorded_at), "times never go back at {}", event.position);
        before = Some(event.recorded_at);
        let version = versions.entry(event.stream).or_default();
        *version += 1;
        assert_eq!(event.version, *version, "{} counts on at {}", event.stream, event.position);
        assert!(event.dedupe.is_none_or(|token| tokens.insert(token)), "told twice at {}", event.position);
    }
}

/// The events of every command, in the order of the log.
type Groups<'a> = BTreeMap<Position, &'a [RecordedEvent]>;

fn groups(log: &[RecordedEvent]) -> Groups<'_> {
    let mut seen = HashSet::new();
    log.chunk_by(|a, b| a.causation == b.causation)
        .map(|group| {
            assert!(seen.insert(group[0].causation), "a command's events are apart at {}", group[0].position);
            (group[0].position, group)
        })
        .collect()
}

fn exactly_what_was_answered(crew: &Crew, book: &Book, log: &[RecordedEvent], groups: &Groups<'_>) {
    let found: HashMap<CommandId, &[RecordedEvent]> =
        groups.values().map(|group| (group[0].causation, *group)).collect();
    for (id, Asked { order, answer }) in &book.asked {
        let group = found.get(&Crew::command_id(*id));
        let places = group.map(|group| {
            let [first, .., last] = group else { return (group[0].position, group[0].position) };
            (first.position, last.position)
        });
        let places = places.map(|(first, last)| (first.number(), last.number()));
        match answer {
            Some(Answer::Recorded { first, last }) => {
                assert_eq!(places, Some((*first, *last)), "{id} {order} was recorded");
            }
            // Not answered: in the log once or not at all, which the groups show.
            None | Some(Answer::Unknown(_)) => {}
            Some(answer) => assert_eq!(places, None, "{id} {order} was answered {answer}"),
        }
        if let (Some(Answer::Duplicate(original)), Order::Receive { message, .. }) = (answer, order) {
            let there = usize::try_from(*original).ok().and_then(|at| log.get(at - 1));
            let token = there.and_then(|event| event.dedupe);
            assert_eq!(token, Some(crew.message(*message).into()), "{id} {order} duplicates {original}");
        }
    }
}

/// A conversation as the log tells it, as far as the shape of the next command's events depends on it.
#[derive(Default)]
struct Told {
    closed: bool,
    assigned: bool,
}

/// Every command's events are all that it makes, no more and no less.
fn whole_or_absent(crew: &Crew, book: &Book, groups: &Groups<'_>) {
    let orders: HashMap<CommandId, &Order> =
        book.asked.iter().map(|(id, asked)| (Crew::command_id(*id), &asked.order)).collect();
    let mut all: HashMap<ConversationId, Told> = HashMap::new();
    let mut tokens: HashSet<DedupeToken> = HashSet::new();
    for (position, group) in groups {
        let Some(order) = orders.get(&group[0].causation) else {
            let set_up = group.iter().all(|event| {
                event.decode().is_ok_and(|event| !matches!(event, Event::Conversation(_) | Event::Reading(_)))
            });
            assert!(set_up, "nobody asked for what is at {position}");
            continue;
        };
        let expected: Vec<&str> = match order {
            Order::Receive { contact, .. } => received(all.entry(crew.conversation(*contact)).or_default()),
            // What was told before is passed over.
            Order::Pair { first, second } => [first, second]
                .into_iter()
                .filter(|(_, message)| tokens.insert(crew.message(*message).into()))
                .flat_map(|(contact, _)| received(all.entry(crew.conversation(*contact)).or_default()))
                .collect(),
            Order::Assign { .. } => vec!["Assigned"],
            Order::Unassign { .. } => vec!["Unassigned"],
            Order::Close { .. } => vec!["Closed"],
            Order::Reopen { .. } => vec!["Reopened"],
            Order::Delete { .. } => vec!["Deleted"],
            Order::Seen { .. } => vec!["ConversationSeen"],
            Order::Caused { .. } | Order::Head => Vec::new(),
        };
        let found: Vec<&str> = group.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(found, expected, "{order} at {position}");
        for event in *group {
            tokens.extend(event.dedupe);
            let told = all.entry(ConversationId::new(event.stream.id)).or_default();
            match event.event_type.as_str() {
                "Closed" => told.closed = true,
                "Reopened" => told.closed = false,
                "Assigned" => told.assigned = true,
                "Unassigned" => told.assigned = false,
                "Deleted" => *told = Told::default(),
                _ => {}
            }
        }
    }
}

/// A message reopens what is closed, and the channel's rule then unassigns.
fn received(told: &Told) -> Vec<&'static str> {
    let mut expected = Vec::new();
    if told.closed {
        expected.push("Reopened");
        if told.assigned {
            expected.push("Unassigned");
        }
    }
    expected.extend(["MessageReceived", "ContactProfileChanged"]);
    expected
}

/// Keys live and die with their events: what is not deleted opens, what is deleted is on the list of erasures.
async fn keys_and_contents(crew: &Crew, book: &Book, log: &[RecordedEvent], (listed, folder): (&str, &Home)) {
    let (store, keyring) = (&crew.parlance.store, &crew.parlance.keyring);
    assert_eq!(
        store.pending_erasures(1).await.expect("the erasures are read"),
        [],
        "opening drains the pending erasures"
    );
    let after = std::fs::read_to_string(folder.path().join("erasures.log")).unwrap_or_default();
    let answered: HashSet<CommandId> = book
        .asked
        .iter()
        .filter(|(_, asked)| asked.answer.as_ref().is_some_and(Answer::is_yes))
        .map(|(id, _)| Crew::command_id(*id))
        .collect();
    let texts: HashMap<_, _> =
        (1..=book.messages_told()).map(|message| (crew.message(message), Crew::text(message))).collect();
    let mut erased = HashSet::new();
    for event in log {
        if let Ok(Event::Conversation(ConversationEvent::Deleted(deleted))) = event.decode() {
            let key = crew.ring.key_id(event.stream, deleted.incarnation);
            erased.insert(key);
            assert_eq!(
                store.data_key(crew.account, key).await.expect("the key is looked up"),
                StoredKey::Destroyed
            );
            let line = |list: &str| list.contains(&key.to_string());
            assert!(line(&after), "the erasure at {} is on the list", event.position);
            assert!(
                !answered.contains(&event.causation) || line(listed),
                "the erasure at {} was on the list before it was answered",
                event.position
            );
        }
    }
    for line in after.lines() {
        let read: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(read.is_ok_and(|line| line["key"].is_string()), "the list of erasures can be read: {line}");
    }
    for event in log {
        let Some(sealed) = event.sealed_part() else { continue };
        let opened = keyring.open(store, crew.account, &sealed).await.expect("what is sealed has a key");
        let plain = match opened {
            Opened::Erased => {
                assert!(erased.contains(&sealed.key), "{} lost its key", event.position);
                continue;
            }
            Opened::Plain(plain) => plain,
        };
        assert!(!erased.contains(&sealed.key), "{} is erased and opens", event.position);
        if let Ok(Event::Conversation(ConversationEvent::MessageReceived(received))) = event.decode() {
            let content: MessageContent = serde_json::from_slice(&plain).expect("the content is JSON");
            assert_eq!(content.text.as_ref(), texts.get(&received.message), "the text at {}", event.position);
        }
    }
}

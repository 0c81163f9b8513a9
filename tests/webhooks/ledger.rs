//! What must be true of a log, given what was delivered and answered. The server is dead while this looks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parlance_app::{
    Parlance, Settings,
    clock::SystemClock,
    entropy::Entropy,
    keys::{AccountRing, MasterKey},
};
use parlance_domain::{
    ConnectionId, DeliveryId, Event, MessageId, Position, RecordedEvent, StreamType, connection::ChannelKind,
    conversation::ConversationEvent, delivery::DeliveryEvent,
};
use parlance_store::{EventLog as _, PAGE_MAX};
use parlance_stores::{AnyStore, OpenOptions};
use parlance_tests::{
    Checker,
    home::{database_url, when_nobody_is_left},
    served::{NUMBER, Office, PAGE},
};
use serde_json::Value;

use super::mailbag::{Mailbag, Message, Side};

/// Lines that a listing is asked for.
const LETTERS_MAX: usize = 10_000;

/// How often each message and each kept body is in the log.
pub struct Ledger {
    pub log: Vec<RecordedEvent>,
    ring: Arc<AccountRing>,
    messages: HashMap<MessageId, usize>,
    kept: HashMap<DeliveryId, usize>,
}

/// What is in the log.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    events: usize,
    messages: usize,
    kept: usize,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} events, {} messages, {} kept", self.events, self.messages, self.kept)
    }
}

/// Holds log, read models and kept deliveries against what was delivered.
pub async fn check(office: &Office, mailbag: &Mailbag) -> Counted {
    let ledger = Ledger::read(office).await;
    Checker::check(&ledger.log);
    let mut known_messages = HashSet::new();
    let mut known_kept = HashMap::new();
    for (number, delivery) in mailbag.deliveries.iter().enumerate() {
        let least = usize::from(delivery.acknowledged);
        for message in &delivery.messages {
            let id = ledger.message(message);
            let times = ledger.messages.get(&id).copied().unwrap_or_default();
            assert!((least..=1).contains(&times), "{message:?} of delivery {number} is there {times} times");
            known_messages.insert(id);
        }
        if let Some(body) = &delivery.kept {
            let id = ledger.ring.ids.delivery(connection(office, delivery.side), body);
            let times = ledger.kept.get(&id).copied().unwrap_or_default();
            assert!((least..=1).contains(&times), "delivery {number} is kept {times} times");
            known_kept.insert(id.to_string(), least);
        }
    }
    assert!(ledger.messages.keys().all(|id| known_messages.contains(id)), "every message was delivered");
    let counted =
        Counted { events: ledger.log.len(), messages: ledger.messages.len(), kept: ledger.kept.len() };
    drop(ledger);
    let verified = office.run(&["projections", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let listed = listed(office);
    assert_eq!(listed.len(), counted.kept, "as many are listed as are in the log");
    assert!(listed.iter().all(|id| known_kept.contains_key(id)), "only what was delivered is kept");
    for (id, least) in known_kept {
        assert!(least == 0 || listed.contains(&id), "{id} is not listed");
    }
    counted
}

fn connection(office: &Office, side: Side) -> ConnectionId {
    let channel = match side {
        Side::Messenger => &office.messenger,
        Side::Whatsapp => &office.whatsapp,
    };
    channel.connection.parse().expect("a connection's id")
}

/// The ids that `parlance deadletters list` gives.
fn listed(office: &Office) -> HashSet<String> {
    let limit = LETTERS_MAX.to_string();
    let output = office.run(&["deadletters", "list", "--json", "--limit", &limit]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let ids: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"))
        .map(|letter| letter["id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(ids.len() < LETTERS_MAX, "all of them are listed");
    let distinct: HashSet<String> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "each is listed once");
    distinct
}

impl Ledger {
    /// Reads the whole log, behind the servers' backs.
    pub async fn read(office: &Office) -> Self {
        let folder = office.folder.path();
        when_nobody_is_left(folder);
        let store = AnyStore::open(&database_url(folder), OpenOptions::default()).await;
        let key = MasterKey::read(&folder.join("master.key")).expect("the master key");
        let settings = Settings::new(key, folder, Arc::new(SystemClock), Entropy::from_system());
        let parlance = Parlance::open(store.expect("the store opens"), settings).await.expect("it opens");
        let account = office.account.parse().expect("an account's id");
        let ring = parlance.keyring.account(&parlance.store, account).await.expect("the keys are read");
        let mut log: Vec<RecordedEvent> = Vec::new();
        loop {
            let after = log.last().map_or(Position::START, |event| event.position);
            let page = parlance.store.read(account, after, PAGE_MAX).await.expect("the log is read");
            if page.is_empty() {
                break;
            }
            log.extend(page);
        }
        let (mut messages, mut kept) = (HashMap::new(), HashMap::new());
        for recorded in &log {
            match recorded.decode() {
                Ok(Event::Conversation(ConversationEvent::MessageReceived(received))) => {
                    *messages.entry(received.message).or_default() += 1;
                }
                Ok(Event::Delivery(DeliveryEvent::DeliveryKept(_))) => {
                    assert_eq!(recorded.stream.kind, StreamType::Delivery);
                    *kept.entry(DeliveryId::new(recorded.stream.id)).or_default() += 1;
                }
                Ok(_) => {}
                Err(error) => panic!("{} cannot be read: {error}", recorded.position),
            }
        }
        Self { log, ring: ring.expect("the account is there"), messages, kept }
    }

    fn message(&self, (side, id): &Message) -> MessageId {
        let (kind, page) = match side {
            Side::Messenger => (ChannelKind::Messenger, PAGE),
            Side::Whatsapp => (ChannelKind::WhatsappTwilio, NUMBER),
        };
        self.ring.ids.message(self.ring.ids.channel(kind, page), id)
    }
}

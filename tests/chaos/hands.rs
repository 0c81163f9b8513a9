//! Members at work: each looks at a page, does something to a conversation, and looks at once at another server for
//! what it did. Everything that was asked for and shown is kept, to be held against the log.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parlance_tests::served::{Person, SECTIONS};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    dice::Dice,
    fleet::Fleet,
    told::{Asker, Told, position},
};

/// Between two things that a member does.
const PACE: Duration = Duration::from_millis(120);

const PAGE: &str =
    "query($section: Section!, $at: Position) { conversations(section: $section, first: 10, atLeast: $at) {
    nodes { id closed incarnation changedAt assignee { id } } } }";
const ONE: &str = "query($id: ID!, $at: Position) { conversation(id: $id, atLeast: $at) {
    id closed incarnation changedAt assignee { id } } }";

/// An id without its prefix, as the log has it.
pub fn bare(id: &str) -> String {
    id.rsplit('_').next().unwrap_or_default().to_owned()
}

/// A change that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub by: String,
    /// The name of the event that it would make.
    pub event: &'static str,
    pub conversation: String,
    pub assignee: Option<String>,
    pub up_to: Option<u64>,
    pub told: Told,
}

/// A conversation as a server showed it, all up to a position being asked for.
#[derive(Clone, Debug)]
pub struct Seen {
    pub conversation: String,
    pub at_least: u64,
    /// `None`: it is not there.
    pub shown: Option<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub closed: bool,
    pub incarnation: u64,
    pub assignee: Option<String>,
    pub changed_at: u64,
}

impl Row {
    fn read(shown: &Value) -> Option<Self> {
        Some(Self {
            closed: shown["closed"].as_bool()?,
            incarnation: shown["incarnation"].as_u64()?,
            assignee: shown["assignee"]["id"].as_str().map(bare),
            changed_at: position(&shown["changedAt"])?,
        })
    }
}

#[derive(Default)]
pub struct Notes {
    pub asked: Vec<Asked>,
    pub seen: Vec<Seen>,
}

pub struct Hands {
    pub notes: Arc<Mutex<Notes>>,
    at_work: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

struct Hand {
    me: Person,
    everybody: Vec<Person>,
    fleet: Arc<Fleet>,
    asker: Arc<Asker>,
    notes: Arc<Mutex<Notes>>,
    over: Arc<AtomicBool>,
    dice: Dice,
    /// The newest position that this member was told.
    newest: AtomicU64,
}

impl Hand {
    async fn run(self) {
        while !self.over.load(Ordering::Relaxed) {
            if let Some(shown) = self.look().await {
                self.act(&shown).await;
            }
            tokio::time::sleep(PACE).await;
        }
    }

    fn note(&self, what: impl FnOnce(&mut Notes)) {
        what(&mut self.notes.lock().expect("no panic while locked"));
    }

    fn saw(&self, at_least: u64, conversation: &str, shown: Option<Row>) {
        self.note(|notes| notes.seen.push(Seen { conversation: bare(conversation), at_least, shown }));
    }

    /// One conversation of a page that shows everything this member was told of.
    async fn look(&self) -> Option<Value> {
        let at_least = self.newest.load(Ordering::Relaxed);
        let at = (at_least > 0).then(|| outside(at_least));
        let variables = json!({ "section": self.dice.one_of(&SECTIONS), "at": at });
        let address = self.fleet.any_address(&self.dice);
        let mut page = self.asker.ask(address, &self.me.token, PAGE, variables).await?;
        let nodes = page["conversations"]["nodes"].as_array_mut().map(std::mem::take)?;
        for node in &nodes {
            self.saw(at_least, node["id"].as_str()?, Some(Row::read(node)?));
        }
        (!nodes.is_empty()).then(|| self.dice.one_of(&nodes).clone())
    }

    async fn act(&self, shown: &Value) {
        let conversation = shown["id"].as_str().expect("an id");
        let (mut assignee, mut up_to) = (None, None);
        let mut input = json!({ "conversation": conversation });
        let (name, event) = match self.dice.below(24) {
            0..7 => {
                let id = &self.dice.one_of(&self.everybody).id;
                (input["assignee"], assignee) = (json!(id), Some(bare(id)));
                ("assignConversation", "Assigned")
            }
            7..10 => ("unassignConversation", "Unassigned"),
            10..14 => ("closeConversation", "Closed"),
            14..18 => ("reopenConversation", "Reopened"),
            18..22 => {
                (input["upTo"], up_to) = (shown["changedAt"].clone(), position(&shown["changedAt"]));
                ("markConversationSeen", "ConversationSeen")
            }
            _ => ("deleteConversation", "Deleted"),
        };
        let address = self.fleet.any_address(&self.dice);
        let told = self.asker.change(address, &self.me.token, name, input).await;
        let done = if let Told::Done(position) = told { Some(position) } else { None };
        let asked =
            Asked { by: bare(&self.me.id), event, conversation: bare(conversation), assignee, up_to, told };
        self.note(|notes| notes.asked.push(asked));
        if let Some(done) = done {
            self.newest.fetch_max(done, Ordering::Relaxed);
            self.look_after(conversation, done).await;
        }
    }

    /// What was done is shown by whichever server.
    async fn look_after(&self, conversation: &str, done: u64) {
        let variables = json!({ "id": conversation, "at": outside(done) });
        let address = self.fleet.any_address(&self.dice);
        let Some(shown) = self.asker.ask(address, &self.me.token, ONE, variables).await else { return };
        let shown = &shown["conversation"];
        let row = if shown.is_null() { None } else { Some(Row::read(shown).expect("a whole row")) };
        self.saw(done, conversation, row);
    }
}

/// A position as clients have it, of an installation that was never restored.
pub fn outside(position: u64) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut bytes = vec![1, 0, 0, 0, 0];
    bytes.extend(position.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Hands {
    pub fn begin(people: &[Person], fleet: &Arc<Fleet>, asker: &Arc<Asker>, seed: u64) -> Self {
        let (notes, over) = (Arc::<Mutex<Notes>>::default(), Arc::new(AtomicBool::new(false)));
        let at_work = people.iter().enumerate().map(|(number, me)| {
            let hand = Hand {
                me: me.clone(),
                everybody: people.to_vec(),
                fleet: Arc::clone(fleet),
                asker: Arc::clone(asker),
                notes: Arc::clone(&notes),
                over: Arc::clone(&over),
                dice: Dice::new(seed, 200 + number as u64),
                newest: AtomicU64::new(0),
            };
            tokio::spawn(hand.run())
        });
        let at_work = at_work.collect();
        Self { notes, at_work, over }
    }

    /// They finish what they are at.
    pub async fn finish(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for hand in self.at_work.drain(..) {
            hand.await.expect("no member panics");
        }
    }
}

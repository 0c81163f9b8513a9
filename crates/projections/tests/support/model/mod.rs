//! The read models by definition (SPEC, sections 2 to 4): every row computed from the stored rows' JSON alone,
//! by looking at all of them. It shares no code with the domain's states or the folds.

mod access;
mod conversations;
mod sections;
mod settings;
mod threads;

use parlance_domain::RecordedEvent;
use parlance_projections::Value;
use serde_json::Value as Json;
use uuid::Uuid;

pub use self::{
    access::History,
    conversations::{Conversation, conversations},
    sections::{Section, bucket_tables, section, unread},
    settings::{channels, connections, deliveries, members},
    threads::{thread_order, threads},
};
use super::driver::Tables;

/// A stored row: what its columns say, and its payload as JSON.
#[derive(Clone, Debug)]
pub struct Fact {
    pub position: u64,
    pub kind: &'static str,
    pub id: Uuid,
    pub name: String,
    pub at: i64,
    json: Json,
    sealed: Option<Vec<u8>>,
}

impl Fact {
    pub fn all(log: &[RecordedEvent]) -> Vec<Self> {
        log.iter()
            .map(|row| Self {
                position: row.position.number(),
                kind: row.stream.kind.as_str(),
                id: row.stream.id,
                name: row.event_type.clone(),
                at: row.recorded_at.micros(),
                json: serde_json::from_slice(&row.payload).expect("a payload is JSON"),
                sealed: row.sealed_part().map(|sealed| sealed.to_bytes()),
            })
            .collect()
    }

    fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_else(|| panic!("{field} of {} is a text", self.name))
    }

    fn id(&self, field: &str) -> Uuid {
        Uuid::try_parse(self.text(field)).expect("an id")
    }

    fn number(&self, field: &str) -> i64 {
        self.json[field].as_i64().unwrap_or_else(|| panic!("{field} of {} is a number", self.name))
    }

    fn maybe(&self, field: &str) -> Option<i64> {
        self.json[field].as_i64()
    }

    fn yes(&self, field: &str) -> bool {
        self.json[field].as_bool().unwrap_or_else(|| panic!("{field} of {} is yes or no", self.name))
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// "The earlier of provider time and recorded time."
    fn ordered_at(&self) -> i64 {
        self.maybe("provider_at").map_or(self.at, |at| at.min(self.at))
    }

    fn sealed(&self) -> Value {
        self.sealed.clone().into()
    }
}

fn int(number: u64) -> Value {
    number.into()
}

/// All tables after these facts.
pub fn tables(facts: &[Fact]) -> Tables {
    let mut tables = Tables::default();
    let history = History::of(facts);
    let conversations = conversations(facts, &history);
    access::rows(&history, &mut tables);
    conversations::rows(&conversations, &mut tables);
    bucket_tables(facts, &conversations, &history, &mut tables);
    threads(facts, &mut tables);
    channels(facts, &mut tables);
    members(facts, &mut tables);
    connections(facts, &mut tables);
    deliveries(facts, &mut tables);
    tables
}

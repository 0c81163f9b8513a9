//! Messenger as Meta delivers it: bodies of several events, escaped and signed. Sending them is the sender's.

mod event;
mod json;
#[cfg(test)]
mod tests;

pub use event::{Attachment, Enforcement, Event, Section};
pub use json::Json;

use crate::{
    request::{Provider, Request},
    signature,
};

/// What Meta calls webhooks with.
const USER_AGENT: &str = "facebookexternalua";

/// Most updates that Meta puts into one body (PROTOCOLS 4.1).
pub const BATCH_MAX: usize = 1_000;

/// One page under one app: it makes events and signs bodies. It holds no state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messenger {
    /// What the app signs with.
    pub app_secret: String,
    pub page_id: String,
}

/// A part of a body: one page's events of one section, under one time. A body may have entries of several pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub page_id: String,
    /// Unix milliseconds.
    pub at_ms: u64,
    pub section: Section,
    pub events: Vec<Event>,
}

impl Messenger {
    pub fn new(app_secret: impl Into<String>, page_id: impl Into<String>) -> Self {
        Self { app_secret: app_secret.into(), page_id: page_id.into() }
    }

    /// One body of these events, in this order: neighbours of one contact share an entry, so that several contacts
    /// make several entries and several messages of one contact several events in an entry.
    pub fn deliver(&self, events: &[Event]) -> Request {
        self.sign(body(&self.entries(events)))
    }

    /// The entries that [`Messenger::deliver`] makes of these events.
    pub fn entries(&self, events: &[Event]) -> Vec<Entry> {
        events
            .chunk_by(|one, next| one.section == next.section && one.contact == next.contact)
            .map(|events| Entry {
                page_id: self.page_id.clone(),
                at_ms: events.iter().map(|event| event.at_ms).max().unwrap_or_default(),
                section: events[0].section,
                events: events.to_vec(),
            })
            .collect()
    }

    /// Signs any bytes as a body, also such that are no body of Meta's.
    pub fn sign(&self, body: impl Into<Vec<u8>>) -> Request {
        let body = body.into();
        let headers = [
            ("Content-Type", "application/json"),
            ("User-Agent", USER_AGENT),
            ("X-Hub-Signature", &signature::meta_sha1(&self.app_secret, &body)),
            ("X-Hub-Signature-256", &signature::meta(&self.app_secret, &body)),
        ];
        Request::new(Provider::Meta, &headers, body.clone())
    }
}

/// `{"object":"page","entry":[…]}` in Meta's escaped form.
pub fn body(entries: &[Entry]) -> Vec<u8> {
    let entries = entries
        .iter()
        .map(|entry| {
            let events = entry.events.iter().map(|event| event.body.clone()).collect();
            Json::object([
                ("id", entry.page_id.as_str().into()),
                ("time", entry.at_ms.into()),
                (entry.section.name(), Json::List(events)),
            ])
        })
        .collect();
    Json::object([("object", "page".into()), ("entry", Json::List(entries))]).escaped().into_bytes()
}

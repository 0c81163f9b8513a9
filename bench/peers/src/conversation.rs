//! The aggregate that is measured: a contact writes into a conversation. Its event is as large as the one that all
//! contenders append: about 390 bytes of payload and 130 of metadata.

use std::{collections::HashMap, convert::Infallible};

use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, View, event_sink::EventSink};
use serde::{Deserialize, Serialize};

/// Brings the payload to 390 bytes.
const TEXT_BYTES: usize = 182;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ConversationEvent {
    MessageReceived {
        channel: String,
        message: String,
        provider_message_id: String,
        text: String,
        provider_at: i64,
    },
}

impl DomainEvent for ConversationEvent {
    fn event_type(&self) -> String {
        "MessageReceived".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

/// The message with this number.
pub fn message(number: usize) -> ConversationEvent {
    ConversationEvent::MessageReceived {
        channel: "c41f9d3ae8728b6d9a0b1c2d3e4f5a6b".to_owned(),
        message: format!("{number:032x}"),
        provider_message_id: format!("m_AbCdEfGhIjKlMnOp-{number:012}"),
        text: "Hello! Do you still have some peaches? ".chars().cycle().take(TEXT_BYTES).collect(),
        provider_at: 1_789_999_997_500_000,
    }
}

/// Who wrote, and because of what.
pub fn metadata(number: usize) -> HashMap<String, String> {
    [
        ("actor", "contact".to_owned()),
        ("causation", format!("{number:032x}")),
        ("correlation", format!("{number:032x}")),
        ("recorded_at", "1789999997500000".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What a decision would need, and no more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Conversation {
    messages: u64,
}

impl Aggregate for Conversation {
    const TYPE: &'static str = "conversation";
    type Command = ConversationEvent;
    type Event = ConversationEvent;
    type Error = Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, _event: Self::Event) {
        self.messages += 1;
    }
}

/// A row of an inbox.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct InboxRow {
    messages: u64,
    newest: String,
    newest_at: i64,
}

impl View<Conversation> for InboxRow {
    fn update(&mut self, event: &EventEnvelope<Conversation>) {
        let ConversationEvent::MessageReceived { text, provider_at, .. } = &event.payload;
        self.messages += 1;
        self.newest.clone_from(text);
        self.newest_at = *provider_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_as_large_as_everybodys() {
        let payload = serde_json::to_vec(&message(1)).unwrap();
        assert_eq!(payload.len(), 390);
        let metadata = serde_json::to_vec(&metadata(1)).unwrap();
        assert!((125..=150).contains(&metadata.len()), "{}", metadata.len());
    }
}

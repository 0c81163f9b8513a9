//! What an inbox shows, as members ask for it. Every answer holds all that was acknowledged before it was asked:
//! it waits for the log's end, as a change without effect tells it.

use std::time::Instant;

use serde_json::{Value, json};

use super::{Office, Person};
use crate::app::PATIENCE;

/// The sections, in the order in which their counts are given.
pub const SECTIONS: [&str; 4] = ["UNASSIGNED", "ASSIGNED_TO_ME", "ASSIGNED_TO_OTHERS", "CLOSED"];

/// How many conversations each section holds, and how many of them are unread.
pub type Counts = [(u64, u64); 4];

/// A conversation as the stories look at it.
pub const CONVERSATION: &str =
    "id incarnation section closed unread messageCount lastMessageAt changedAt mayDelete
    replyWindowEndsAt assignedAt assignee { id } channel { id } contact { name phone whatsappId }
    lastMessage { text }";

const MESSAGE: &str = "id text direction kind reaction editedAt unsentAt at providerAt recordedAt postback
    attachments { kind url contentType } replyTo { text }";

impl Office {
    /// The log's end by now, as a position: whatever was acknowledged is before it.
    pub async fn head(&self) -> Value {
        self.change(&self.admin, "updateAccount", "", json!({})).await["position"].take()
    }

    /// Asks once all that was acknowledged is shown.
    pub async fn asks(&self, person: &Person, query: &str, variables: Value) -> Value {
        let shown = "query($at: Position) { account(atLeast: $at) { id } }";
        self.ask(&self.admin, shown, json!({ "at": self.head().await })).await;
        self.ask(person, query, variables).await
    }

    /// The four sections' counts.
    pub async fn sections(&self, person: &Person) -> Counts {
        self.sections_of(person, None).await
    }

    /// The same of one channel's conversations.
    pub async fn sections_of(&self, person: &Person, channel: Option<&str>) -> Counts {
        let query = "query($at: Position, $channel: ID) {
            sections(atLeast: $at, channel: $channel) { section conversations unread } }";
        let variables = json!({ "at": self.head().await, "channel": channel });
        let shown = self.ask(person, query, variables).await;
        SECTIONS.map(|section| {
            let found =
                shown["sections"].as_array().and_then(|all| all.iter().find(|s| s["section"] == section));
            let number = |field: &str| found.and_then(|found| found[field].as_u64()).expect("a count");
            (number("conversations"), number("unread"))
        })
    }

    /// A section's conversations, in order.
    pub async fn section(&self, person: &Person, section: &str) -> Vec<Value> {
        let query = format!(
            "query($at: Position, $section: Section!) {{ conversations(section: $section, first: 40, \
             atLeast: $at) {{ nodes {{ {CONVERSATION} }} pageInfo {{ hasNextPage }} }} }}"
        );
        let variables = json!({ "at": self.head().await, "section": section });
        let mut page = self.ask(person, &query, variables).await["conversations"].take();
        assert_eq!(page["pageInfo"]["hasNextPage"], false, "a section of these stories is one page");
        list(page["nodes"].take())
    }

    /// The last messages' texts of a section's conversations, in order.
    pub async fn listed(&self, person: &Person, section: &str) -> Vec<String> {
        let shown = self.section(person, section).await;
        shown.iter().map(|conversation| word(&conversation["lastMessage"]["text"])).collect()
    }

    /// A conversation; null if it does not exist for whoever asks.
    pub async fn conversation(&self, person: &Person, id: &str) -> Value {
        let query = format!(
            "query($at: Position, $id: ID!) {{ conversation(id: $id, atLeast: $at) {{ {CONVERSATION} }} }}"
        );
        let variables = json!({ "at": self.head().await, "id": id });
        self.ask(person, &query, variables).await["conversation"].take()
    }

    /// Waits until nobody holds a conversation, and gives it. For what the system takes back by itself, after the
    /// change that asked for it was answered.
    pub async fn until_free(&self, person: &Person, id: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.conversation(person, id).await;
            assert!(!shown.is_null(), "{id} exists for whoever asks");
            if shown["assignee"].is_null() {
                return shown;
            }
            assert!(Instant::now() < deadline, "{id} is still held");
            tokio::task::yield_now().await;
        }
    }

    /// A conversation's messages, oldest first.
    pub async fn thread(&self, person: &Person, id: &str) -> Vec<Value> {
        let query = format!(
            "query($at: Position, $id: ID!) {{ conversation(id: $id, atLeast: $at) {{ \
             messages(first: 100) {{ nodes {{ {MESSAGE} }} }} }} }}"
        );
        let variables = json!({ "at": self.head().await, "id": id });
        let mut shown = self.ask(person, &query, variables).await;
        list(shown["conversation"]["messages"]["nodes"].take())
    }

    /// The texts of a conversation's messages, oldest first; of what has none, an empty one.
    pub async fn said(&self, person: &Person, id: &str) -> Vec<String> {
        let thread = self.thread(person, id).await;
        thread.iter().map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The conversation whose newest message has this text, wherever it stands.
    pub async fn find(&self, person: &Person, text: &str) -> Value {
        for section in SECTIONS {
            for conversation in self.section(person, section).await {
                if conversation["lastMessage"]["text"] == text {
                    return conversation;
                }
            }
        }
        panic!("no conversation ends with {text:?}")
    }

    /// Does what must work; gives the payload.
    pub async fn does(&self, person: &Person, name: &str, input: Value) -> Value {
        let payload = self.change(person, name, "", input.clone()).await;
        assert_eq!(payload["errors"], json!([]), "{name} {input}");
        assert!(payload["position"].is_string(), "{name}: what is done has a position");
        payload
    }

    /// Tries what must be refused; gives the code.
    pub async fn refused(&self, person: &Person, name: &str, input: Value) -> String {
        let payload = self.change(person, name, "", input.clone()).await;
        assert_eq!(payload["position"], Value::Null, "{name} {input}: {payload}");
        assert_eq!(payload["errors"].as_array().map(Vec::len), Some(1), "{name} {input}: {payload}");
        word(&payload["errors"][0]["code"])
    }

    /// One of the changes that need nothing but the conversation's id.
    pub async fn on(&self, person: &Person, name: &str, conversation: &str) -> Value {
        self.does(person, name, json!({ "conversation": conversation })).await
    }

    pub async fn assigns(&self, person: &Person, conversation: &str, assignee: &Person) -> Value {
        let input = json!({ "conversation": conversation, "assignee": assignee.id });
        self.does(person, "assignConversation", input).await
    }

    /// Marks a conversation as seen as it stands now.
    pub async fn sees(&self, person: &Person, conversation: &str) {
        let shown = self.conversation(person, conversation).await;
        let input = json!({ "conversation": conversation, "upTo": shown["changedAt"] });
        self.does(person, "markConversationSeen", input).await;
    }

    /// The code of the error that a query is answered with.
    pub async fn failing(&self, token: Option<&str>, query: &str, variables: Value) -> String {
        let answer = self.served.graphql(token, query, variables).await;
        word(&answer["errors"][0]["extensions"]["code"])
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => panic!("a list, not {other}"),
    }
}

/// A text that must be there.
pub fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

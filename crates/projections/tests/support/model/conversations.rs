//! Living conversations by definition, each from the facts of its present life.

use std::collections::{BTreeMap, BTreeSet};

use parlance_projections::{Value, inbox};
use uuid::Uuid;

use super::{Fact, History, int};
use crate::support::driver::Tables;

pub struct Conversation {
    pub id: Uuid,
    pub channel: Uuid,
    pub closed: bool,
    pub assignee: Option<Uuid>,
    /// The position of the contact's message recorded last.
    pub contact: Option<u64>,
    pub messages: u64,
    incarnation: i64,
    assigned_at: Option<i64>,
    last: (i64, u64, Uuid),
    last_contact_at: Option<i64>,
    changed: u64,
    profile: Value,
    pub readers: BTreeSet<Uuid>,
}

/// The facts since the last deletion, of each conversation.
pub(super) fn lives(facts: &[Fact]) -> BTreeMap<Uuid, Vec<&Fact>> {
    let mut lives = BTreeMap::<Uuid, Vec<&Fact>>::new();
    for fact in facts.iter().filter(|fact| fact.kind == "conversation") {
        let life = lives.entry(fact.id).or_default();
        if fact.name == "Deleted" {
            life.clear();
        } else {
            life.push(fact);
        }
    }
    lives
}

/// Those that anybody wrote in: there is no conversation without a message.
pub fn conversations(facts: &[Fact], history: &History) -> Vec<Conversation> {
    lives(facts).into_iter().filter_map(|(id, life)| living(id, &life, facts, history)).collect()
}

fn living(id: Uuid, life: &[&Fact], facts: &[Fact], history: &History) -> Option<Conversation> {
    let last_of = |names: &[&str]| life.iter().rev().find(|fact| fact.is(names));
    let messages = || life.iter().filter(|fact| fact.is(&["MessageReceived", "MessageEchoed"]));
    let contacts = || life.iter().filter(|fact| fact.is(&["MessageReceived"]));
    let first = messages().next()?;
    let channel = first.id("channel");
    let contact = contacts().map(|fact| fact.position).max();
    let assigned = last_of(&["Assigned", "Unassigned"]).filter(|fact| fact.name == "Assigned");
    let marks = marks(id, channel, contact, facts, history);
    let changed = life.iter().map(|fact| fact.position).chain(marks.values().copied()).max()?;
    Some(Conversation {
        id,
        channel,
        closed: last_of(&["Closed", "Reopened"]).is_some_and(|fact| fact.name == "Closed"),
        assignee: assigned.map(|fact| fact.id("assignee")),
        contact,
        messages: u64::try_from(messages().count()).expect("a small number"),
        incarnation: first.number("incarnation"),
        assigned_at: assigned.map(|fact| fact.at),
        last: messages().map(|fact| (fact.ordered_at(), fact.position, fact.id("message"))).max()?,
        last_contact_at: contacts().map(|fact| fact.ordered_at()).max(),
        changed,
        profile: last_of(&["ContactProfileChanged"]).map_or(Value::Null, |fact| fact.sealed()),
        readers: marks.into_keys().collect(),
    })
}

/// Who by a mark came to have seen the contact's message recorded last, and at which position.
fn marks(
    id: Uuid,
    channel: Uuid,
    contact: Option<u64>,
    facts: &[Fact],
    history: &History,
) -> BTreeMap<Uuid, u64> {
    let mut marks = BTreeMap::new();
    let Some(contact) = contact else { return marks };
    let seen = facts.iter().filter(|fact| fact.name == "ConversationSeen" && fact.id("conversation") == id);
    for fact in seen.filter(|fact| fact.number("up_to").cast_unsigned() >= contact) {
        let member = fact.id("member");
        let unread = history.at(fact.position).get(&(channel, member)).is_some_and(|since| *since < contact);
        if unread {
            marks.entry(member).or_insert(fact.position);
        }
    }
    marks
}

pub(super) fn rows(conversations: &[Conversation], tables: &mut Tables) {
    for c in conversations {
        let (at, position, message) = c.last;
        let row = vec![
            c.id.into(),
            c.incarnation.into(),
            c.channel.into(),
            if c.closed { "closed" } else { "open" }.into(),
            c.assignee.into(),
            c.assigned_at.into(),
            message.into(),
            at.into(),
            int(position),
            c.last_contact_at.into(),
            c.contact.into(),
            int(c.messages),
            int(c.changed),
            c.profile.clone(),
            c.readers.iter().flat_map(|member| *member.as_bytes()).collect::<Vec<u8>>().into(),
        ];
        tables.put(&inbox::CONVERSATIONS, row);
    }
}

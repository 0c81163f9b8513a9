//! Sections and what is unread, counted one conversation at a time.

use parlance_projections::{Value, inbox};
use uuid::Uuid;

use super::{Conversation, Fact, History};
use crate::support::driver::Tables;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Unassigned,
    AssignedToMe,
    AssignedToOthers,
    Closed,
}

/// "Closed wins over assignment."
pub fn section(member: Uuid, conversation: &Conversation) -> Section {
    match conversation.assignee {
        _ if conversation.closed => Section::Closed,
        None => Section::Unassigned,
        Some(assignee) if assignee == member => Section::AssignedToMe,
        Some(_) => Section::AssignedToOthers,
    }
}

/// "The conversation's latest contact's message was recorded after both this member's mark and the moment this
/// member gained access."
pub fn unread(facts: &[Fact], member: Uuid, since: u64, conversation: &Conversation) -> bool {
    let seen = facts.iter().filter(|fact| fact.name == "ConversationSeen");
    let own = seen.filter(|f| f.id("conversation") == conversation.id && f.id("member") == member);
    let mark = own.map(|fact| fact.number("up_to").cast_unsigned()).max().unwrap_or(0);
    conversation.contact.is_some_and(|contact| contact > mark && contact > since)
}

/// The kept counts as they must be: each bucket's conversations, and what each member has seen of it.
pub fn bucket_tables(facts: &[Fact], conversations: &[Conversation], history: &History, tables: &mut Tables) {
    let mut count = |table, key: Vec<Value>, by: &[i64]| {
        let now = Tables::of(tables, table).get(&key).cloned();
        let zeros = || key.iter().cloned().chain(by.iter().map(|_| Value::Int(0))).collect();
        let mut row: Vec<Value> = now.unwrap_or_else(zeros);
        for (value, by) in row[key.len()..].iter_mut().zip(by) {
            let Value::Int(count) = value else { panic!("a count") };
            *count += by;
        }
        tables.put(table, row);
    };
    for c in conversations {
        let state: Value = if c.closed { "closed" } else { "open" }.into();
        let assignee: Value = c.assignee.map_or_else(Vec::new, |m| m.as_bytes().to_vec()).into();
        let key = vec![c.channel.into(), state.clone(), assignee.clone()];
        count(&inbox::COUNTS, key, &[1, i64::from(c.contact.is_some())]);
        for ((channel, member), since) in history.now() {
            if *channel == c.channel && c.contact.is_some() && !unread(facts, *member, *since, c) {
                let key = vec![c.channel.into(), (*member).into(), state.clone(), assignee.clone()];
                count(&inbox::SEEN, key, &[1]);
            }
        }
    }
}

//! Threads by definition: every message that anything is known of in its conversation's present life.

use std::collections::BTreeSet;

use parlance_projections::{Value, thread};
use uuid::Uuid;

use super::{Fact, conversations::lives, int};
use crate::support::driver::Tables;

const ARRIVALS: [&str; 2] = ["MessageReceived", "MessageEchoed"];
const AMENDMENTS: [&str; 3] = ["MessageEdited", "MessageReacted", "MessageUnsent"];

/// "Threads are ordered by the earlier of provider time and recorded time, then by position."
pub fn thread_order(facts: &[Fact], conversation: Uuid) -> Vec<Uuid> {
    let life = lives(facts).remove(&conversation).unwrap_or_default();
    let arrived = life.into_iter().filter(|fact| fact.is(&ARRIVALS));
    let mut arrived: Vec<_> = arrived.map(|f| (f.ordered_at(), f.position, f.id("message"))).collect();
    arrived.sort_unstable();
    arrived.into_iter().map(|(_, _, message)| message).collect()
}

pub fn threads(facts: &[Fact], tables: &mut Tables) {
    for (conversation, life) in lives(facts) {
        let told = life.iter().filter(|fact| fact.is(&ARRIVALS) || fact.is(&AMENDMENTS));
        let messages: BTreeSet<Uuid> = told.map(|fact| fact.id("message")).collect();
        for message in messages {
            let about = |names: &[&str]| {
                let told = life.iter().filter(|fact| fact.is(names) && fact.id("message") == message);
                told.copied().collect::<Vec<&Fact>>()
            };
            let row = message_row(conversation, message, about);
            tables.put(&thread::MESSAGES, row);
        }
    }
}

fn message_row<'a>(
    conversation: Uuid,
    message: Uuid,
    about: impl Fn(&[&str]) -> Vec<&'a Fact>,
) -> Vec<Value> {
    let arrived = about(&ARRIVALS);
    assert!(arrived.len() < 2, "the same message is told once");
    let arrived = arrived.first();
    let all = [about(&ARRIVALS), about(&AMENDMENTS)].concat();
    let first = all.iter().min_by_key(|fact| fact.position).expect("something is known of it");
    let kind = match arrived {
        Some(fact) if fact.name == "MessageEchoed" => "echo",
        Some(fact) => fact.text("kind"),
        None => "message",
    };
    let mut row = vec![
        conversation.into(),
        message.into(),
        arrived.is_some().into(),
        first.number("incarnation").into(),
        if kind == "echo" { "out" } else { "in" }.into(),
        kind.into(),
        arrived.map_or(0, |fact| fact.ordered_at()).into(),
        int(arrived.map_or(0, |fact| fact.position)),
        arrived.and_then(|fact| fact.maybe("provider_at")).into(),
        arrived.map_or(0, |fact| fact.at).into(),
        arrived.map_or(Value::Null, |fact| fact.sealed()),
    ];
    for amendments in ["MessageEdited", "MessageReacted"] {
        let latest = about(&[amendments]).into_iter().max_by_key(|fact| (told_at(fact), fact.position));
        row.push(latest.map(told_at).into());
        row.push(latest.map(|fact| fact.position).into());
        row.push(latest.map_or(Value::Null, Fact::sealed));
    }
    row.push(about(&["MessageUnsent"]).into_iter().map(told_at).max().into());
    row
}

/// The provider's time, where it tells one.
fn told_at(fact: &Fact) -> i64 {
    fact.maybe("provider_at").unwrap_or(fact.at)
}

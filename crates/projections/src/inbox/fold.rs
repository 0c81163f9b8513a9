//! The fold of the inbox: which rows an event touches, and how rows and counts change together.

use std::collections::BTreeSet;

use parlance_domain::{
    ChannelId, ConversationId, Event, MemberId, Position,
    conversation::ConversationEvent,
    reading::{ConversationSeen, ReadingEvent},
};

use super::{
    ACCESS, CHANNELS, CONVERSATIONS, COUNTS, InboxRow, MEMBERS, SEEN, access, conversation::changed,
    conversation_key,
};
use crate::{FoldError, Folded, Projector, RowReader, Rows, Table, Touch, key};

/// Folds conversations, reading marks and access into the inbox.
pub struct InboxProjector;

impl Projector for InboxProjector {
    fn name(&self) -> &'static str {
        "inbox"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        const TABLES: &[&Table] = &[&CONVERSATIONS, &COUNTS, &SEEN, &ACCESS, &CHANNELS, &MEMBERS];
        TABLES
    }

    fn touches(&self, rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        match event.event {
            Event::Conversation(e) => {
                let id = ConversationId::new(event.recorded.stream.id);
                let mut touches = vec![Touch::new(&CONVERSATIONS, conversation_key(id))];
                if moves_counts(e) {
                    touches.extend(seen_touches(rows, id)?);
                }
                Ok(touches)
            }
            Event::Reading(ReadingEvent::ConversationSeen(e)) => {
                let conversation = Touch::new(&CONVERSATIONS, conversation_key(e.conversation));
                let access = match row(rows, e.conversation)? {
                    Some(row) => {
                        Some(Touch::new(&ACCESS, key([row.channel.uuid().into(), e.member.uuid().into()])))
                    }
                    // It begins in this very page: in which channel, only the fold will know.
                    None => rows.knows(&conversation).then(|| Touch::new(&ACCESS, Vec::new())),
                };
                Ok([conversation].into_iter().chain(access).collect())
            }
            Event::Member(e) => access::member_touches(rows, MemberId::new(event.recorded.stream.id), e),
            Event::Channel(e) => Ok(access::channel_touches(ChannelId::new(event.recorded.stream.id), e)),
            Event::Account(_) | Event::Connection(_) | Event::Delivery(_) => Ok(Vec::new()),
        }
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let position = event.recorded.position;
        match event.event {
            Event::Conversation(e) => {
                let id = ConversationId::new(event.recorded.stream.id);
                let before = row(rows, id)?;
                let after = changed(before.as_ref(), e, event.recorded);
                if moves_counts(e) {
                    let seen_before =
                        before.as_ref().map(|row| seen(rows, row)).transpose()?.unwrap_or_default();
                    // What only changes its bucket stays seen; a contact's message is seen by nobody yet.
                    let unseen = matches!(e, ConversationEvent::MessageReceived(_));
                    let seen_after = if unseen { BTreeSet::new() } else { seen_before.clone() };
                    count(rows, before.as_ref(), &seen_before, -1);
                    count(rows, after.as_ref(), &seen_after, 1);
                }
                match after {
                    Some(after) => rows.put(&CONVERSATIONS, after.to_row()),
                    None if before.is_some() => rows.remove(&CONVERSATIONS, &conversation_key(id)),
                    None => {}
                }
                Ok(())
            }
            Event::Reading(ReadingEvent::ConversationSeen(e)) => mark_seen(rows, e, position),
            Event::Member(e) => {
                access::fold_member(rows, MemberId::new(event.recorded.stream.id), e, position)
            }
            Event::Channel(e) => {
                access::fold_channel(rows, ChannelId::new(event.recorded.stream.id), e, position)
            }
            Event::Account(_) | Event::Connection(_) | Event::Delivery(_) => Ok(()),
        }
    }
}

/// Whether the event can change a bucket, or who has seen the conversation.
fn moves_counts(event: &ConversationEvent) -> bool {
    match event {
        ConversationEvent::MessageReceived(_)
        | ConversationEvent::MessageEchoed(_)
        | ConversationEvent::Assigned(_)
        | ConversationEvent::Unassigned(_)
        | ConversationEvent::Closed(_)
        | ConversationEvent::Reopened(_)
        | ConversationEvent::Deleted(_) => true,
        ConversationEvent::ContactProfileChanged(_)
        | ConversationEvent::MessageReacted(_)
        | ConversationEvent::MessageEdited(_)
        | ConversationEvent::MessageUnsent(_)
        | ConversationEvent::MessageSkipped(_)
        | ConversationEvent::MessageDelivered(_)
        | ConversationEvent::MessageRead(_) => false,
    }
}

fn row(rows: &Rows, id: ConversationId) -> Result<Option<InboxRow>, FoldError> {
    rows.get(&CONVERSATIONS, &conversation_key(id)).map(InboxRow::from_row).transpose()
}

/// What must be loaded to know who has seen a conversation.
fn seen_touches(rows: &Rows, id: ConversationId) -> Result<Vec<Touch>, FoldError> {
    let Some(row) = row(rows, id)? else { return Ok(Vec::new()) };
    let Some(last) = row.last_contact_position else { return Ok(Vec::new()) };
    let channel = key([row.channel.uuid().into()]);
    let mut touches = vec![Touch::new(&CHANNELS, channel.clone())];
    for reader in &row.readers {
        touches.push(Touch::new(&ACCESS, key([row.channel.uuid().into(), reader.uuid().into()])));
    }
    if access::last_gained(rows, row.channel)? >= last {
        touches.push(Touch::new(&ACCESS, channel));
    }
    Ok(touches)
}

/// Who has seen the latest contact's message: by a mark, or by having gained access only after it.
fn seen(rows: &Rows, row: &InboxRow) -> Result<BTreeSet<MemberId>, FoldError> {
    let Some(last) = row.last_contact_position else { return Ok(BTreeSet::new()) };
    let mut seen = BTreeSet::new();
    for reader in &row.readers {
        if access::since(rows, row.channel, *reader)?.is_some() {
            seen.insert(*reader);
        }
    }
    if access::last_gained(rows, row.channel)? >= last {
        for stored in rows.scan(&ACCESS, &[row.channel.uuid().into()]) {
            let mut read = RowReader::new(&ACCESS, &stored);
            let (_, member, since) = (read.id()?, MemberId::new(read.id()?), Position::new(read.number()?));
            if since >= last {
                seen.insert(member);
            }
        }
    }
    Ok(seen)
}

/// Adds a conversation to its bucket, or takes it out.
fn count(rows: &mut Rows, row: Option<&InboxRow>, seen: &BTreeSet<MemberId>, sign: i64) {
    let Some(row) = row else { return };
    let [channel, state, assignee] = row.bucket();
    let contacted = i64::from(row.last_contact_position.is_some());
    for member in seen {
        let seen_key = key([channel.clone(), member.uuid().into(), state.clone(), assignee.clone()]);
        rows.add(&SEEN, seen_key, &[sign]);
    }
    rows.add(&COUNTS, key([channel, state, assignee]), &[sign, sign * contacted]);
}

fn mark_seen(rows: &mut Rows, event: &ConversationSeen, position: Position) -> Result<(), FoldError> {
    let Some(mut row) = row(rows, event.conversation)? else { return Ok(()) };
    let Some(last) = row.last_contact_position else { return Ok(()) };
    let Some(since) = access::since(rows, row.channel, event.member)? else { return Ok(()) };
    if event.up_to < last || since >= last || row.readers.contains(&event.member) {
        return Ok(());
    }
    row.readers.insert(event.member);
    row.changed = position;
    let [channel, state, assignee] = row.bucket();
    rows.add(&SEEN, key([channel, event.member.uuid().into(), state, assignee]), &[1]);
    rows.put(&CONVERSATIONS, row.to_row());
    Ok(())
}

//! The fold of threads.

use parlance_domain::{
    ConversationId, Event, MessageId, RecordedEvent, Timestamp,
    conversation::{ConversationEvent, MessageKind},
};

use super::{
    MESSAGES,
    message::{Amendment, Direction, ThreadRow},
};
use crate::{FoldError, Folded, Projector, RowKey, Rows, Table, Touch, key};

/// Folds messages and what happened to them into threads.
pub struct ThreadProjector;

impl Projector for ThreadProjector {
    fn name(&self) -> &'static str {
        "thread"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        const TABLES: &[&Table] = &[&MESSAGES];
        TABLES
    }

    fn touches(&self, _rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        let id = ConversationId::new(event.recorded.stream.id);
        let Event::Conversation(event) = event.event else { return Ok(Vec::new()) };
        let message = match event {
            ConversationEvent::MessageReceived(e) => e.message,
            ConversationEvent::MessageEchoed(e) => e.message,
            ConversationEvent::MessageReacted(e) => e.message,
            ConversationEvent::MessageEdited(e) => e.message,
            ConversationEvent::MessageUnsent(e) => e.message,
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Touch::new(&MESSAGES, message_key(id, message))])
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let recorded = event.recorded;
        let id = ConversationId::new(recorded.stream.id);
        let Event::Conversation(event) = event.event else { return Ok(()) };
        match event {
            ConversationEvent::MessageReceived(e) => {
                let mut row = row(rows, id, e.message, e.incarnation)?;
                arrive(&mut row, recorded, e.provider_at);
                row.direction = Direction::In;
                row.kind = match e.kind {
                    MessageKind::Message => "message",
                    MessageKind::Postback => "postback",
                };
                row.content = e.content.as_sealed().cloned();
                rows.put(&MESSAGES, row.to_row());
            }
            ConversationEvent::MessageEchoed(e) => {
                let mut row = row(rows, id, e.message, e.incarnation)?;
                arrive(&mut row, recorded, e.provider_at);
                row.direction = Direction::Out;
                row.kind = "echo";
                row.content = e.content.as_sealed().cloned();
                rows.put(&MESSAGES, row.to_row());
            }
            ConversationEvent::MessageEdited(e) => {
                let mut row = row(rows, id, e.message, e.incarnation)?;
                let content = e.content.as_sealed().cloned();
                row.edit = latest(row.edit, recorded, e.provider_at, content);
                rows.put(&MESSAGES, row.to_row());
            }
            ConversationEvent::MessageReacted(e) => {
                let mut row = row(rows, id, e.message, e.incarnation)?;
                let content = e.content.as_sealed().cloned();
                row.reaction = latest(row.reaction, recorded, e.provider_at, content);
                rows.put(&MESSAGES, row.to_row());
            }
            ConversationEvent::MessageUnsent(e) => {
                let mut row = row(rows, id, e.message, e.incarnation)?;
                row.unsent_at = row.unsent_at.max(Some(e.provider_at.unwrap_or(recorded.recorded_at)));
                rows.put(&MESSAGES, row.to_row());
            }
            ConversationEvent::Deleted(_) => rows.remove_prefix(&MESSAGES, key([id.uuid().into()])),
            _ => {}
        }
        Ok(())
    }
}

fn message_key(conversation: ConversationId, message: MessageId) -> RowKey {
    key([conversation.uuid().into(), message.uuid().into()])
}

fn row(
    rows: &Rows,
    conversation: ConversationId,
    message: MessageId,
    incarnation: u32,
) -> Result<ThreadRow, FoldError> {
    rows.get(&MESSAGES, &message_key(conversation, message))
        .map_or_else(|| Ok(ThreadRow::awaited(conversation, message, incarnation)), ThreadRow::from_row)
}

fn arrive(row: &mut ThreadRow, recorded: &RecordedEvent, provider_at: Option<Timestamp>) {
    row.present = true;
    row.provider_at = provider_at;
    row.recorded_at = recorded.recorded_at;
    row.at = provider_at.map_or(recorded.recorded_at, |at| at.min(recorded.recorded_at));
    row.position = recorded.position;
}

/// Of two amendments the later one counts, by the provider's time where it tells one.
fn latest(
    old: Option<Amendment>,
    recorded: &RecordedEvent,
    provider_at: Option<Timestamp>,
    content: Option<parlance_domain::Sealed>,
) -> Option<Amendment> {
    let new =
        Amendment { at: provider_at.unwrap_or(recorded.recorded_at), position: recorded.position, content };
    match old {
        Some(old) if (old.at, old.position) > (new.at, new.position) => Some(old),
        _ => Some(new),
    }
}

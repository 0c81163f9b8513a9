//! The row of one conversation and how events change it, counts and members aside.

use std::collections::BTreeSet;

use parlance_domain::{
    ChannelId, ConversationId, MemberId, MessageId, Position, RecordedEvent, Sealed, Timestamp,
    conversation::ConversationEvent,
};

use super::{CONVERSATIONS, pack, unpack};
use crate::{FoldError, Row, RowReader, Value};

/// Whether a conversation is open or closed; with the assignee it decides the section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Open,
    Closed,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|state| state.as_str() == text)
    }
}

/// A living conversation as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRow {
    pub conversation: ConversationId,
    pub incarnation: u32,
    pub channel: ChannelId,
    pub state: State,
    pub assignee: Option<MemberId>,
    pub assigned_at: Option<Timestamp>,
    /// The newest message by (the earlier of provider time and recorded time, position): the list's order.
    pub last_message: MessageId,
    pub last_message_at: Timestamp,
    pub last_message_position: Position,
    /// The newest contact's message by the same time; the reply window counts from it.
    pub last_contact_at: Option<Timestamp>,
    /// The contact's message recorded last; unread is judged by it.
    pub last_contact_position: Option<Position>,
    pub messages: u64,
    /// The last event that changed anything here.
    pub changed: Position,
    pub profile: Option<Sealed>,
    /// Who marked it seen since the contact's message recorded last.
    pub readers: BTreeSet<MemberId>,
}

impl InboxRow {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&CONVERSATIONS, row);
        let stamp = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        let wrong = |column| FoldError::StoredRow { table: CONVERSATIONS.name, column };
        Ok(Self {
            conversation: ConversationId::new(read.id()?),
            incarnation: u32::try_from(read.number()?).map_err(|_| wrong(1))?,
            channel: ChannelId::new(read.id()?),
            state: State::parse(read.text()?).ok_or(wrong(3))?,
            assignee: read.maybe_id()?.map(MemberId::new),
            assigned_at: stamp(read.maybe_int()?),
            last_message: MessageId::new(read.id()?),
            last_message_at: Timestamp::from_micros(read.int()?),
            last_message_position: Position::new(read.number()?),
            last_contact_at: stamp(read.maybe_int()?),
            last_contact_position: read.maybe_number()?.map(Position::new),
            messages: read.number()?,
            changed: Position::new(read.number()?),
            profile: read.maybe_sealed()?,
            readers: unpack(read.bytes()?),
        })
    }

    pub(super) fn to_row(&self) -> Row {
        vec![
            self.conversation.uuid().into(),
            u64::from(self.incarnation).into(),
            self.channel.uuid().into(),
            self.state.as_str().into(),
            self.assignee.map(MemberId::uuid).into(),
            self.assigned_at.map(Timestamp::micros).into(),
            self.last_message.uuid().into(),
            self.last_message_at.micros().into(),
            self.last_message_position.number().into(),
            self.last_contact_at.map(Timestamp::micros).into(),
            self.last_contact_position.map(Position::number).into(),
            self.messages.into(),
            self.changed.number().into(),
            self.profile.as_ref().into(),
            pack(&self.readers).into(),
        ]
    }

    /// The key of its bucket in the counts: channel, state, assignee.
    pub(super) fn bucket(&self) -> [Value; 3] {
        let assignee = self.assignee.map_or_else(Vec::new, |member| member.bytes().to_vec());
        [self.channel.uuid().into(), self.state.as_str().into(), assignee.into()]
    }
}

/// The row after `event`; `None`: there is none (any more, or yet).
pub(super) fn changed(
    row: Option<&InboxRow>,
    event: &ConversationEvent,
    recorded: &RecordedEvent,
) -> Option<InboxRow> {
    let mut row = match (row, event) {
        (_, ConversationEvent::Deleted(_)) => return None,
        (Some(row), _) => row.clone(),
        (None, ConversationEvent::MessageReceived(e)) => begun(recorded, e.incarnation, e.channel, e.message),
        (None, ConversationEvent::MessageEchoed(e)) => begun(recorded, e.incarnation, e.channel, e.message),
        (None, _) => return None,
    };
    row.changed = recorded.position;
    match event {
        ConversationEvent::MessageReceived(e) => {
            let at = message(&mut row, recorded, e.message, e.provider_at);
            row.last_contact_at = row.last_contact_at.max(Some(at));
            row.last_contact_position = Some(recorded.position);
            row.readers.clear();
        }
        ConversationEvent::MessageEchoed(e) => {
            message(&mut row, recorded, e.message, e.provider_at);
        }
        ConversationEvent::ContactProfileChanged(e) => row.profile = e.profile.as_sealed().cloned(),
        ConversationEvent::Assigned(e) => {
            row.assignee = Some(e.assignee);
            row.assigned_at = Some(recorded.recorded_at);
        }
        ConversationEvent::Unassigned(_) => {
            row.assignee = None;
            row.assigned_at = None;
        }
        ConversationEvent::Closed(_) => row.state = State::Closed,
        ConversationEvent::Reopened(_) => row.state = State::Open,
        ConversationEvent::Deleted(_)
        | ConversationEvent::MessageReacted(_)
        | ConversationEvent::MessageEdited(_)
        | ConversationEvent::MessageUnsent(_)
        | ConversationEvent::MessageSkipped(_)
        | ConversationEvent::MessageDelivered(_)
        | ConversationEvent::MessageRead(_) => {}
    }
    Some(row)
}

fn begun(recorded: &RecordedEvent, incarnation: u32, channel: ChannelId, first: MessageId) -> InboxRow {
    InboxRow {
        conversation: ConversationId::new(recorded.stream.id),
        incarnation,
        channel,
        state: State::Open,
        assignee: None,
        assigned_at: None,
        last_message: first,
        last_message_at: Timestamp::from_micros(i64::MIN),
        last_message_position: recorded.position,
        last_contact_at: None,
        last_contact_position: None,
        messages: 0,
        changed: recorded.position,
        profile: None,
        readers: BTreeSet::new(),
    }
}

/// Takes a message into the order of the list; gives the time it is ordered by.
fn message(
    row: &mut InboxRow,
    recorded: &RecordedEvent,
    message: MessageId,
    provider_at: Option<Timestamp>,
) -> Timestamp {
    let at = provider_at.map_or(recorded.recorded_at, |at| at.min(recorded.recorded_at));
    row.messages += 1;
    if (at, recorded.position) >= (row.last_message_at, row.last_message_position) {
        row.last_message = message;
        row.last_message_at = at;
        row.last_message_position = recorded.position;
    }
    at
}

//! The row of one message.

use parlance_domain::{ConversationId, MessageId, Position, Sealed, Timestamp};

use super::MESSAGES;
use crate::{FoldError, Row, RowReader};

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The contact.
    In,
    /// The account.
    Out,
}

/// What changed a message later: its time (the provider's, else the recorded one), position and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    pub at: Timestamp,
    pub position: Position,
    pub content: Option<Sealed>,
}

/// A message as threads show it.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreadRow {
    pub conversation: ConversationId,
    pub message: MessageId,
    /// Whether the message itself has been recorded.
    pub present: bool,
    pub incarnation: u32,
    pub direction: Direction,
    /// `message`, `postback` or `echo`.
    pub kind: &'static str,
    /// The earlier of provider time and recorded time: the thread's order, with the position.
    pub at: Timestamp,
    pub position: Position,
    pub provider_at: Option<Timestamp>,
    pub recorded_at: Timestamp,
    pub content: Option<Sealed>,
    /// The latest edit.
    pub edit: Option<Amendment>,
    /// The contact's latest reaction.
    pub reaction: Option<Amendment>,
    pub unsent_at: Option<Timestamp>,
}

impl ThreadRow {
    /// A row that waits for its message.
    pub(super) fn awaited(conversation: ConversationId, message: MessageId, incarnation: u32) -> Self {
        Self {
            conversation,
            message,
            present: false,
            incarnation,
            direction: Direction::In,
            kind: "message",
            at: Timestamp::default(),
            position: Position::START,
            provider_at: None,
            recorded_at: Timestamp::default(),
            content: None,
            edit: None,
            reaction: None,
            unsent_at: None,
        }
    }

    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        fn amendment(read: &mut RowReader<'_>) -> Result<Option<Amendment>, FoldError> {
            let (at, position, content) = (read.maybe_int()?, read.maybe_number()?, read.maybe_sealed()?);
            Ok(at.zip(position).map(|(at, position)| Amendment {
                at: Timestamp::from_micros(at),
                position: Position::new(position),
                content,
            }))
        }
        let wrong = |column| FoldError::StoredRow { table: MESSAGES.name, column };
        let mut read = RowReader::new(&MESSAGES, row);
        Ok(Self {
            conversation: ConversationId::new(read.id()?),
            message: MessageId::new(read.id()?),
            present: read.int()? != 0,
            incarnation: u32::try_from(read.number()?).map_err(|_| wrong(3))?,
            direction: match read.text()? {
                "in" => Direction::In,
                "out" => Direction::Out,
                _ => return Err(wrong(4)),
            },
            kind: match read.text()? {
                "message" => "message",
                "postback" => "postback",
                "echo" => "echo",
                _ => return Err(wrong(5)),
            },
            at: Timestamp::from_micros(read.int()?),
            position: Position::new(read.number()?),
            provider_at: read.maybe_int()?.map(Timestamp::from_micros),
            recorded_at: Timestamp::from_micros(read.int()?),
            content: read.maybe_sealed()?,
            edit: amendment(&mut read)?,
            reaction: amendment(&mut read)?,
            unsent_at: read.maybe_int()?.map(Timestamp::from_micros),
        })
    }

    pub(super) fn to_row(&self) -> Row {
        let mut row: Row = vec![
            self.conversation.uuid().into(),
            self.message.uuid().into(),
            self.present.into(),
            u64::from(self.incarnation).into(),
            match self.direction {
                Direction::In => "in",
                Direction::Out => "out",
            }
            .into(),
            self.kind.into(),
            self.at.micros().into(),
            self.position.number().into(),
            self.provider_at.map(Timestamp::micros).into(),
            self.recorded_at.micros().into(),
            self.content.as_ref().into(),
        ];
        for amendment in [&self.edit, &self.reaction] {
            row.push(amendment.as_ref().map(|a| a.at.micros()).into());
            row.push(amendment.as_ref().map(|a| a.position.number()).into());
            row.push(amendment.as_ref().and_then(|a| a.content.as_ref()).into());
        }
        row.push(self.unsent_at.map(Timestamp::micros).into());
        row
    }
}

//! All messages between one contact and one channel: begun, assigned, closed, reopened, deleted, and begun
//! again as a new *incarnation*. Message bodies are in the events, not in the state, which stays small.

mod command;
mod content;
mod decide;
mod error;
mod event;
mod evolve;
mod ingest;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::{
    command::{ConversationCommand, Expected, Incoming, LossCause, Source},
    content::{Attachment, ContactProfile, EditedContent, MessageContent, ReactionContent},
    error::ConversationError,
    event::{
        Assigned, Closed, ContactProfileChanged, ConversationEvent, Deleted, MessageDelivered, MessageEchoed,
        MessageEdited, MessageKind, MessageReacted, MessageRead, MessageReceived, MessageSkipped,
        MessageUnsent, ReopenCause, Reopened, UnassignCause, Unassigned,
    },
};
use crate::{
    Actor, ChannelId, Decider, MemberId, Personal, PersonalPart, StreamRef, StreamType, Timestamp,
    aggregate::aggregate,
};

/// Where a conversation stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody has written yet (a receipt or reaction may already be recorded).
    #[default]
    NotBegun,
    Open,
    Closed,
    Deleted,
}

/// Who holds a conversation, and since when by whose decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub assignee: MemberId,
    pub by: Actor,
    pub at: Timestamp,
}

/// A conversation's state. The default is one that never was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    pub phase: Phase,
    /// 1 for the first life; 0 before it.
    pub incarnation: u32,
    pub channel: Option<ChannelId>,
    pub assignment: Option<Assignment>,
    /// The newest contact's message, by the earlier of provider time and recorded time; the reply window
    /// is open for 24 hours from it.
    pub last_contact_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// Counts messages of this incarnation; only messages move it. The composer's guard compares it.
    pub thread_version: u64,
    pub profile: Personal<ContactProfile>,
}

impl Conversation {
    /// Whether it exists for those with access.
    pub fn is_visible(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closed)
    }

    pub fn assignee(&self) -> Option<MemberId> {
        self.assignment.map(|assignment| assignment.assignee)
    }

    /// The incarnation that an event would belong to which arrives now.
    fn incarnation_now(&self) -> u32 {
        match self.phase {
            Phase::NotBegun => 1,
            Phase::Open | Phase::Closed => self.incarnation,
            Phase::Deleted => self.incarnation + 1,
        }
    }
}

aggregate!(Conversation, ConversationCommand, ConversationEvent, ConversationError, "conversation");

impl Decider for Conversation {
    const STREAM: StreamType = StreamType::Conversation;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        let mut consulted: Vec<_> = command.by.stream().into_iter().collect();
        consulted.extend(command.order.channel().or(self.channel).map(StreamRef::from));
        match &command.order {
            ConversationCommand::Assign { to, .. } => consulted.push((*to).into()),
            ConversationCommand::Release { member, .. } => consulted.push((*member).into()),
            // Reopening looks whether the assignee still has access.
            ConversationCommand::Reopen | ConversationCommand::Receive(_) if self.phase == Phase::Closed => {
                consulted.extend(self.assignee().map(StreamRef::from));
            }
            _ => {}
        }
        consulted
    }

    fn personal_parts(&mut self) -> Vec<(u32, &mut dyn PersonalPart)> {
        vec![(self.incarnation, &mut self.profile)]
    }
}

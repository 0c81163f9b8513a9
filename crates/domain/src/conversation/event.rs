//! What can have happened to a conversation. Every event names the incarnation it belongs to.

use serde::{Deserialize, Serialize};

use super::{ContactProfile, EditedContent, MessageContent, ReactionContent};
use crate::{
    ChannelId, DedupeToken, Facts, MemberId, MessageId, Personal, StreamType, SystemReason, Timestamp,
    event::{events, personal_field},
};

/// What a contact did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    Message,
    /// Tapped a button; counts as a message.
    Postback,
}

/// Why a conversation was reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReopenCause {
    Member,
    /// The contact wrote.
    Message,
}

/// Why nobody holds a conversation any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnassignCause {
    Member,
    /// The channel's reopen rule.
    ReopenRule,
    /// The assignee was removed from the account.
    AssigneeRemoved,
    /// The assignee lost access to the channel.
    AccessLost,
}

/// A contact's message or postback. The first of an incarnation begins it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageReceived {
    pub incarnation: u32,
    pub channel: ChannelId,
    pub message: MessageId,
    pub kind: MessageKind,
    pub provider_at: Option<Timestamp>,
    #[serde(skip)]
    pub content: Personal<MessageContent>,
}

/// A message written in the provider's own app. Begins and revives, but neither reopens nor makes unread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageEchoed {
    pub incarnation: u32,
    pub channel: ChannelId,
    pub message: MessageId,
    pub provider_at: Option<Timestamp>,
    #[serde(skip)]
    pub content: Personal<MessageContent>,
}

/// Carries all that is known of the contact from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContactProfileChanged {
    pub incarnation: u32,
    #[serde(skip)]
    pub profile: Personal<ContactProfile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageReacted {
    pub incarnation: u32,
    pub message: MessageId,
    pub provider_at: Option<Timestamp>,
    pub token: DedupeToken,
    #[serde(skip)]
    pub content: Personal<ReactionContent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageEdited {
    pub incarnation: u32,
    pub message: MessageId,
    pub provider_at: Option<Timestamp>,
    pub token: DedupeToken,
    #[serde(skip)]
    pub content: Personal<EditedContent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageUnsent {
    pub incarnation: u32,
    pub message: MessageId,
    pub provider_at: Option<Timestamp>,
    pub token: DedupeToken,
}

/// A message older than a deletion was found by reconciliation: a mark that it was seen, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageSkipped {
    pub incarnation: u32,
    pub message: MessageId,
}

/// The provider delivered these messages, and all sent up to `until`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageDelivered {
    pub incarnation: u32,
    pub messages: Vec<MessageId>,
    pub until: Option<Timestamp>,
    pub token: DedupeToken,
}

/// The contact read these messages, and all sent up to `until`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRead {
    pub incarnation: u32,
    pub messages: Vec<MessageId>,
    pub until: Option<Timestamp>,
    pub token: DedupeToken,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    pub incarnation: u32,
    pub assignee: MemberId,
    pub previous: Option<MemberId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unassigned {
    pub incarnation: u32,
    pub previous: MemberId,
    pub cause: UnassignCause,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    pub incarnation: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reopened {
    pub incarnation: u32,
    pub cause: ReopenCause,
}

/// The history is gone: the incarnation's key dies in the same transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deleted {
    pub incarnation: u32,
}

events! {
    ConversationEvent of StreamType::Conversation => {
        MessageReceived = 1,
        MessageEchoed = 1,
        ContactProfileChanged = 1,
        MessageReacted = 1,
        MessageEdited = 1,
        MessageUnsent = 1,
        MessageSkipped = 1,
        MessageDelivered = 1,
        MessageRead = 1,
        Assigned = 1,
        Unassigned = 1,
        Closed = 1,
        Reopened = 1,
        Deleted = 1,
    }
}

macro_rules! in_incarnation {
    ($($name:ident { $($more:tt)* })*) => { $(impl Facts for $name {
        fn key_number(&self) -> u32 {
            self.incarnation
        }

        $($more)*
    })* };
}

macro_rules! told_once {
    ($field:ident) => {
        fn dedupe(&self) -> Option<DedupeToken> {
            Some(self.$field.into())
        }
    };
}

in_incarnation! {
    MessageReceived { personal_field!(content); told_once!(message); }
    MessageEchoed { personal_field!(content); told_once!(message); }
    ContactProfileChanged { personal_field!(profile); }
    MessageReacted { personal_field!(content); told_once!(token); }
    MessageEdited { personal_field!(content); told_once!(token); }
    MessageUnsent { told_once!(token); }
    MessageSkipped { told_once!(message); }
    MessageDelivered { told_once!(token); }
    MessageRead { told_once!(token); }
    Assigned {}
    Unassigned {
        fn system_reason(&self) -> Option<SystemReason> {
            match self.cause {
                UnassignCause::Member => None,
                UnassignCause::ReopenRule => Some(SystemReason::ReopenRule),
                UnassignCause::AssigneeRemoved | UnassignCause::AccessLost => Some(SystemReason::AccessLost),
            }
        }
    }
    Closed {}
    Reopened {}
    Deleted {
        fn destroys_key(&self) -> Option<u32> {
            Some(self.incarnation)
        }
    }
}

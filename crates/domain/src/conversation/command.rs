//! What can be asked of a conversation: by members, by the system, and by what a provider tells.

use super::{ContactProfile, EditedContent, MessageContent, MessageKind, ReactionContent, UnassignCause};
use crate::{ChannelId, DedupeToken, MemberId, MessageId, Timestamp};

/// The assignee that a caller saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Anybody,
    Nobody,
    Member(MemberId),
}

impl Expected {
    pub(super) fn holds(self, assignee: Option<MemberId>) -> bool {
        match self {
            Self::Anybody => true,
            Self::Nobody => assignee.is_none(),
            Self::Member(member) => assignee == Some(member),
        }
    }
}

/// How a message came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Webhook,
    /// Asked back from the provider after an outage; may be older than a deletion.
    Reconciliation,
}

/// A message that the provider tells of.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    pub channel: ChannelId,
    pub message: MessageId,
    pub kind: MessageKind,
    /// When the provider says it was written; Twilio's inbound form tells none.
    pub provider_at: Option<Timestamp>,
    pub source: Source,
    pub content: MessageContent,
    pub profile: Option<ContactProfile>,
}

/// How an assignee lost access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCause {
    AssigneeRemoved,
    AccessLost,
}

impl From<LossCause> for UnassignCause {
    fn from(cause: LossCause) -> Self {
        match cause {
            LossCause::AssigneeRemoved => Self::AssigneeRemoved,
            LossCause::AccessLost => Self::AccessLost,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConversationCommand {
    /// By a member with access, to a member with access whose availability is on.
    Assign { to: MemberId, expect: Expected },
    /// By a member with access.
    Unassign { expect: Expected },
    /// By a member with access.
    Close,
    /// By a member with access.
    Reopen,
    /// By the channel's installer.
    Delete,
    /// By the system: takes the conversation from a member who lost access; nothing if somebody else holds it
    /// or the access is back.
    Release { member: MemberId, cause: LossCause },
    /// The contact wrote, or tapped a button.
    Receive(Incoming),
    /// Somebody of the account wrote from the provider's own app.
    Echo(Incoming),
    /// The contact reacted to a message.
    React {
        channel: ChannelId,
        message: MessageId,
        provider_at: Option<Timestamp>,
        token: DedupeToken,
        content: ReactionContent,
    },
    /// A message was edited where it was written.
    Edit {
        channel: ChannelId,
        message: MessageId,
        provider_at: Option<Timestamp>,
        token: DedupeToken,
        content: EditedContent,
    },
    /// A message was taken back where it was written.
    Unsend { channel: ChannelId, message: MessageId, provider_at: Option<Timestamp>, token: DedupeToken },
    /// The provider delivered `messages`, and all sent up to `until`.
    ConfirmDelivery {
        channel: ChannelId,
        messages: Vec<MessageId>,
        until: Option<Timestamp>,
        token: DedupeToken,
    },
    /// The contact read `messages`, and all sent up to `until`.
    ConfirmReading {
        channel: ChannelId,
        messages: Vec<MessageId>,
        until: Option<Timestamp>,
        token: DedupeToken,
    },
    /// The provider told something new about the contact.
    UpdateProfile { channel: ChannelId, profile: ContactProfile },
}

impl ConversationCommand {
    /// What a provider tells with this command, told at most once.
    pub fn token(&self) -> Option<DedupeToken> {
        match self {
            Self::Receive(incoming) | Self::Echo(incoming) => Some(incoming.message.into()),
            Self::React { token, .. }
            | Self::Edit { token, .. }
            | Self::Unsend { token, .. }
            | Self::ConfirmDelivery { token, .. }
            | Self::ConfirmReading { token, .. } => Some(*token),
            _ => None,
        }
    }

    /// The channel that a provider's command came through.
    pub(super) fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Receive(incoming) | Self::Echo(incoming) => Some(incoming.channel),
            Self::React { channel, .. }
            | Self::Edit { channel, .. }
            | Self::Unsend { channel, .. }
            | Self::ConfirmDelivery { channel, .. }
            | Self::ConfirmReading { channel, .. }
            | Self::UpdateProfile { channel, .. } => Some(*channel),
            _ => None,
        }
    }
}

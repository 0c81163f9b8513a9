//! The answers' shapes: content opened, ids ours. `None` in a personal field: never told, or erased.

use parlance_domain::{
    AccountId, ChannelId, ConnectionId, ConversationId, DeliveryId, MemberId, MessageId, Position, Timestamp,
    account::Language,
    channel::{ReopenRule, Visibility},
    connection::ChannelKind,
    conversation::{Attachment, ContactProfile},
    delivery::{Fate, KeptBecause},
    member::Standing,
    permissions::Action,
};

use super::Place;

/// A bounded piece of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Whether there is more in the direction that was asked for.
    pub more: bool,
}

impl<T> Page<T> {
    /// No page holds more, whatever is asked: a few milliseconds of opening and some hundred kilobytes.
    pub const ITEMS_MAX: usize = 100;
}

/// The four sections of the inbox. A conversation that exists for a member stands in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    Unassigned,
    AssignedToMe,
    AssignedToOthers,
    Closed,
}

impl Section {
    pub const ALL: [Self; 4] = [Self::Unassigned, Self::AssignedToMe, Self::AssignedToOthers, Self::Closed];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionView {
    pub section: Section,
    pub conversations: u64,
    pub unread: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AccountView {
    pub id: AccountId,
    pub name: Option<String>,
    pub language: Language,
    /// IANA name.
    pub time_zone: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberView {
    pub id: MemberId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub standing: Standing,
    pub settings_access: bool,
    pub available: bool,
}

/// A channel. The page's id, connection and webhook are shown to whoever manages channels.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelView {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: Option<String>,
    /// The page's id or the number.
    pub provider_id: Option<String>,
    pub connection: ConnectionId,
    pub installer: MemberId,
    pub health: ChannelHealth,
    pub visibility: Visibility,
    pub reopen_rule: ReopenRule,
    pub connected_at: Timestamp,
    /// What the asker may do with it.
    pub may: Vec<Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelHealth {
    Connected,
    Broken,
    Disconnected,
}

/// A connection as settings show it: everything that has to be copied to the provider, no signing secret.
#[derive(Clone, PartialEq)]
pub struct ConnectionView {
    pub id: ConnectionId,
    pub kind: ChannelKind,
    /// The whole address, with its secret token, to be copied to the provider.
    pub webhook_url: String,
    /// Answers Meta's handshake; to be copied beside the address.
    pub verify_token: Option<String>,
    pub added_at: Timestamp,
    pub rotated_at: Option<Timestamp>,
    /// Whether the secret before the current one is still accepted.
    pub previous_accepted: bool,
    pub channels: Vec<ChannelId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConversationView {
    pub id: ConversationId,
    /// 1 for the first life; deleted and begun again, it is the next.
    pub incarnation: u32,
    pub channel: ChannelId,
    pub closed: bool,
    pub section: Section,
    pub assignee: Option<MemberId>,
    pub assigned_at: Option<Timestamp>,
    pub contact: Option<ContactProfile>,
    /// The newest message and the conversation's place in its section.
    pub last_message: MessageId,
    pub place: Place,
    pub messages: u64,
    pub unread: bool,
    /// Until when the provider lets the account answer freely; `None`: the contact has not written.
    pub reply_window_ends_at: Option<Timestamp>,
    /// The last event that changed anything here: what to mark as seen up to, and to compare.
    pub changed: Position,
    /// Whether the asker may delete it.
    pub may_delete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageDirection {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageSort {
    Message,
    Postback,
    Echo,
}

#[derive(Clone, PartialEq)]
pub struct MessageView {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub direction: MessageDirection,
    pub sort: MessageSort,
    /// Its place in the thread: the earlier of provider time and recorded time, then the position.
    pub place: Place,
    pub provider_at: Option<Timestamp>,
    pub recorded_at: Timestamp,
    /// As last edited; nothing once it was taken back.
    pub text: Option<String>,
    pub attachments: Vec<Attachment>,
    pub postback: Option<String>,
    /// The message it answers, which need not be in the thread.
    pub reply_to: Option<MessageId>,
    pub edited_at: Option<Timestamp>,
    pub reaction: Option<String>,
    pub unsent_at: Option<Timestamp>,
}

impl std::fmt::Debug for MessageView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageView({})", self.id)
    }
}

/// A kept delivery, without its content.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterView {
    pub id: DeliveryId,
    pub account: AccountId,
    pub connection: ConnectionId,
    pub because: KeptBecause,
    /// Of the raw body.
    pub bytes: u64,
    pub kept_at: Timestamp,
    pub expires_at: Timestamp,
    pub position: Position,
    pub fate: Fate,
}

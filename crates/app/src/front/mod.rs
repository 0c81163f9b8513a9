//! What an interface may ask of Parlance, whatever store it runs on: the trait [`Front`], who asks, what the
//! answers look like. Every question names who asks, and is answered by the permissions table alone: what is
//! not theirs is not there.

mod changes;
mod connecting;
mod desk;
mod error;
mod principal;
mod signing;
mod views;

use std::sync::Arc;

use futures_util::{future::BoxFuture, stream::BoxStream};
use parlance_domain::{
    AccountId, ChannelId, Command, ConnectionId, ConversationId, Email, MemberId, MessageId, Name,
    OperatorId, Position, channel::Visibility, connection::ChannelKind, permissions::Action,
};

/// Named by [`FrontError`] and [`Credential`], so that an interface needs to know no store.
pub use parlance_store::{StoreError, TokenHash};

pub use self::{
    changes::{ConversationChange, InboxChange},
    desk::{Desk, DeskSettings},
    error::FrontError,
    principal::{Asker, Credential, CredentialKind, Principal, TokenScope, TokenScopes},
    signing::{Accepted, Given, Signing},
    views::{
        AccountView, ChannelHealth, ChannelView, ConnectionView, ConversationView, DeadLetterView,
        MemberView, MessageDirection, MessageSort, MessageView, Page, Section, SectionView,
    },
};
use crate::command::Receipt;

/// A page or number to be connected, with what a member typed.
pub struct ConnectChannel {
    pub kind: ChannelKind,
    /// The page's id or the number, as typed.
    pub provider_id: String,
    /// An existing connection to put it under; else one is found or made.
    pub connection: Option<ConnectionId>,
    /// Meta's app secret, Twilio's auth token; may be left out where `connection` is given.
    pub signing: Option<String>,
    /// Meta's page access token, Twilio's account SID; the SID may be left out where `connection` is given.
    pub access: Option<String>,
    /// Else what the provider calls it.
    pub name: Option<Name>,
    /// Counts for the first time only.
    pub visibility: Visibility,
}

/// What came of something that was done.
#[derive(Clone, Debug)]
pub struct Done<T> {
    pub value: T,
    /// The read models show it from here on.
    pub position: Position,
}

/// An invitation: its token is shown once, to be handed to whom it is for.
#[derive(Clone)]
pub struct Invitation {
    pub member: MemberId,
    pub token: String,
    pub expires_at: parlance_domain::Timestamp,
}

/// Which end of a thread a page begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Towards {
    /// From the oldest (or after the cursor) onwards.
    Newer,
    /// From the newest (or before the cursor) backwards. The page itself is oldest first all the same.
    Older,
}

/// A place in an order by time and position: of a section (newest first) or a thread (oldest first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub at: parlance_domain::Timestamp,
    pub position: Position,
}

/// A page of a thread; `from` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadPage {
    pub towards: Towards,
    pub from: Option<Place>,
    pub limit: usize,
}

pub type Answer<'a, T> = BoxFuture<'a, Result<T, FrontError>>;

/// What is told as it happens. It is pulled: whoever is slow is told less often, and more at once. It ends with
/// the asker's membership, or with its first error.
pub type Following<T> = BoxStream<'static, Result<T, FrontError>>;

/// Everything that interfaces ask. Pages hold at most [`Page::ITEMS_MAX`] items, lists of ids as many.
pub trait Front: Signing {
    /// Whether the permissions table permits it. What is permitted channel by channel is judged where the channel is
    /// known: here it is enough to be an active member. `NotPermitted`; `NotFound` for who is no active member.
    fn permitted(&self, by: Asker, action: Action) -> Answer<'_, ()>;

    /// The number that a position's outside form carries, so that one from before a restore is refused.
    fn epoch(&self, account: AccountId) -> Answer<'_, u32>;

    /// Waits, bounded, until the read models show `position`; `Behind` when they do not in time.
    fn shown(&self, account: AccountId, position: Position) -> Answer<'_, ()>;

    // What there is to see.

    fn account(&self, by: Asker) -> Answer<'_, AccountView>;

    fn sections(&self, by: Asker, channel: Option<ChannelId>) -> Answer<'_, Vec<SectionView>>;

    /// A page of a section, newest message first.
    fn conversations(
        &self,
        by: Asker,
        section: Section,
        channel: Option<ChannelId>,
        after: Option<Place>,
        limit: usize,
    ) -> Answer<'_, Page<ConversationView>>;

    /// Those of the wanted that exist for the asker, in no order.
    fn conversations_by_id(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
    ) -> Answer<'_, Vec<ConversationView>>;

    /// For each wanted conversation a page of its thread, oldest first; those that do not exist for the asker
    /// are left out.
    fn threads(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
        page: ThreadPage,
    ) -> Answer<'_, Vec<(ConversationId, Page<MessageView>)>>;

    fn messages_by_id(
        &self,
        by: Asker,
        wanted: Vec<(ConversationId, MessageId)>,
    ) -> Answer<'_, Vec<MessageView>>;

    /// The channels that exist for the asker, by name: those they have access to, and all for whoever manages channels.
    fn channels(&self, by: Asker) -> Answer<'_, Vec<ChannelView>>;

    /// The kinds, each with whether it is open to new connections.
    fn channel_kinds(&self) -> Vec<(ChannelKind, bool)>;

    /// With account settings access only.
    fn connections(&self, by: Asker) -> Answer<'_, Vec<ConnectionView>>;

    /// Members in id order; removed ones only by id.
    fn members(&self, by: Asker, after: Option<MemberId>, limit: usize) -> Answer<'_, Page<MemberView>>;

    fn members_by_id(&self, by: Asker, wanted: Vec<MemberId>) -> Answer<'_, Vec<MemberView>>;

    /// Kept deliveries of an account, newest first, without their content; for operators.
    fn dead_letters(
        &self,
        by: OperatorId,
        account: AccountId,
        before: Option<Position>,
        limit: usize,
    ) -> Answer<'_, Page<DeadLetterView>>;

    // What changes.

    /// What happens to the inbox after a position; without one, from now on. The first item comes at once, then
    /// one whenever something changed for the asker. `Reload`: the position is none of this log, or the asker is
    /// more than [`InboxChange::BEHIND_MAX`] positions behind.
    fn inbox_changes(&self, by: Asker, after: Option<Position>) -> Following<InboxChange>;

    /// The same of one conversation; `NotFound` for one that does not exist for the asker and was not deleted.
    fn conversation_changes(
        &self,
        by: Asker,
        conversation: ConversationId,
        after: Option<Position>,
    ) -> Following<ConversationChange>;

    // What there is to do.

    /// One command by a member; `correlation` is made here.
    fn command(&self, by: Asker, command: Command) -> Answer<'_, Receipt>;

    /// Tries the credentials, then connects or reconnects.
    fn connect_channel(&self, by: Asker, asked: ConnectChannel) -> Answer<'_, Done<ChannelId>>;

    /// A new signing secret; the one before stays accepted until the next rotation.
    fn rotate_secrets(
        &self,
        by: Asker,
        connection: ConnectionId,
        signing: String,
    ) -> Answer<'_, Done<ConnectionId>>;

    fn invite_member(
        &self,
        by: Asker,
        email: Email,
        name: Name,
        settings_access: bool,
    ) -> Answer<'_, Done<Invitation>>;

    fn mark_seen(&self, by: Asker, conversation: ConversationId, up_to: Position) -> Answer<'_, Receipt>;
}

/// A front, as interfaces hold it.
pub type SharedFront = Arc<dyn Front>;

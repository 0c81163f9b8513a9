//! A front that answers from memory: one page of an inbox with the shapes that the product's has, and no store
//! behind it. What GraphQL and HTTP cost by themselves.

use std::{net::IpAddr, sync::Arc};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use parlance_app::{
    command::Receipt,
    front::{
        Accepted, AccountView, Answer, Asker, ChannelHealth, ChannelView, ConnectChannel, ConnectionView,
        ConversationChange, ConversationView, Credential, CredentialKind, DeadLetterView, Done, Following,
        Front, FrontError, InboxChange, Invitation, MemberView, MessageDirection, MessageSort, MessageView,
        Page, Place, Principal, Section, SectionView, SharedFront, Signing, ThreadPage, TokenHash,
        TokenScopes,
    },
    sign_in::{ApiTokenView, Attempt, NewApiToken, SessionView, SignedIn, Typed},
};
use parlance_domain::{
    AccountId, ChannelId, Command, ConnectionId, ConversationId, Email, MemberId, MessageId, Name,
    OperatorId, Position, Timestamp, TokenId,
    account::Language,
    channel::{ReopenRule, Visibility},
    connection::ChannelKind,
    permissions::Action,
};
use uuid::Uuid;

use crate::world::{profile, text};

/// As many as a page holds that was asked for without a number.
const CONVERSATIONS: u128 = 25;

struct Memory {
    conversations: Vec<ConversationView>,
    messages: Vec<MessageView>,
    channels: Vec<ChannelView>,
}

pub fn front() -> SharedFront {
    let id = Uuid::from_u128;
    let (account, member, channel) =
        (AccountId::new(id(1)), MemberId::new(id(2)), ChannelId::new(id(u128::MAX - 3)));
    let place = |n: u128| Place {
        at: Timestamp::from_millis(1_790_000_000_000 - i64::try_from(n).unwrap_or_default()),
        position: Position::new(100_000 - u64::try_from(n).unwrap_or_default()),
    };
    let of = |n: u128| {
        let (conversation, message) =
            (ConversationId::new(id(u128::MAX - n)), MessageId::new(id(u128::MAX / 3 - n)));
        let shown = ConversationView {
            id: conversation,
            incarnation: 1,
            channel,
            closed: false,
            section: Section::Unassigned,
            assignee: None,
            assigned_at: None,
            contact: Some(profile(usize::try_from(n).unwrap_or_default())),
            last_message: message,
            place: place(n),
            messages: 1,
            unread: true,
            reply_window_ends_at: Some(place(n).at),
            changed: place(n).position,
            may_delete: true,
        };
        let newest = MessageView {
            id: message,
            conversation,
            direction: MessageDirection::In,
            sort: MessageSort::Message,
            place: place(n),
            provider_at: Some(place(n).at),
            recorded_at: place(n).at,
            text: Some(text()),
            attachments: Vec::new(),
            postback: None,
            reply_to: None,
            edited_at: None,
            reaction: None,
            unsent_at: None,
        };
        (shown, newest)
    };
    let (conversations, messages) = (0..CONVERSATIONS).map(of).unzip();
    let channels = vec![ChannelView {
        id: channel,
        kind: ChannelKind::Messenger,
        name: Some("Példa oldal".to_owned()),
        provider_id: None,
        connection: ConnectionId::new(account.uuid()),
        installer: member,
        health: ChannelHealth::Connected,
        visibility: Visibility::Shared,
        reopen_rule: ReopenRule::default(),
        connected_at: place(0).at,
        may: vec![Action::UseConversation],
    }];
    Arc::new(Memory { conversations, messages, channels })
}

fn here<T: Send + 'static>(value: T) -> Answer<'static, T> {
    std::future::ready(Ok(value)).boxed()
}

/// Nobody asks for it in a measure.
fn absent<T: Send + 'static>() -> Answer<'static, T> {
    std::future::ready(Err(FrontError::NotFound)).boxed()
}

impl Signing for Memory {
    fn authenticate<'a>(&'a self, _: &'a str) -> Answer<'a, Principal> {
        let account = AccountId::new(Uuid::from_u128(1));
        let asker = Asker { account, member: MemberId::new(Uuid::from_u128(2)) };
        let (hash, kind, scopes) = (TokenHash([2; 32]), CredentialKind::ApiToken, TokenScopes::all());
        here(Principal::Member(asker, Credential { hash, kind, scopes }))
    }

    fn ended(&self, _: Principal) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn sign_in(&self, _: Attempt, _: Option<(Asker, Credential)>) -> Answer<'_, SignedIn> {
        absent()
    }

    fn sign_out(&self, _: Asker, _: Credential, _: bool) -> Answer<'_, ()> {
        absent()
    }

    fn change_password(&self, _: Asker, _: Credential, _: Typed, _: Typed) -> Answer<'_, ()> {
        absent()
    }

    fn sessions(&self, _: Asker, _: Credential) -> Answer<'_, Vec<SessionView>> {
        absent()
    }

    fn end_session(&self, _: Asker, _: Credential, _: TokenId) -> Answer<'_, ()> {
        absent()
    }

    fn api_tokens(&self, _: Asker, _: Credential) -> Answer<'_, Vec<ApiTokenView>> {
        absent()
    }

    fn create_api_token(
        &self,
        _: Asker,
        _: Credential,
        _: NewApiToken,
    ) -> Answer<'_, (ApiTokenView, String)> {
        absent()
    }

    fn revoke_api_token(&self, _: Asker, _: Credential, _: TokenId) -> Answer<'_, ()> {
        absent()
    }

    fn accept_invitation(
        &self,
        _: String,
        _: Option<Typed>,
        _: Option<IpAddr>,
    ) -> Answer<'_, Done<Accepted>> {
        absent()
    }
}

impl Front for Memory {
    fn permitted(&self, _: Asker, _: Action) -> Answer<'_, ()> {
        here(())
    }

    fn epoch(&self, _: AccountId) -> Answer<'_, u32> {
        here(0)
    }

    fn shown(&self, _: AccountId, _: Position) -> Answer<'_, ()> {
        here(())
    }

    fn account(&self, by: Asker) -> Answer<'_, AccountView> {
        let time_zone = "Europe/Budapest".to_owned();
        here(AccountView { id: by.account, name: None, language: Language::Hu, time_zone })
    }

    fn sections(&self, _: Asker, _: Option<ChannelId>) -> Answer<'_, Vec<SectionView>> {
        absent()
    }

    fn conversations(
        &self,
        _: Asker,
        _: Section,
        _: Option<ChannelId>,
        _: Option<Place>,
        limit: usize,
    ) -> Answer<'_, Page<ConversationView>> {
        here(Page { items: self.conversations.iter().take(limit).cloned().collect(), more: true })
    }

    fn conversations_by_id(&self, _: Asker, _: Vec<ConversationId>) -> Answer<'_, Vec<ConversationView>> {
        absent()
    }

    fn threads(
        &self,
        _: Asker,
        _: Vec<ConversationId>,
        _: ThreadPage,
    ) -> Answer<'_, Vec<(ConversationId, Page<MessageView>)>> {
        absent()
    }

    fn messages_by_id(
        &self,
        _: Asker,
        wanted: Vec<(ConversationId, MessageId)>,
    ) -> Answer<'_, Vec<MessageView>> {
        let is_wanted = |view: &&MessageView| wanted.contains(&(view.conversation, view.id));
        here(self.messages.iter().filter(is_wanted).cloned().collect())
    }

    fn channels(&self, _: Asker) -> Answer<'_, Vec<ChannelView>> {
        here(self.channels.clone())
    }

    fn channel_kinds(&self) -> Vec<(ChannelKind, bool)> {
        Vec::new()
    }

    fn connections(&self, _: Asker) -> Answer<'_, Vec<ConnectionView>> {
        absent()
    }

    fn members(&self, _: Asker, _: Option<MemberId>, _: usize) -> Answer<'_, Page<MemberView>> {
        absent()
    }

    fn members_by_id(&self, _: Asker, _: Vec<MemberId>) -> Answer<'_, Vec<MemberView>> {
        absent()
    }

    fn dead_letters(
        &self,
        _: OperatorId,
        _: AccountId,
        _: Option<Position>,
        _: usize,
    ) -> Answer<'_, Page<DeadLetterView>> {
        absent()
    }

    fn inbox_changes(&self, _: Asker, _: Option<Position>) -> Following<InboxChange> {
        stream::pending().boxed()
    }

    fn conversation_changes(
        &self,
        _: Asker,
        _: ConversationId,
        _: Option<Position>,
    ) -> Following<ConversationChange> {
        stream::pending().boxed()
    }

    fn command(&self, _: Asker, _: Command) -> Answer<'_, Receipt> {
        absent()
    }

    fn connect_channel(&self, _: Asker, _: ConnectChannel) -> Answer<'_, Done<ChannelId>> {
        absent()
    }

    fn rotate_secrets(&self, _: Asker, _: ConnectionId, _: String) -> Answer<'_, Done<ConnectionId>> {
        absent()
    }

    fn invite_member(&self, _: Asker, _: Email, _: Name, _: bool) -> Answer<'_, Done<Invitation>> {
        absent()
    }

    fn mark_seen(&self, _: Asker, _: ConversationId, _: Position) -> Answer<'_, Receipt> {
        absent()
    }
}

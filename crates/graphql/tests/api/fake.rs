//! A front in memory: it answers with what it was given, records every call, and fails when told to.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use async_graphql::{Request, Variables};
use futures_util::{StreamExt as _, future::BoxFuture, stream};
use parlance_app::{
    command::{CommandError, Receipt},
    front::{
        Accepted, AccountView, Answer, Asker, ChannelHealth, ChannelView, ConnectChannel, ConnectionView,
        ConversationChange, ConversationView, Credential, CredentialKind, DeadLetterView, Done, Following,
        Front, FrontError, Given, InboxChange, Invitation, MemberView, MessageDirection, MessageSort,
        MessageView, Page, Place, Principal, Section, SectionView, Signing, ThreadPage, TokenHash,
        TokenScopes,
    },
    sign_in::{AccountChoice, ApiTokenView, Attempt, Begun, NewApiToken, SessionView, SignedIn, Typed},
};
use parlance_domain::{
    AccountId, ChannelId, Command, ConnectionId, ConversationId, DeliveryId, Email, MemberId, MessageId,
    Name, OperatorId, Position, Refusal, Timestamp, TokenId,
    account::Language,
    channel::{ReopenRule, Visibility},
    connection::ChannelKind,
    conversation::ContactProfile,
    delivery::{Fate, KeptBecause},
    member::Standing,
    permissions::Action,
};
use parlance_graphql::{Visitor, schema};
use tokio::sync::Notify;
use uuid::Uuid;

pub const ACCOUNT: AccountId = AccountId::new(Uuid::from_u128(1));
pub const EVA: MemberId = MemberId::new(Uuid::from_u128(2));
pub const CHANNEL: ChannelId = ChannelId::new(Uuid::from_u128(3));
pub const CONNECTION: ConnectionId = ConnectionId::new(Uuid::from_u128(4));
pub const BY: Asker = Asker { account: ACCOUNT, member: EVA };
/// Eva, by a token that may do everything.
pub fn eva() -> Principal {
    let kind = CredentialKind::ApiToken;
    Principal::Member(BY, Credential { hash: TokenHash([1; 32]), kind, scopes: TokenScopes::all() })
}

pub const OPERATOR: OperatorId = OperatorId::new(Uuid::from_u128(5));

pub fn conversation_id(n: u128) -> ConversationId {
    ConversationId::new(Uuid::from_u128(1_000 + n))
}

pub fn at(n: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + n)
}

/// What the front holds, and how it shall fail.
pub struct Fake {
    pub calls: Mutex<Vec<&'static str>>,
    pub commands: Mutex<Vec<Command>>,
    pub conversations: u64,
    pub language: Language,
    pub refuse: Option<FrontError>,
    /// Of reads instead of commands.
    pub fail_reads: Option<FrontError>,
    pub behind: bool,
    pub slow: bool,
    /// What is followed goes on after what there is.
    pub endless: bool,
    /// Told: credentials count no more.
    pub ended: Arc<Notify>,
    /// What followers of the inbox are told; the stream ends after it.
    pub inbox_changes: Vec<Result<InboxChange, FrontError>>,
    pub conversation_changes: Vec<Result<ConversationChange, FrontError>>,
    /// From where they followed.
    pub followed: Mutex<Vec<Option<Position>>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            commands: Mutex::default(),
            conversations: 3,
            language: Language::En,
            refuse: None,
            fail_reads: None,
            behind: false,
            slow: false,
            endless: false,
            ended: Arc::default(),
            inbox_changes: Vec::new(),
            conversation_changes: Vec::new(),
            followed: Mutex::default(),
        }
    }
}

impl Fake {
    pub fn refusing(refusal: impl Into<Refusal>) -> Self {
        Self { refuse: Some(CommandError::Refused(refusal.into()).into()), ..Self::default() }
    }

    fn called<T: Send + 'static>(&self, name: &'static str, value: T) -> Answer<'_, T> {
        self.calls.lock().expect("no test panics inside").push(name);
        let failed = self.fail_reads.clone();
        // Whoever waits is let in first.
        let slow = self.slow && name != "authenticate";
        Box::pin(async move {
            if slow {
                std::future::pending::<()>().await;
            }
            failed.map_or(Ok(value), Err)
        })
    }

    fn done<T: Send + 'static>(&self, name: &'static str, value: T) -> Answer<'_, T> {
        self.calls.lock().expect("no test panics inside").push(name);
        let refused = self.refuse.clone();
        Box::pin(async move { refused.map_or(Ok(value), Err) })
    }

    pub fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().expect("no test panics inside").clone()
    }

    pub fn commands(&self) -> Vec<Command> {
        self.commands.lock().expect("no test panics inside").clone()
    }

    pub fn conversation(&self, n: u64) -> ConversationView {
        ConversationView {
            id: conversation_id(n.into()),
            incarnation: 1,
            channel: CHANNEL,
            closed: false,
            section: Section::AssignedToOthers,
            // As many assignees as conversations: gathering must not depend on their being the same.
            assignee: Some(MemberId::new(Uuid::from_u128(2_000 + u128::from(n)))),
            assigned_at: Some(at(1)),
            contact: Some(ContactProfile { name: Some("Kovács Éva".to_owned()), ..Default::default() }),
            last_message: MessageId::new(Uuid::from_u128(3_000 + u128::from(n))),
            place: Place { at: at(1_000 - n.cast_signed()), position: Position::new(n + 1) },
            messages: 3,
            unread: true,
            reply_window_ends_at: None,
            changed: Position::new(40),
            may_delete: true,
        }
    }
}

pub fn message(conversation: ConversationId, id: MessageId) -> MessageView {
    MessageView {
        id,
        conversation,
        direction: MessageDirection::In,
        sort: MessageSort::Message,
        place: Place { at: at(5), position: Position::new(5) },
        provider_at: None,
        recorded_at: at(5),
        text: Some("Jó napot!".to_owned()),
        attachments: Vec::new(),
        postback: None,
        reply_to: None,
        edited_at: None,
        reaction: None,
        unsent_at: None,
    }
}

pub fn member(id: MemberId) -> MemberView {
    MemberView {
        id,
        name: Some("Éva".to_owned()),
        email: Some("eva@example.hu".to_owned()),
        standing: Standing::Active,
        settings_access: true,
        available: true,
    }
}

impl Front for Fake {
    fn permitted(&self, _: Asker, _: Action) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn epoch(&self, _: AccountId) -> Answer<'_, u32> {
        self.called("epoch", 1)
    }

    fn shown(&self, _: AccountId, _: Position) -> Answer<'_, ()> {
        self.calls.lock().expect("no test panics inside").push("shown");
        let behind = self.behind;
        Box::pin(async move { if behind { Err(FrontError::Behind) } else { Ok(()) } })
    }

    fn account(&self, _: Asker) -> Answer<'_, AccountView> {
        let time_zone = "Europe/Budapest".to_owned();
        let name = Some("Acme".to_owned());
        self.called("account", AccountView { id: ACCOUNT, name, language: self.language, time_zone })
    }

    fn sections(&self, _: Asker, channel: Option<ChannelId>) -> Answer<'_, Vec<SectionView>> {
        if channel.is_some_and(|id| id != CHANNEL) {
            return Box::pin(async { Err(FrontError::NotFound) });
        }
        self.called("sections", vec![SectionView { section: Section::Closed, conversations: 7, unread: 2 }])
    }

    fn conversations(
        &self,
        _: Asker,
        _: Section,
        _: Option<ChannelId>,
        after: Option<Place>,
        limit: usize,
    ) -> Answer<'_, Page<ConversationView>> {
        let all = (0..self.conversations).map(|n| self.conversation(n));
        let mut rest = all.filter(|view| after.is_none_or(|after| view.place < after));
        let items: Vec<_> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        self.called("conversations", Page { items, more })
    }

    fn conversations_by_id(
        &self,
        _: Asker,
        wanted: Vec<ConversationId>,
    ) -> Answer<'_, Vec<ConversationView>> {
        let all = (0..self.conversations).map(|n| self.conversation(n));
        self.called("conversations_by_id", all.filter(|view| wanted.contains(&view.id)).collect())
    }

    fn threads(
        &self,
        _: Asker,
        wanted: Vec<ConversationId>,
        page: ThreadPage,
    ) -> Answer<'_, Vec<(ConversationId, Page<MessageView>)>> {
        let items =
            |id| (0..page.limit.min(3)).map(move |n| message(id, MessageId::new(Uuid::from_u128(n as u128))));
        let threads = wanted.into_iter().map(|id| (id, Page { items: items(id).collect(), more: true }));
        self.called("threads", threads.collect())
    }

    fn messages_by_id(
        &self,
        _: Asker,
        wanted: Vec<(ConversationId, MessageId)>,
    ) -> Answer<'_, Vec<MessageView>> {
        self.called("messages_by_id", wanted.into_iter().map(|(of, id)| message(of, id)).collect())
    }

    fn channels(&self, _: Asker) -> Answer<'_, Vec<ChannelView>> {
        let channel = ChannelView {
            id: CHANNEL,
            kind: ChannelKind::Messenger,
            name: Some("Acme page".to_owned()),
            provider_id: Some("104857".to_owned()),
            connection: CONNECTION,
            installer: EVA,
            health: ChannelHealth::Connected,
            visibility: Visibility::Shared,
            reopen_rule: ReopenRule::KeepAssignee,
            connected_at: at(0),
            may: vec![Action::UseConversation, Action::GovernChannel],
        };
        self.called("channels", vec![channel])
    }

    fn channel_kinds(&self) -> Vec<(ChannelKind, bool)> {
        vec![(ChannelKind::Messenger, true), (ChannelKind::WhatsappTwilio, false)]
    }

    fn connections(&self, _: Asker) -> Answer<'_, Vec<ConnectionView>> {
        let connection = ConnectionView {
            id: CONNECTION,
            kind: ChannelKind::Messenger,
            webhook_url: "https://example.com/webhooks/secret".to_owned(),
            verify_token: Some("verify me".to_owned()),
            added_at: at(0),
            rotated_at: None,
            previous_accepted: false,
            channels: vec![CHANNEL],
        };
        self.called("connections", vec![connection])
    }

    fn members(&self, _: Asker, after: Option<MemberId>, limit: usize) -> Answer<'_, Page<MemberView>> {
        let all = [EVA, MemberId::new(Uuid::from_u128(9))];
        let rest: Vec<_> = all.into_iter().filter(|id| after.is_none_or(|after| *id > after)).collect();
        let items = rest.iter().take(limit).copied().map(member).collect();
        self.called("members", Page { items, more: rest.len() > limit })
    }

    fn members_by_id(&self, _: Asker, wanted: Vec<MemberId>) -> Answer<'_, Vec<MemberView>> {
        self.called("members_by_id", wanted.into_iter().map(member).collect())
    }

    fn dead_letters(
        &self,
        _: OperatorId,
        account: AccountId,
        _: Option<Position>,
        _: usize,
    ) -> Answer<'_, Page<DeadLetterView>> {
        let letter = DeadLetterView {
            id: DeliveryId::new(Uuid::from_u128(6)),
            account,
            connection: CONNECTION,
            because: KeptBecause::UnknownChannel,
            bytes: 512,
            kept_at: at(0),
            expires_at: at(9),
            position: Position::new(11),
            fate: Fate::Kept,
        };
        self.called("dead_letters", Page { items: vec![letter], more: false })
    }

    fn inbox_changes(&self, _: Asker, after: Option<Position>) -> Following<InboxChange> {
        self.followed.lock().expect("no test panics inside").push(after);
        let changes = stream::iter(self.inbox_changes.clone());
        if self.endless { changes.chain(stream::pending()).boxed() } else { changes.boxed() }
    }

    fn conversation_changes(
        &self,
        _: Asker,
        _: ConversationId,
        after: Option<Position>,
    ) -> Following<ConversationChange> {
        self.followed.lock().expect("no test panics inside").push(after);
        stream::iter(self.conversation_changes.clone()).boxed()
    }

    fn command(&self, _: Asker, command: Command) -> Answer<'_, Receipt> {
        self.commands.lock().expect("no test panics inside").push(command);
        self.done("command", Receipt::Recorded { first: Position::new(41), last: Position::new(42) })
    }

    fn connect_channel(&self, _: Asker, _: ConnectChannel) -> Answer<'_, Done<ChannelId>> {
        self.done("connect_channel", Done { value: CHANNEL, position: Position::new(42) })
    }

    fn rotate_secrets(
        &self,
        _: Asker,
        connection: ConnectionId,
        _: String,
    ) -> Answer<'_, Done<ConnectionId>> {
        self.done("rotate_secrets", Done { value: connection, position: Position::new(42) })
    }

    fn invite_member(&self, _: Asker, _: Email, _: Name, _: bool) -> Answer<'_, Done<Invitation>> {
        let invitation = Invitation { member: EVA, token: "pri_once".to_owned(), expires_at: at(9) };
        self.done("invite_member", Done { value: invitation, position: Position::new(42) })
    }

    fn mark_seen(&self, _: Asker, _: ConversationId, _: Position) -> Answer<'_, Receipt> {
        self.done("mark_seen", Receipt::Unchanged { head: Position::new(42) })
    }
}

impl Signing for Fake {
    fn authenticate<'a>(&'a self, token: &'a str) -> Answer<'a, Principal> {
        match token {
            "prl_eva" | "prs_eva" => self.called("authenticate", eva()),
            "pro_ops" => self.called("authenticate", Principal::Operator(OPERATOR)),
            _ => Box::pin(async { Err(FrontError::NotFound) }),
        }
    }

    fn ended(&self, _: Principal) -> BoxFuture<'static, ()> {
        let ended = Arc::clone(&self.ended);
        Box::pin(async move { ended.notified().await })
    }

    fn sign_in(&self, attempt: Attempt, _: Option<(Asker, Credential)>) -> Answer<'_, SignedIn> {
        let choice = |n| AccountChoice { account: AccountId::new(Uuid::from_u128(n)), name: None };
        match attempt.account {
            None => self.done("sign_in", SignedIn::Choose(vec![choice(1), choice(2)])),
            Some(_) => self.done("sign_in", SignedIn::Session(begun())),
        }
    }

    fn sign_out(&self, _: Asker, _: Credential, everywhere: bool) -> Answer<'_, ()> {
        self.done(if everywhere { "sign_out everywhere" } else { "sign_out" }, ())
    }

    fn change_password(&self, _: Asker, _: Credential, _: Typed, _: Typed) -> Answer<'_, ()> {
        self.done("change_password", ())
    }

    fn sessions(&self, _: Asker, _: Credential) -> Answer<'_, Vec<SessionView>> {
        let id = TokenId::new(Uuid::from_u128(7));
        let (created_at, last_used_at, ends_at) = (at(1), at(2), at(3));
        self.done("sessions", vec![SessionView { id, created_at, ends_at, last_used_at, current: true }])
    }

    fn end_session(&self, _: Asker, _: Credential, _: TokenId) -> Answer<'_, ()> {
        self.done("end_session", ())
    }

    fn api_tokens(&self, _: Asker, _: Credential) -> Answer<'_, Vec<ApiTokenView>> {
        self.done("api_tokens", Vec::new())
    }

    fn create_api_token(
        &self,
        _: Asker,
        _: Credential,
        wanted: NewApiToken,
    ) -> Answer<'_, (ApiTokenView, String)> {
        let view = ApiTokenView {
            id: TokenId::new(Uuid::from_u128(8)),
            name: Some(wanted.name.as_str().to_owned()),
            scopes: wanted.scopes,
            created_at: at(1),
            expires_at: wanted.expires_at,
            last_used_at: None,
        };
        self.done("create_api_token", (view, "prl_new".to_owned()))
    }

    fn revoke_api_token(&self, _: Asker, _: Credential, _: TokenId) -> Answer<'_, ()> {
        self.done("revoke_api_token", ())
    }

    fn accept_invitation(
        &self,
        _: String,
        password: Option<Typed>,
        _: Option<IpAddr>,
    ) -> Answer<'_, Done<Accepted>> {
        let given = match password {
            Some(_) => Given::Session(begun()),
            None => Given::ApiToken("prl_eva".to_owned()),
        };
        let value = Accepted { asker: BY, given };
        self.done("accept_invitation", Done { value, position: Position::new(42) })
    }
}

fn begun() -> Begun {
    let token = "prs_eva".to_owned().into();
    Begun { asker: BY, credential: session(), token, ends_at: at(30) }
}

/// By what Éva is known once she has signed in.
pub fn session() -> Credential {
    let kind = CredentialKind::Session;
    Credential { hash: TokenHash([2; 32]), kind, scopes: TokenScopes::all() }
}

/// Runs a request as `principal`; the answer as JSON.
pub async fn run_as(fake: &Arc<Fake>, principal: Option<Principal>, query: &str) -> serde_json::Value {
    run_with(fake, principal, query, serde_json::json!({})).await
}

pub async fn run_with(
    fake: &Arc<Fake>,
    principal: Option<Principal>,
    query: &str,
    variables: serde_json::Value,
) -> serde_json::Value {
    let request = Request::new(query).variables(Variables::from_json(variables));
    let visitor = Visitor { principal, trace_id: "trace-1".to_owned(), address: None, sets_cookies: true };
    let answer = schema(fake.clone()).execute(request, visitor).await;
    serde_json::to_value(answer).expect("an answer is JSON")
}

/// Runs a request as Éva.
pub async fn run(fake: &Arc<Fake>, query: &str) -> serde_json::Value {
    run_as(fake, Some(eva()), query).await
}

//! An account with an admin, members, a connection and a channel.

use std::sync::Arc;

use parlance_app::{
    account::NewAccount,
    command::{Ask, CommandError, CommandPath, Receipt},
    front::Asker,
    keys::AccountRing,
};
use parlance_domain::{
    AccountId, Actor, ChannelId, Command, ConnectionId, ConversationId, Email, MemberId, Name, Position,
    account::Language,
    channel::{ChannelCommand, Visibility},
    connection::{ChannelKind, ConnectionCommand, ConnectionSecrets},
    conversation::{
        ContactProfile, ConversationCommand, Expected, Incoming, MessageContent, MessageKind, Source,
    },
    member::MemberCommand,
    reading::ReadingCommand,
};
use parlance_store::EventLog as _;
use parlance_stores::AnyStore;
use uuid::Uuid;

use crate::{TestApp, app::START};

/// An account to play with. Its admin installed its channel.
pub struct Team<'a> {
    pub app: &'a TestApp,
    pub account: AccountId,
    pub ring: Arc<AccountRing>,
    pub admin: MemberId,
    pub connection: ConnectionId,
    pub channel: ChannelId,
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn email(text: &str) -> Email {
    Email::new(text).expect("an e-mail address")
}

impl<'a> Team<'a> {
    /// Creates the account, its admin, a Messenger connection and a shared channel.
    pub async fn create(app: &'a TestApp) -> Self {
        let created = app
            .parlance
            .create_account(NewAccount {
                name: name("Példa Kft."),
                language: Language::Hu,
                time_zone: "Europe/Budapest".to_owned(),
                admin_email: email("admin@example.hu"),
                admin_name: name("Ádám Admin"),
            })
            .await
            .expect("the account is created");
        Self::of(app, created.account, created.admin, true).await
    }

    /// The team of an account that exists; `connect`: its channel has to be connected first.
    pub async fn of(app: &'a TestApp, account: AccountId, admin: MemberId, connect: bool) -> Self {
        let ring = app.parlance.keyring.account(&app.parlance.store, account).await;
        let ring = ring.expect("the keys open").expect("the account has keys");
        let connection = ConnectionId::new(Uuid::from_u128(0xC0));
        let channel = ring.ids.channel(ChannelKind::Messenger, "page-1");
        let team = Self { app, account, ring, admin, connection, channel };
        if connect {
            let secrets = ConnectionSecrets {
                webhook_token: "token".to_owned(),
                signing: "secret".to_owned(),
                signing_previous: None,
                verify_token: None,
                access: None,
            };
            let add = ConnectionCommand::Add { kind: ChannelKind::Messenger, secrets };
            team.by(admin, Command::Connection(connection, add)).await.expect("the connection is added");
            team.connect("page-1", Visibility::Shared).await;
        }
        team
    }

    /// Connects another page as the admin.
    pub async fn connect(&self, page: &str, visibility: Visibility) -> ChannelId {
        let channel = self.ring.ids.channel(ChannelKind::Messenger, page);
        let connect = ChannelCommand::Connect {
            connection: self.connection,
            kind: ChannelKind::Messenger,
            provider_id: page.to_owned(),
            name: name("Példa oldal"),
            access: None,
            visibility,
        };
        self.by(self.admin, Command::Channel(channel, connect)).await.expect("the channel is connected");
        channel
    }

    /// Invites a member, who joins at once.
    pub async fn member(&self, address: &str) -> MemberId {
        let member = self.ring.ids.member(&email(address));
        let invite = MemberCommand::Invite {
            account: self.account,
            email: email(address),
            name: name(address),
            settings_access: false,
        };
        self.by(self.admin, Command::Member(member, invite)).await.expect("the member is invited");
        self.by(member, Command::Member(member, MemberCommand::Join)).await.expect("the member joins");
        member
    }

    /// A member asks.
    pub async fn by(&self, member: MemberId, command: Command) -> Result<Receipt, CommandError> {
        self.app.ask(self.account, Actor::Member(member), command).await
    }

    /// The same team, asking by way of another Parlance over the same store.
    pub async fn by_way_of<'b>(&self, app: &'b TestApp) -> Team<'b> {
        Team::of(app, self.account, self.admin, false).await
    }

    /// The member as one who asks.
    pub fn asker(&self, member: MemberId) -> Asker {
        Asker { account: self.account, member }
    }

    /// Waits until the read models show everything that was recorded so far.
    pub async fn settled(&self) {
        let head = self.app.parlance.store.head(self.account).await.expect("the log has a head");
        self.app.visible(self.account, head.position).await;
    }

    /// Something a member may submit.
    pub fn asking(&self, by: MemberId, command: Command) -> (CommandPath<AnyStore>, Ask) {
        let ask = self.app.asking(self.account, Actor::Member(by), vec![command]);
        (self.app.parlance.commands.clone(), ask)
    }

    /// Asks for an availability, to be submitted.
    pub fn availability_asking(&self, member: MemberId, available: bool) -> Ask {
        self.asking(member, Command::Member(member, MemberCommand::SetAvailability { available })).1
    }

    /// A contact's message, to be submitted.
    pub fn receiving(&self, contact: &str, mid: &str, text: &str) -> (CommandPath<AnyStore>, Ask) {
        let conversation = self.conversation(contact);
        let receive = ConversationCommand::Receive(self.incoming(contact, mid, text));
        let command = Command::Conversation(conversation, receive);
        let ask = self.app.asking(self.account, Actor::Contact(conversation), vec![command]);
        (self.app.parlance.commands.clone(), ask)
    }

    /// A member's act on a contact's conversation, to be submitted.
    pub fn acting(
        &self,
        member: MemberId,
        contact: &str,
        command: ConversationCommand,
    ) -> (CommandPath<AnyStore>, Ask) {
        self.asking(member, Command::Conversation(self.conversation(contact), command))
    }

    pub fn conversation(&self, contact: &str) -> ConversationId {
        self.ring.ids.conversation(self.channel, contact)
    }

    /// A contact's message as a webhook would tell it.
    pub fn incoming(&self, contact: &str, mid: &str, text: &str) -> Incoming {
        Incoming {
            channel: self.channel,
            message: self.ring.ids.message(self.channel, mid),
            kind: MessageKind::Message,
            provider_at: Some(START),
            source: Source::Webhook,
            content: MessageContent {
                text: Some(text.to_owned()),
                provider_message_id: mid.to_owned(),
                provider_contact_id: contact.to_owned(),
                ..MessageContent::default()
            },
            profile: Some(ContactProfile { name: Some(contact.to_owned()), ..ContactProfile::default() }),
        }
    }

    /// A contact writes.
    pub async fn receive(&self, contact: &str, mid: &str, text: &str) -> Result<Receipt, CommandError> {
        self.receive_incoming(contact, self.incoming(contact, mid, text)).await
    }

    pub async fn receive_incoming(&self, contact: &str, incoming: Incoming) -> Result<Receipt, CommandError> {
        let conversation = self.conversation(contact);
        let command = Command::Conversation(conversation, ConversationCommand::Receive(incoming));
        self.app.ask(self.account, Actor::Contact(conversation), command).await
    }

    /// A member does something to a contact's conversation.
    pub async fn act(
        &self,
        member: MemberId,
        contact: &str,
        command: ConversationCommand,
    ) -> Result<Receipt, CommandError> {
        self.by(member, Command::Conversation(self.conversation(contact), command)).await
    }

    pub async fn assign(
        &self,
        by: MemberId,
        contact: &str,
        to: MemberId,
        expect: Expected,
    ) -> Result<Receipt, CommandError> {
        self.act(by, contact, ConversationCommand::Assign { to, expect }).await
    }

    pub async fn availability(&self, member: MemberId, available: bool) -> Result<Receipt, CommandError> {
        self.by(member, Command::Member(member, MemberCommand::SetAvailability { available })).await
    }

    /// A member has seen a conversation up to a position.
    pub async fn seen(
        &self,
        member: MemberId,
        contact: &str,
        up_to: Position,
    ) -> Result<Receipt, CommandError> {
        let conversation = self.conversation(contact);
        let mark = ReadingCommand::MarkSeen { conversation, channel: self.channel, up_to };
        self.by(member, Command::Reading(self.ring.ids.reading(member, conversation), mark)).await
    }
}

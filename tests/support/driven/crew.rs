//! The Parlance behind the program `driven`: one account, two members, one channel that unassigns on reopening.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use parlance_app::{
    Parlance, Settings,
    account::NewAccount,
    clock::SystemClock,
    command::Ask,
    entropy::Entropy,
    keys::{AccountRing, MasterKey},
};
use parlance_domain::{
    AccountId, Actor, ChannelId, Command, CommandId, ConnectionId, ConversationId, CorrelationId, Email,
    MemberId, MessageId, Name, Position,
    account::Language,
    channel::{ChannelCommand, ReopenRule, Visibility},
    connection::{ChannelKind, ConnectionCommand, ConnectionSecrets},
    conversation::{
        ContactProfile, ConversationCommand, Expected, Incoming, MessageContent, MessageKind, Source,
    },
    member::MemberCommand,
    reading::ReadingCommand,
};
use parlance_store::EventLog as _;
use parlance_store_sqlite::{SqliteOptions, SqliteStore};
use parlance_stores::{AnyStore, OpenOptions};
use uuid::Uuid;

use super::{Answer, Order};
use crate::home::database_url;

const CONNECTION: ConnectionId = ConnectionId::new(Uuid::from_u128(0xC0));
const PAGE: &str = "page-1";

/// The admin, who installed the channel, and a colleague.
pub type Members = [MemberId; 2];

/// A Parlance with its one account.
pub struct Crew {
    pub parlance: Parlance<AnyStore>,
    pub account: AccountId,
    pub ring: Arc<AccountRing>,
    pub members: Members,
    pub channel: ChannelId,
}

fn email(number: usize) -> anyhow::Result<Email> {
    Email::new(&format!("member{number}@example.hu")).context("an e-mail address")
}

fn name(text: &str) -> anyhow::Result<Name> {
    Name::new(text).context("a name")
}

impl Crew {
    /// Opens the store in `folder`; a new one gets its account, members and channel. Nothing runs yet.
    /// `max_pages`: the embedded store's file does not grow beyond.
    pub async fn open(folder: &Path, max_pages: Option<u32>) -> anyhow::Result<Self> {
        let url = database_url(folder);
        let store = match (url.file(), max_pages) {
            (Some(file), Some(_)) => {
                SqliteStore::open(file, SqliteOptions { max_pages, ..SqliteOptions::default() })?.into()
            }
            _ => AnyStore::open(&url, OpenOptions::default()).await?,
        };
        let key = MasterKey::from_bytes([7; 32]);
        let settings = Settings::new(key, folder, Arc::new(SystemClock), Entropy::from_system());
        let parlance = Parlance::open(store, settings).await?;
        let known = parlance.store.accounts(None, 1).await?.first().copied();
        let account = match known {
            Some(account) => account,
            None => {
                let new = NewAccount {
                    name: name("Példa Kft.")?,
                    language: Language::Hu,
                    time_zone: "Europe/Budapest".to_owned(),
                    admin_email: email(0)?,
                    admin_name: name("Ádám Admin")?,
                };
                parlance.create_account(new).await?.account
            }
        };
        let ring = parlance.keyring.account(&parlance.store, account).await?.context("the account's keys")?;
        let members = [ring.ids.member(&email(0)?), ring.ids.member(&email(1)?)];
        let channel = ring.ids.channel(ChannelKind::Messenger, PAGE);
        let crew = Self { parlance, account, ring, members, channel };
        if known.is_none() {
            crew.set_up().await?;
        }
        Ok(crew)
    }

    async fn set_up(&self) -> anyhow::Result<()> {
        let [admin, colleague] = self.members;
        let secrets = ConnectionSecrets {
            webhook_token: "token".to_owned(),
            signing: "secret".to_owned(),
            signing_previous: None,
            verify_token: None,
            access: None,
        };
        let add = ConnectionCommand::Add { kind: ChannelKind::Messenger, secrets };
        let connect = ChannelCommand::Connect {
            connection: CONNECTION,
            kind: ChannelKind::Messenger,
            provider_id: PAGE.to_owned(),
            name: name("Példa oldal")?,
            access: None,
            visibility: Visibility::Shared,
        };
        let rule = ChannelCommand::SetReopenRule { rule: ReopenRule::Unassign };
        let invite = MemberCommand::Invite {
            account: self.account,
            email: email(1)?,
            name: name("Kata Kolléga")?,
            settings_access: false,
        };
        let steps = [
            (admin, Command::Connection(CONNECTION, add)),
            (admin, Command::Channel(self.channel, connect)),
            (admin, Command::Channel(self.channel, rule)),
            (admin, Command::Member(colleague, invite)),
            (colleague, Command::Member(colleague, MemberCommand::Join)),
        ];
        for (by, command) in steps {
            let id = self.parlance.entropy.id(self.parlance.clock.now());
            self.ask(CommandId::new(id), Actor::Member(by), vec![command]).await?;
        }
        Ok(())
    }

    pub fn conversation(&self, contact: u32) -> ConversationId {
        self.ring.ids.conversation(self.channel, &format!("contact-{contact}"))
    }

    pub fn message(&self, message: u32) -> MessageId {
        self.ring.ids.message(self.channel, &format!("mid.{message}"))
    }

    /// The name that the events of an order carry as their causation.
    pub fn command_id(id: u64) -> CommandId {
        CommandId::new(Uuid::from_u128(u128::from(id)))
    }

    /// Carries out one order.
    pub async fn carry_out(&self, id: u64, order: Order) -> Answer {
        let [admin, _] = self.members;
        let (by, commands) = match order {
            Order::Receive { contact, message } => {
                (Actor::Contact(self.conversation(contact)), vec![self.receive(contact, message)])
            }
            Order::Pair { first, second } => (
                Actor::Contact(self.conversation(first.0)),
                vec![self.receive(first.0, first.1), self.receive(second.0, second.1)],
            ),
            Order::Assign { contact, member } => {
                let to = self.members[member as usize % self.members.len()];
                let assign = ConversationCommand::Assign { to, expect: Expected::Anybody };
                (Actor::Member(admin), vec![self.on(contact, assign)])
            }
            Order::Unassign { contact } => {
                let unassign = ConversationCommand::Unassign { expect: Expected::Anybody };
                (Actor::Member(admin), vec![self.on(contact, unassign)])
            }
            Order::Close { contact } => {
                (Actor::Member(admin), vec![self.on(contact, ConversationCommand::Close)])
            }
            Order::Reopen { contact } => {
                (Actor::Member(admin), vec![self.on(contact, ConversationCommand::Reopen)])
            }
            Order::Delete { contact } => {
                (Actor::Member(admin), vec![self.on(contact, ConversationCommand::Delete)])
            }
            Order::Seen { contact, up_to } => {
                let conversation = self.conversation(contact);
                let up_to = Position::new(up_to);
                let mark = ReadingCommand::MarkSeen { conversation, channel: self.channel, up_to };
                let reading = self.ring.ids.reading(admin, conversation);
                (Actor::Member(admin), vec![Command::Reading(reading, mark)])
            }
            Order::Caused { command, after } => {
                let id = Self::command_id(command);
                let found = self.parlance.store.caused_by(self.account, id, Position::new(after)).await;
                return found.map_or_else(Answer::from, |at| {
                    Answer::Positions(at.iter().map(|position| position.number()).collect())
                });
            }
            Order::Head => {
                let head = self.parlance.store.head(self.account).await;
                return head
                    .map_or_else(Answer::from, |head| Answer::Positions(vec![head.position.number()]));
            }
        };
        self.ask(Self::command_id(id), by, commands).await.into()
    }

    async fn ask(
        &self,
        id: CommandId,
        by: Actor,
        commands: Vec<Command>,
    ) -> Result<parlance_app::command::Receipt, parlance_app::command::CommandError> {
        let correlation = CorrelationId::from_bytes(id.bytes());
        let ask = Ask { account: self.account, id, correlation, by, commands, create_account: None };
        self.parlance.submit(ask).await
    }

    fn on(&self, contact: u32, command: ConversationCommand) -> Command {
        Command::Conversation(self.conversation(contact), command)
    }

    /// Every message tells a new name of its contact.
    fn receive(&self, contact: u32, message: u32) -> Command {
        let content = MessageContent {
            text: Some(Self::text(message)),
            provider_message_id: format!("mid.{message}"),
            provider_contact_id: format!("contact-{contact}"),
            ..MessageContent::default()
        };
        let profile =
            ContactProfile { name: Some(format!("Kovács {message}.")), ..ContactProfile::default() };
        let incoming = Incoming {
            channel: self.channel,
            message: self.message(message),
            kind: MessageKind::Message,
            provider_at: None,
            source: Source::Webhook,
            content,
            profile: Some(profile),
        };
        self.on(contact, ConversationCommand::Receive(incoming))
    }

    /// What that message says.
    pub fn text(message: u32) -> String {
        format!("Jó napot, ez a(z) {message}. üzenet! ").repeat(1 + message as usize % 8)
    }
}

//! A Parlance in a folder (and, where asked, a database) of its own, with accounts, and the commands that are asked of it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use parlance_app::{
    Parlance, Settings,
    account::NewAccount,
    clock::SystemClock,
    command::{Ask, Receipt},
    entropy::Entropy,
    ingestion::webhook_token,
    keys::{AccountRing, MasterKey},
    tokens,
};
use parlance_domain::{
    AccountId, Actor, ChannelId, Command, CommandId, ConnectionId, ConversationId, CorrelationId, Email,
    MemberId, Name,
    account::Language,
    channel::{ChannelCommand, Visibility},
    connection::{ChannelKind, ConnectionCommand, ConnectionSecrets},
    conversation::{ContactProfile, ConversationCommand, Incoming, MessageContent, MessageKind, Source},
    member::{Member, MemberCommand},
};
use parlance_store::Store;
use parlance_stores::{AnyStore, DatabaseUrl, OpenOptions};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    databases::{Database, Databases},
    goals::{self, Goals},
};

/// With the provider's ids around it, about 390 bytes of content.
const TEXT_CHARS: usize = 290;

/// The page of every account, and the app secret that signs for it.
pub const PAGE: &str = "682498302938465";
pub const APP_SECRET: &str = "secret";
/// Of every store.
const MASTER_KEY: [u8; 32] = [7; 32];

/// In a closed world's folder: the address of its database. It holds no password.
const URL_FILE: &str = "database.url";

/// Where stores are made, and the seed of what is random in them.
pub struct Place {
    pub folder: Option<PathBuf>,
    pub seed: u64,
    /// Where the stores of worlds are made, if not in their folders.
    pub databases: Option<Databases>,
}

impl Place {
    pub fn folder(&self) -> anyhow::Result<TempDir> {
        Ok(match &self.folder {
            Some(folder) => TempDir::new_in(folder)?,
            None => TempDir::new()?,
        })
    }

    /// Where databases are made.
    pub fn databases(&self) -> anyhow::Result<&Databases> {
        self.databases.as_ref().context("the stores here are embedded")
    }

    /// Of the stores that are made here.
    pub fn goals(&self) -> &'static Goals {
        if self.databases.is_some() { &goals::POSTGRES } else { &goals::EMBEDDED }
    }

    pub fn runtime(&self) -> anyhow::Result<tokio::runtime::Runtime> {
        Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
    }
}

/// Where a world lies: its folder, and its database if its store is not in the folder.
pub struct Home {
    folder: TempDir,
    database: Option<Database>,
}

impl Home {
    pub fn make(place: &Place) -> anyhow::Result<Self> {
        let database = place.databases.as_ref().map(|databases| databases.create("world")).transpose()?;
        Ok(Self { folder: place.folder()?, database })
    }

    /// For a world whose store is somebody else's.
    pub fn folder_only(place: &Place) -> anyhow::Result<Self> {
        Ok(Self { folder: place.folder()?, database: None })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    fn url(&self) -> anyhow::Result<DatabaseUrl> {
        match &self.database {
            Some(database) => Ok(DatabaseUrl::read(&database.url)?),
            None => Ok(DatabaseUrl::Sqlite(self.folder().join("parlance.db"))),
        }
    }

    /// The same, told by a closed world's folder alone.
    pub fn url_in(folder: &Path) -> anyhow::Result<DatabaseUrl> {
        match fs::read_to_string(folder.join(URL_FILE)) {
            Ok(url) => Ok(DatabaseUrl::read(&url)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(DatabaseUrl::Sqlite(folder.join("parlance.db")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the database in the order that it would soon have by itself.
    pub fn tidy(&self) -> anyhow::Result<()> {
        self.database.as_ref().map_or(Ok(()), Database::tidy)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder().join(name);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(writeln!(file, "{text}")?)
    }
}

/// The provider's id of a contact.
pub fn contact_id(contact: usize) -> String {
    format!("73104590{contact:08}")
}

/// The provider's id of a message.
pub fn message_id(number: usize) -> String {
    format!("m_AbCdEfGhIjKlMnOpQrStUvWxYz-{number:012}")
}

/// What a contact writes.
pub fn text() -> String {
    "Jó napot! Van még őszibarack? ".chars().cycle().take(TEXT_CHARS).collect()
}

/// A contact as a provider tells of them.
pub fn profile(contact: usize) -> ContactProfile {
    ContactProfile { name: Some(format!("Példa Petra {contact}")), ..ContactProfile::default() }
}

/// An account with an admin and a shared channel.
pub struct Account {
    pub id: AccountId,
    pub webhook_path: String,
    pub admin: MemberId,
    pub channel: ChannelId,
    pub ring: Arc<AccountRing>,
}

/// A store with accounts. Nothing but commands runs until `start`.
pub struct World<S = AnyStore> {
    pub parlance: Parlance<S>,
    pub accounts: Vec<Account>,
    pub home: Home,
}

/// What a run of commands took.
pub struct Run {
    pub elapsed: Duration,
    /// From asking to being answered.
    pub answered: Vec<Duration>,
}

/// Another Parlance over a store that is open: nothing is in its caches.
pub async fn open<S: Store + Clone>(store: S, home: &Home, seed: u64) -> anyhow::Result<Parlance<S>> {
    let master = MasterKey::from_bytes(MASTER_KEY);
    let settings = Settings::new(master, home.folder(), Arc::new(SystemClock), Entropy::seeded(seed));
    Ok(Parlance::open(store, settings).await?)
}

impl World {
    pub async fn create(place: &Place, accounts: usize) -> anyhow::Result<Self> {
        let home = Home::make(place)?;
        let url = home.url()?;
        if home.database.is_some() {
            AnyStore::migrate(&url).await?;
        }
        let store = AnyStore::open(&url, OpenOptions::default()).await?;
        Self::on(store, home, place.seed, accounts).await
    }
}

impl<S: Store + Clone> World<S> {
    /// On a store that is empty; what does not lie in it lies in the folder.
    pub async fn on(store: S, home: Home, seed: u64, accounts: usize) -> anyhow::Result<Self> {
        let parlance = open(store, &home, seed).await?;
        let mut world = Self { parlance, accounts: Vec::new(), home };
        for _ in 0..accounts {
            let account = world.account().await?;
            world.accounts.push(account);
        }
        Ok(world)
    }

    async fn account(&self) -> anyhow::Result<Account> {
        let new = NewAccount {
            name: Name::new("Példa Kft.")?,
            language: Language::Hu,
            time_zone: "Europe/Budapest".to_owned(),
            admin_email: Email::new("admin@example.hu")?,
            admin_name: Name::new("Ádám Admin")?,
        };
        let created = self.parlance.create_account(new).await?;
        let ring = self.parlance.keyring.account(&self.parlance.store, created.account).await?;
        let ring = ring.context("a new account has keys")?;
        let connection = ConnectionId::new(Uuid::from_u128(0xC0));
        let channel = ring.ids.channel(ChannelKind::Messenger, PAGE);
        let webhook_token = webhook_token(created.account, connection, &self.parlance.entropy);
        let webhook_path = format!("/webhooks/{webhook_token}");
        let secrets = ConnectionSecrets {
            webhook_token,
            signing: APP_SECRET.to_owned(),
            signing_previous: None,
            verify_token: None,
            access: None,
        };
        let add = ConnectionCommand::Add { kind: ChannelKind::Messenger, secrets };
        let connect = ChannelCommand::Connect {
            connection,
            kind: ChannelKind::Messenger,
            provider_id: PAGE.to_owned(),
            name: Name::new("Példa oldal")?,
            access: None,
            visibility: Visibility::Shared,
        };
        let account = Account { id: created.account, webhook_path, admin: created.admin, channel, ring };
        let by = Actor::Member(account.admin);
        for command in [Command::Connection(connection, add), Command::Channel(channel, connect)] {
            self.parlance.submit(self.ask(&account, by, command)).await?;
        }
        Ok(account)
    }

    pub fn ask(&self, account: &Account, by: Actor, command: Command) -> Ask {
        let (now, entropy) = (self.parlance.clock.now(), &self.parlance.entropy);
        Ask {
            account: account.id,
            id: CommandId::new(entropy.id(now)),
            correlation: CorrelationId::new(entropy.id(now)),
            by,
            commands: vec![command],
            create_account: None,
        }
    }

    pub fn conversation(&self, account: &Account, contact: usize) -> ConversationId {
        account.ring.ids.conversation(account.channel, &contact_id(contact))
    }

    /// A member does something to a conversation.
    pub fn act(&self, account: &Account, by: MemberId, contact: usize, order: ConversationCommand) -> Ask {
        let command = Command::Conversation(self.conversation(account, contact), order);
        self.ask(account, Actor::Member(by), command)
    }

    /// A contact's message `number`, as a webhook would tell it.
    pub fn receive(&self, account: &Account, contact: usize, number: usize) -> Ask {
        let mid = message_id(number);
        let conversation = self.conversation(account, contact);
        let incoming = Incoming {
            channel: account.channel,
            message: account.ring.ids.message(account.channel, &mid),
            kind: MessageKind::Message,
            provider_at: Some(self.parlance.clock.now()),
            source: Source::Webhook,
            content: MessageContent {
                text: Some(text()),
                provider_message_id: mid,
                provider_contact_id: contact_id(contact),
                ..MessageContent::default()
            },
            profile: None,
        };
        let command = Command::Conversation(conversation, ConversationCommand::Receive(incoming));
        self.ask(account, Actor::Contact(conversation), command)
    }

    /// A member's API token.
    pub async fn token(&self, account: &Account, member: MemberId) -> anyhow::Result<String> {
        let state = self.parlance.commands.peek::<Member>(account.id, member.uuid()).await?;
        let (store, entropy) = (&self.parlance.store, &self.parlance.entropy);
        let now = self.parlance.clock.now();
        Ok(tokens::issue_api(store, entropy, account.id, (member, &state), now).await?)
    }

    /// Lets go of the store, so that a server can be started on it; the folder holds its master key and, if need be,
    /// its address.
    pub async fn closed(self) -> anyhow::Result<(Home, Vec<Account>)> {
        // Else the next server would wait for the leases to end.
        self.parlance.leave().await;
        let digits: String = MASTER_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
        self.home.write("master.key", &digits)?;
        if let Some(database) = &self.home.database {
            self.home.write(URL_FILE, &database.url)?;
        }
        Ok((self.home, self.accounts))
    }

    /// `count` messages in turn from every account, `contacts` contacts each.
    pub fn messages(&self, count: usize, contacts: usize) -> Vec<Ask> {
        let accounts = self.accounts.len();
        (0..count).map(|n| self.receive(&self.accounts[n % accounts], n / accounts % contacts, n)).collect()
    }

    /// Invites members, who join.
    pub async fn members(&self, account: &Account, count: usize) -> anyhow::Result<Vec<MemberId>> {
        let mut members = Vec::with_capacity(count);
        let mut asks = Vec::with_capacity(2 * count);
        for n in 0..count {
            let email = Email::new(&format!("tag{n}@example.hu"))?;
            let member = account.ring.ids.member(&email);
            let name = Name::new(&format!("Tag {n}"))?;
            let invite = MemberCommand::Invite { account: account.id, email, name, settings_access: false };
            let mut ask = self.ask(account, Actor::Member(account.admin), Command::Member(member, invite));
            asks.push(ask.clone());
            ask = self.ask(account, Actor::Member(member), Command::Member(member, MemberCommand::Join));
            asks.push(ask);
            members.push(member);
        }
        // One task asks in order: nobody joins who was not invited.
        for ask in asks {
            self.parlance.submit(ask).await?;
        }
        Ok(members)
    }

    /// Asks from `tasks` tasks at once, each one after the other.
    pub async fn run(&self, asks: Vec<Ask>, tasks: usize) -> anyhow::Result<Run> {
        let mut shares: Vec<Vec<Ask>> = (0..tasks).map(|_| Vec::new()).collect();
        for (n, ask) in asks.into_iter().enumerate() {
            shares[n % tasks].push(ask);
        }
        let mut running = JoinSet::new();
        let begin = Instant::now();
        for share in shares {
            let path = self.parlance.commands.clone();
            running.spawn(async move {
                let mut answered = Vec::with_capacity(share.len());
                for ask in share {
                    let asked = Instant::now();
                    let receipt = path.submit(ask).await?;
                    answered.push(asked.elapsed());
                    anyhow::ensure!(!matches!(receipt, Receipt::Duplicate { .. }), "told before");
                }
                anyhow::Ok(answered)
            });
        }
        let mut answered = Vec::new();
        while let Some(share) = running.join_next().await {
            answered.extend(share??);
        }
        Ok(Run { elapsed: begin.elapsed(), answered })
    }
}

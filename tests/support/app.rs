//! A Parlance in a temporary folder.

use std::{path::Path, sync::Arc, time::Duration};

use parlance_app::{
    Parlance, Settings,
    clock::ManualClock,
    command::{Ask, CommandError, CommandPath, PathOptions, Receipt},
    entropy::Entropy,
    keys::MasterKey,
    queries::{Queries, QuerySettings},
    sign_in::Recipe,
};
use parlance_domain::{
    AccountId, Actor, Command, CommandId, CorrelationId, Position, RecordedEvent, Timestamp,
    connection::ChannelKind,
};
use parlance_store::{EventLog, Keys, PAGE_MAX};
use parlance_stores::{AnyStore, OpenOptions};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    beside::Beside,
    home::{Home, database_url},
};

/// Where every test's time begins: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// How passwords are hashed here: as weakly as can be, because nothing depends on it.
pub const WEAK: &[Recipe] = &[Recipe { number: 1, memory_kib: 8, passes: 1 }];
/// Read models are waited for at most this long; only a broken build needs it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A whole Parlance on the store under test, with a clock that stands still until it is moved.
pub struct TestApp {
    pub parlance: Parlance<AnyStore>,
    pub clock: ManualClock,
    pub entropy: Entropy,
    /// `None` where the folder is somebody else's.
    pub folder: Option<Home>,
}

impl TestApp {
    /// A new store in a new folder, projections and policies running.
    pub async fn start() -> Self {
        let mut app = Self::still().await;
        app.parlance.start();
        app
    }

    /// The same, and nothing runs by itself.
    pub async fn still() -> Self {
        let folder = Home::new();
        let mut app = Self::open(folder.path(), 1).await;
        app.folder = Some(folder);
        app
    }

    /// Opens (or makes) the store in `folder`; nothing runs by itself.
    pub async fn open(folder: &Path, seed: u64) -> Self {
        let options = OpenOptions { count_statements: true };
        let store = AnyStore::open(&database_url(folder), options).await.expect("the store opens");
        Self::over(store, folder, seed).await
    }

    /// Another Parlance over a store that is open already: a second command path with caches of its own.
    pub async fn over(store: AnyStore, folder: &Path, seed: u64) -> Self {
        Self::hashing(store, folder, seed, WEAK).await
    }

    /// The same, passwords hashed by these recipes.
    pub async fn hashing(store: AnyStore, folder: &Path, seed: u64, recipes: &'static [Recipe]) -> Self {
        let clock = ManualClock::at(START);
        let entropy = Entropy::seeded(seed);
        let mut settings =
            Settings::new(MasterKey::from_bytes([7; 32]), folder, Arc::new(clock.clone()), entropy.clone());
        settings.recipes = recipes;
        settings.path = PathOptions { room_wait: PATIENCE, ..PathOptions::default() };
        let parlance = Parlance::open(store, settings).await.expect("Parlance opens");
        Self { parlance, clock, entropy, folder: None }
    }

    /// What interfaces may ask, with an address of its own and WhatsApp closed to new connections.
    pub fn queries(&self) -> Queries<AnyStore> {
        let settings = QuerySettings {
            public_address: "https://inbox.example.hu/".to_owned(),
            address_fragments: vec![(ChannelKind::WhatsappTwilio, "#rc=5&rp=all".to_owned())],
            closed_kinds: vec![ChannelKind::WhatsappTwilio],
        };
        Queries::new(&self.parlance, settings)
    }

    pub fn path(&self) -> &Path {
        self.folder.as_ref().expect("this app has a folder of its own").path()
    }

    /// Asks one command.
    pub async fn ask(
        &self,
        account: AccountId,
        by: Actor,
        command: Command,
    ) -> Result<Receipt, CommandError> {
        self.ask_all(account, by, vec![command]).await
    }

    /// Asks several commands that are taken together.
    pub async fn ask_all(
        &self,
        account: AccountId,
        by: Actor,
        commands: Vec<Command>,
    ) -> Result<Receipt, CommandError> {
        self.parlance.submit(self.asking(account, by, commands)).await
    }

    /// Commands to be submitted by whoever wants, with ids of their own.
    pub fn asking(&self, account: AccountId, by: Actor, commands: Vec<Command>) -> Ask {
        Ask {
            account,
            id: CommandId::new(self.entropy.id(START)),
            correlation: CorrelationId::new(self.entropy.id(START)),
            by,
            commands,
            create_account: None,
        }
    }

    /// Waits until the read models show `position`.
    pub async fn visible(&self, account: AccountId, position: Position) {
        self.parlance.visible(account, position, PATIENCE).await.expect("the projections keep up");
    }

    /// An account's whole log.
    pub async fn log(&self, account: AccountId) -> Vec<RecordedEvent> {
        let mut log = Vec::new();
        loop {
            let after = log.last().map_or(Position::START, |event: &RecordedEvent| event.position);
            let page = self.parlance.store.read(account, after, PAGE_MAX).await.expect("the log is read");
            if page.is_empty() {
                return log;
            }
            log.extend(page);
        }
    }

    /// Waits until an account's log is as wanted, and gives it.
    pub async fn until(
        &self,
        account: AccountId,
        wanted: impl Fn(&[RecordedEvent]) -> bool,
    ) -> Vec<RecordedEvent> {
        let mut appended = self.parlance.store.appended();
        let looking = async {
            loop {
                appended.mark_unchanged();
                let log = self.log(account).await;
                if wanted(&log) {
                    return log;
                }
                appended.changed().await.expect("the store is open");
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("the log becomes as wanted")
    }

    /// Another connection to the database, behind the store's back.
    pub fn beside(&self) -> Beside {
        self.folder.as_ref().expect("this app has a folder of its own").beside()
    }
}

/// Submits everything at the same moment, each from a task of its own; answers in the order of the asks.
pub async fn at_once<S: EventLog + Keys + Clone>(
    asks: Vec<(CommandPath<S>, Ask)>,
) -> Vec<Result<Receipt, CommandError>> {
    let barrier = Arc::new(Barrier::new(asks.len()));
    let mut tasks = JoinSet::new();
    for (place, (path, ask)) in asks.into_iter().enumerate() {
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            (place, path.submit(ask).await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

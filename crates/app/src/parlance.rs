//! Everything put together over one store: what the server opens, and tests.

use std::{path::Path, sync::Arc, time::Duration};

use parlance_domain::{AccountId, Position};
use parlance_projections::{PROJECTORS, Projector};
use parlance_store::{Hint, ServerId, Store, StoreError};
use tokio::sync::watch;

use crate::{
    account::{self, CreatedAccount, NewAccount},
    clock::Clock,
    cluster::{self, Leased, Listening, Sweeper, Tasks},
    command::{Ask, CommandError, CommandPath, PathOptions, Receipt},
    entropy::Entropy,
    erasures::ErasureList,
    front::Asker,
    keys::{Keyring, MasterKey, UnlockError},
    policies::{Directory, PolicyRunner, Release},
    projections::{Projections, WaitError},
    sign_in::{RECIPES, Recipe, SignIn},
    wakeup::Wakeup,
};

/// What a Parlance runs with, besides its store.
pub struct Settings {
    pub master_key: MasterKey,
    pub erasures: ErasureList,
    pub clock: Arc<dyn Clock>,
    pub entropy: Entropy,
    pub path: PathOptions,
    /// How passwords are hashed.
    pub recipes: &'static [Recipe],
    pub projectors: Vec<&'static dyn Projector>,
}

impl Settings {
    /// Production's, with the list of erasures in `folder`.
    pub fn new(master_key: MasterKey, folder: &Path, clock: Arc<dyn Clock>, entropy: Entropy) -> Self {
        Self {
            master_key,
            erasures: ErasureList::at(&folder.join("erasures.log")),
            clock,
            entropy,
            path: PathOptions::default(),
            recipes: RECIPES,
            projectors: PROJECTORS.to_vec(),
        }
    }
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are accounts, and no key check: it comes last.
    #[error(
        "the store is a copy that was broken off: run the same `parlance copy` again, it goes on where it was"
    )]
    Unfinished,
}

/// What wakes the policies: each has its own.
#[derive(Clone, Default)]
struct News {
    release: Wakeup,
    directory: Wakeup,
}

impl News {
    fn all(&self) -> Vec<Wakeup> {
        vec![self.release.clone(), self.directory.clone()]
    }

    fn wake(&self, account: AccountId) {
        self.release.wake(account);
        self.directory.wake(account);
    }
}

/// A running core: commands in, read models out. Its tasks end when it is dropped.
pub struct Parlance<S> {
    pub store: S,
    pub keyring: Arc<Keyring>,
    pub commands: CommandPath<S>,
    pub projections: Projections,
    pub clock: Arc<dyn Clock>,
    pub entropy: Entropy,
    pub sign_in: SignIn<S>,
    /// As what this process holds leases.
    pub server: ServerId,
    /// The accounts that this process works for.
    pub leased: Leased,
    news: News,
    tasks: Tasks,
}

impl<S: Store + Clone> Parlance<S> {
    /// Unlocks the keys, puts pending erasures on their list, and gets ready; nothing runs yet.
    pub async fn open(store: S, settings: Settings) -> Result<Self, OpenError> {
        let Settings { master_key, erasures, clock, entropy, path, recipes, projectors } = settings;
        if store.key_check().await?.is_none() && !store.accounts(None, 1).await?.is_empty() {
            return Err(OpenError::Unfinished);
        }
        let keyring = Arc::new(Keyring::unlock(&store, &master_key, entropy.clone()).await?);
        if let Err(error) = erasures.drain(&store).await {
            // Everything else works; deletions are refused until the list can be written.
            tracing::error!(%error, "deletions are refused until the list of erasures can be written");
        }
        let leased = Leased::nothing(store.is_shared());
        let server = ServerId(entropy.id(clock.now()));
        let projections = Projections::new(&projectors, leased.clone());
        let news = News::default();
        let (folds, policies, others) = (projections.clone(), news.clone(), store.clone());
        let path = PathOptions { shared: store.is_shared(), ..path };
        let commands = CommandPath::new(
            store.clone(),
            Arc::clone(&keyring),
            erasures,
            Arc::clone(&clock),
            path,
            move |account, position| {
                folds.appended(account, position);
                policies.wake(account);
                cluster::tell(&others, Hint::Appended { account, position });
            },
        );
        let sign_in = SignIn::new(
            store.clone(),
            Arc::clone(&keyring),
            commands.clone(),
            Arc::clone(&clock),
            entropy.clone(),
            recipes,
        );
        let tasks = Tasks::new(leased.clone());
        Ok(Self {
            store,
            keyring,
            commands,
            projections,
            clock,
            entropy,
            sign_in,
            server,
            leased,
            news,
            tasks,
        })
    }

    /// Starts to work for this server's share of the accounts: projections and policies.
    pub fn start(&mut self) {
        let (store, leased, sweeper) = (&self.store, &self.leased, Sweeper::default());
        self.tasks.spawn("the projections", self.projections.clone().run(store.clone()));
        let release = self.release_policy().run(self.news.release.clone(), leased.clone());
        self.tasks.spawn("the release policy", release);
        let directory = self.directory_policy().run(self.news.directory.clone(), leased.clone());
        self.tasks.spawn("the directory policy", directory);
        let (commands, projections) = (self.commands.clone(), self.projections.clone());
        let sweeping =
            sweeper.clone().run(store.clone(), commands, projections, leased.clone(), self.news.all());
        self.tasks.spawn("the sweeps", sweeping);
        if leased.is_shared() {
            let looking = self.projections.clone().look_elsewhere(store.clone());
            self.tasks.spawn("the look at other servers", looking);
            let listening = Listening {
                store: store.clone(),
                commands: self.commands.clone(),
                projections: self.projections.clone(),
                sign_in: self.sign_in.clone(),
                policies: self.news.all(),
                leased: leased.clone(),
                sweeper: sweeper.clone(),
            };
            self.tasks.spawn("listening to other servers", listening.run());
        }
        let taken = move || sweeper.sweep_all();
        self.tasks.spawn("the beats", cluster::hold(store.clone(), self.server, leased.clone(), taken));
    }

    /// What was ended by a fault, once something is: this server does not work for its accounts any more, and has to be
    /// started again.
    pub fn broken(&self) -> watch::Receiver<Option<&'static str>> {
        self.tasks.broken()
    }

    /// Lets go of everything that this server holds, so that the others need not wait for its leases' end. Nothing is
    /// folded here any more; commands are still taken.
    pub async fn leave(&self) {
        self.leased.let_go();
        if let Err(error) = self.store.leave(self.server).await {
            // The leases end by themselves.
            tracing::warn!(%error, "this server's leases are not given back");
        }
    }

    /// The policy, to be drained by hand where nothing runs by itself.
    pub fn release_policy(&self) -> PolicyRunner<S, Release<S>> {
        let (commands, projections) = (self.commands.clone(), self.projections.clone());
        let release = Release::new(self.store.clone(), commands, projections, self.entropy.clone());
        PolicyRunner::new(self.store.clone(), release)
    }

    /// The same, for the directory of who can sign in.
    pub fn directory_policy(&self) -> PolicyRunner<S, Directory<S>> {
        PolicyRunner::new(self.store.clone(), Directory::new(self.sign_in.clone()))
    }

    pub async fn create_account(&self, new: NewAccount) -> Result<CreatedAccount, CommandError> {
        let email = new.admin_email.clone();
        let created =
            account::create(&self.commands, &self.keyring, &*self.clock, &self.entropy, new).await?;
        let admin = Asker { account: created.account, member: created.admin };
        if let Err(error) = self.sign_in.enter(admin, &email).await {
            // The account is there all the same; the policy enters its admin when it comes by.
            tracing::warn!(%error, account = %created.account, "the admin is not in the directory yet");
        }
        Ok(created)
    }

    pub async fn submit(&self, ask: Ask) -> Result<Receipt, CommandError> {
        self.commands.submit(ask).await
    }

    /// Waits, bounded, until the read models show `position`.
    pub async fn visible(
        &self,
        account: AccountId,
        position: Position,
        limit: Duration,
    ) -> Result<(), WaitError> {
        self.projections.passed(account, position, limit).await
    }
}

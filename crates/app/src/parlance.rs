//! Everything put together over one store: what the server opens, and tests.

use std::{path::Path, sync::Arc, time::Duration};

use parlance_domain::{AccountId, Position};
use parlance_projections::{PROJECTORS, Projector};
use parlance_store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::{
    account::{self, CreatedAccount, NewAccount},
    clock::Clock,
    command::{Ask, CommandError, CommandPath, PathOptions, Receipt},
    entropy::Entropy,
    erasures::ErasureList,
    keys::{Keyring, MasterKey, UnlockError},
    policies::ReleasePolicy,
    projections::{Projections, WaitError},
    wakeup::Wakeup,
};

/// What a Parlance runs with, besides its store.
pub struct Settings {
    pub master_key: MasterKey,
    pub erasures: ErasureList,
    pub clock: Arc<dyn Clock>,
    pub entropy: Entropy,
    pub path: PathOptions,
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
}

/// A running core: commands in, read models out. Its tasks end when it is dropped.
pub struct Parlance<S> {
    pub store: S,
    pub keyring: Arc<Keyring>,
    pub commands: CommandPath<S>,
    pub projections: Projections,
    pub clock: Arc<dyn Clock>,
    pub entropy: Entropy,
    news: Wakeup,
    tasks: JoinSet<()>,
}

impl<S: Store + Clone> Parlance<S> {
    /// Unlocks the keys, puts pending erasures on their list, and gets ready; nothing runs yet.
    pub async fn open(store: S, settings: Settings) -> Result<Self, OpenError> {
        let Settings { master_key, erasures, clock, entropy, path, projectors } = settings;
        let keyring = Arc::new(Keyring::unlock(&store, &master_key, entropy.clone()).await?);
        if let Err(error) = erasures.drain(&store).await {
            // Everything else works; deletions are refused until the list can be written.
            tracing::error!(%error, "deletions are refused until the list of erasures can be written");
        }
        let projections = Projections::new(&projectors);
        let news = Wakeup::default();
        let (folds, policies) = (projections.clone(), news.clone());
        let commands = CommandPath::new(
            store.clone(),
            Arc::clone(&keyring),
            erasures,
            Arc::clone(&clock),
            path,
            move |account, position| {
                folds.appended(account, position);
                policies.wake(account);
            },
        );
        Ok(Self { store, keyring, commands, projections, clock, entropy, news, tasks: JoinSet::new() })
    }

    /// Starts projections and policies.
    pub fn start(&mut self) {
        self.tasks.spawn(self.projections.clone().run(self.store.clone()));
        self.tasks.spawn(self.release_policy().run(self.news.clone()));
    }

    /// The policy, to be drained by hand where nothing runs by itself.
    pub fn release_policy(&self) -> ReleasePolicy<S> {
        ReleasePolicy::new(
            self.store.clone(),
            self.commands.clone(),
            self.projections.clone(),
            self.entropy.clone(),
        )
    }

    pub async fn create_account(&self, new: NewAccount) -> Result<CreatedAccount, CommandError> {
        account::create(&self.commands, &self.keyring, &*self.clock, &self.entropy, new).await
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

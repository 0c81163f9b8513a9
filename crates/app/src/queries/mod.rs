//! The answers to what interfaces ask: the reading half of [`Front`](crate::front::Front), one file a noun.
//!
//! Every answer begins with who asks ([`sight`]): the member's and the channels' states as this process knows
//! them, judged by the permissions table alone, so that who lost access sees nothing at once, however far
//! behind the read models are. Rows come in a fixed number of statements, whatever the page's length, and
//! content is opened last, all of it with one call of the store ([`opening`]).

mod changes;
mod channels;
mod connections;
mod conversations;
mod dead_letters;
mod following;
mod members;
mod opening;
mod principals;
mod sections;
mod sight;
mod threads;
mod watching;

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use lru::LruCache;
use parlance_domain::{AccountId, ChannelId, Position, account::Account, connection::ChannelKind};
use parlance_projections::FoldError;
use parlance_store::{Store, StoreError};

use crate::{
    Parlance,
    command::CommandPath,
    feed::Feeds,
    front::{AccountView, Asker, FrontError},
    keys::Keyring,
    projections::Projections,
    sign_in::SignIn,
};

/// Read models follow within milliseconds; who waits longer than this is better told so.
const SHOWN_WAIT: Duration = Duration::from_secs(5);

/// Accounts of which epoch and channels are known: as many as are in use at a time, and a few bytes each.
const ACCOUNTS_KNOWN_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");

/// What an installation's answers depend on besides what is stored.
#[derive(Clone, Debug, Default)]
pub struct QuerySettings {
    /// Where the installation is reached from outside; the beginning of every webhook's address.
    pub public_address: String,
    /// What each kind's webhook addresses end with, from `#` on; none for a kind that is not named.
    pub address_fragments: Vec<(ChannelKind, String)>,
    /// The kinds that are closed to new connections.
    pub closed_kinds: Vec<ChannelKind>,
}

/// Answers questions over one running [`Parlance`]. Clones share everything.
#[derive(Clone)]
pub struct Queries<S> {
    store: S,
    keyring: Arc<Keyring>,
    commands: CommandPath<S>,
    projections: Projections,
    feeds: Feeds,
    sign_in: SignIn<S>,
    settings: Arc<QuerySettings>,
    epochs: Arc<Mutex<LruCache<AccountId, u32>>>,
    /// The channels that an account had when somebody last looked.
    channels_known: Arc<Mutex<LruCache<AccountId, Arc<[ChannelId]>>>>,
}

impl<S: Store + Clone> Queries<S> {
    pub fn new(parlance: &Parlance<S>, settings: QuerySettings) -> Self {
        Self {
            store: parlance.store.clone(),
            keyring: Arc::clone(&parlance.keyring),
            commands: parlance.commands.clone(),
            projections: parlance.projections.clone(),
            feeds: Feeds::default(),
            sign_in: parlance.sign_in.clone(),
            settings: Arc::new(settings),
            epochs: Arc::new(Mutex::new(LruCache::new(ACCOUNTS_KNOWN_MAX))),
            channels_known: Arc::new(Mutex::new(LruCache::new(ACCOUNTS_KNOWN_MAX))),
        }
    }

    /// The epoch of the account's log. Only a restore raises it, which puts another store in the place of this one, so
    /// it is asked for once.
    pub async fn epoch(&self, account: AccountId) -> Result<u32, FrontError> {
        let known = self.epochs.lock().expect("no panic while locked").get(&account).copied();
        if let Some(epoch) = known {
            return Ok(epoch);
        }
        let epoch = self.store.head(account).await?.epoch;
        self.epochs.lock().expect("no panic while locked").put(account, epoch);
        Ok(epoch)
    }

    /// Waits, for five seconds at most, until the read models show `position`.
    pub async fn shown(&self, account: AccountId, position: Position) -> Result<(), FrontError> {
        let passed = self.projections.passed(account, position, SHOWN_WAIT).await;
        passed.map_err(|_| FrontError::Behind)?;
        // Whoever asks has seen it: what is known here must not be older, whichever server it happened on.
        self.commands.appended_elsewhere(account, position);
        Ok(())
    }

    pub async fn account(&self, by: Asker) -> Result<AccountView, FrontError> {
        self.asker(by).await?;
        let state = self.commands.peek::<Account>(by.account, by.account.uuid()).await?;
        Ok(AccountView {
            id: by.account,
            name: state.profile.value().map(|profile| profile.name.as_str().to_owned()),
            language: state.language,
            time_zone: state.time_zone.clone(),
        })
    }

    pub fn channel_kinds(&self) -> Vec<(ChannelKind, bool)> {
        let open = |kind| !self.settings.closed_kinds.contains(&kind);
        ChannelKind::ALL.into_iter().map(|kind| (kind, open(kind))).collect()
    }
}

/// A stored row that no release wrote.
impl From<FoldError> for FrontError {
    fn from(error: FoldError) -> Self {
        StoreError::Corrupt(error.to_string()).into()
    }
}

/// Cuts what was read with one more than asked for; whether there was more.
fn cut<T>(items: &mut Vec<T>, limit: usize) -> bool {
    let more = items.len() > limit;
    items.truncate(limit);
    more
}

//! The live runner: accounts with news take turns, a page each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use parlance_domain::{AccountId, Position};
use parlance_projections::{PROJECTORS, Projector};
use parlance_store::{EventLog, FIRST_GENERATION, ReadModels, StoreError};
use tokio::sync::watch;

use super::fold::AccountFold;
use crate::{measures, wakeup::Wakeup};

/// Events folded in one turn: a few milliseconds, so that no account waits long for another.
const PAGE: usize = 1_000;
/// Events folded at once where nobody else waits: rows that change often are written once a page.
const CATCH_UP_PAGE: usize = 10_000;
/// Accounts whose working sets are kept between turns.
const ACCOUNTS_KEPT_MAX: usize = 256;
/// After a failing store: how long until the next try.
const RETRY: Duration = Duration::from_millis(500);

/// A wait for a projection ended without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the read models have not caught up in time")]
pub struct WaitError;

struct Shared {
    news: Wakeup,
    progress: Mutex<HashMap<AccountId, watch::Sender<Position>>>,
    lag: Mutex<HashMap<AccountId, Lag>>,
}

/// What was appended and is not shown yet.
struct Lag {
    /// The first position not shown, and when it was heard of.
    oldest: Position,
    since: Instant,
    newest: Position,
    /// When the newest was heard of.
    heard: Instant,
    shown: Position,
}

/// Runs every projection of every account. Clones share the runner.
#[derive(Clone)]
pub struct Projections {
    shared: Arc<Shared>,
    projectors: Arc<[&'static dyn Projector]>,
}

impl Default for Projections {
    fn default() -> Self {
        Self::new(&PROJECTORS)
    }
}

impl Projections {
    pub fn new(projectors: &[&'static dyn Projector]) -> Self {
        let shared = Shared { news: Wakeup::default(), progress: Mutex::default(), lag: Mutex::default() };
        Self { shared: Arc::new(shared), projectors: projectors.into() }
    }

    /// Says that an account has news. A hint: what there is to do is found by looking at the log.
    pub fn wake(&self, account: AccountId) {
        self.shared.news.wake(account);
    }

    /// Says that an account's log ends at `position` by now.
    pub fn appended(&self, account: AccountId, position: Position) {
        {
            let mut lags = self.shared.lag.lock().expect("no panic while locked");
            let lag = lags.entry(account).or_insert_with(|| Lag {
                oldest: position,
                since: Instant::now(),
                newest: position,
                heard: Instant::now(),
                shown: Position::new(position.number().saturating_sub(1)),
            });
            if position > lag.newest {
                lag.newest = position;
                lag.heard = Instant::now();
            }
        }
        self.wake(account);
    }

    /// How many events were appended in this process that the read models do not show yet.
    pub fn behind(&self) -> u64 {
        let lags = self.shared.lag.lock().expect("no panic while locked");
        lags.values().map(|lag| lag.newest.number().saturating_sub(lag.shown.number())).sum()
    }

    /// Waits until every projection of the account has passed `position`: read your own writes.
    pub async fn passed(
        &self,
        account: AccountId,
        position: Position,
        limit: Duration,
    ) -> Result<(), WaitError> {
        let mut progress = self.progress(account);
        if *progress.borrow() < position {
            self.wake(account);
        }
        let passed = progress.wait_for(|at| *at >= position);
        match tokio::time::timeout(limit, passed).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(WaitError),
        }
    }

    /// How far every projection of the account is, and what comes. At [`Position::START`] nobody has looked yet.
    pub fn progress(&self, account: AccountId) -> watch::Receiver<Position> {
        let mut all = self.shared.progress.lock().expect("no panic while locked");
        all.entry(account).or_insert_with(|| watch::channel(Position::START).0).subscribe()
    }

    /// Runs until the task is dropped. Looks at every account once, then at those that have news.
    pub async fn run<S: EventLog + ReadModels + Clone>(self, store: S) {
        self.shared.news.wake_all(&store).await;
        let mut folds = HashMap::new();
        loop {
            let account = self.shared.news.next().await;
            if folds.len() >= ACCOUNTS_KEPT_MAX {
                folds.clear();
            }
            match self.turn(&store, &mut folds, account).await {
                Ok(true) => self.wake(account),
                Ok(false) => {}
                Err(error) => {
                    folds.remove(&account);
                    tracing::error!(%error, %account, "projections cannot go on; trying again");
                    self.shared.news.wake_later(account, RETRY);
                }
            }
        }
    }

    /// Folds everything there is of one account; for commands that run without a server.
    pub async fn catch_up(
        &self,
        store: &(impl EventLog + ReadModels),
        account: AccountId,
    ) -> Result<Position, StoreError> {
        let mut fold = AccountFold::resume(store, account, FIRST_GENERATION, &self.projectors).await?;
        while fold.page(store, CATCH_UP_PAGE, None).await? {}
        self.announce(account, fold.position());
        Ok(fold.position())
    }

    /// One page of one account; `true`: there may be more.
    async fn turn(
        &self,
        store: &(impl EventLog + ReadModels),
        folds: &mut HashMap<AccountId, AccountFold>,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        if let std::collections::hash_map::Entry::Vacant(vacant) = folds.entry(account) {
            vacant.insert(AccountFold::resume(store, account, FIRST_GENERATION, &self.projectors).await?);
        }
        let fold = folds.get_mut(&account).expect("resumed just now");
        let more = fold.page(store, PAGE, None).await?;
        self.announce(account, fold.position());
        Ok(more)
    }

    fn announce(&self, account: AccountId, position: Position) {
        self.measure(account, position);
        let mut all = self.shared.progress.lock().expect("no panic while locked");
        let progress = all.entry(account).or_insert_with(|| watch::channel(Position::START).0);
        progress.send_if_modified(|at| {
            let moved = *at != position;
            *at = position;
            moved
        });
    }

    /// Measures how long the oldest event that was waited for took to be shown.
    fn measure(&self, account: AccountId, shown: Position) {
        let mut lags = self.shared.lag.lock().expect("no panic while locked");
        let Some(lag) = lags.get_mut(&account) else { return };
        lag.shown = shown;
        if shown < lag.oldest {
            return;
        }
        metrics::histogram!(measures::LAG_SECONDS).record(lag.since.elapsed().as_secs_f64());
        if shown >= lag.newest {
            lags.remove(&account);
        } else {
            // Of what came meanwhile the newest is followed.
            lag.oldest = lag.newest;
            lag.since = lag.heard;
        }
    }
}

//! The live runner: accounts with news take turns, a page each, where this server holds their lease; of the others it
//! is looked how far whoever holds them has come.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use parlance_domain::{AccountId, Position};
use parlance_projections::{PROJECTORS, Projector};
use parlance_store::{EventLog, FIRST_GENERATION, Fence, Hint, Hints, ReadModels, StoreError};
use tokio::sync::watch;

use super::fold::AccountFold;
use crate::{
    cluster::{Leased, tell},
    measures,
    wakeup::Wakeup,
};

/// Events folded in one turn: a few milliseconds, so that no account waits long for another.
const PAGE: usize = 1_000;
/// Events folded at once where nobody else waits: rows that change often are written once a page.
const CATCH_UP_PAGE: usize = 10_000;
/// Accounts whose working sets are kept between turns.
const ACCOUNTS_KEPT_MAX: usize = 256;
/// After a failing store: how long until the next try.
const RETRY: Duration = Duration::from_millis(500);
/// How often a command that meets a running server tries again: each time that one has got on.
const CATCH_UP_TRIES: usize = 100;

/// A wait for a projection ended without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the read models have not caught up in time")]
pub struct WaitError;

pub(super) struct Shared {
    news: Wakeup,
    /// Accounts of which somebody waits for what another server folds.
    pub looks: Wakeup,
    /// How far the logs of accounts are known to reach that other servers fold. Bounded by the number of accounts.
    pub ends: Mutex<HashMap<AccountId, Position>>,
    pub leased: Leased,
    pub progress: Mutex<HashMap<AccountId, watch::Sender<Position>>>,
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
    pub(super) shared: Arc<Shared>,
    pub(super) projectors: Arc<[&'static dyn Projector]>,
}

/// Of a command, which holds nothing.
impl Default for Projections {
    fn default() -> Self {
        Self::new(&PROJECTORS, Leased::nothing(false))
    }
}

impl Projections {
    pub fn new(projectors: &[&'static dyn Projector], leased: Leased) -> Self {
        let shared = Shared {
            news: Wakeup::default(),
            looks: Wakeup::default(),
            ends: Mutex::default(),
            leased,
            progress: Mutex::default(),
            lag: Mutex::default(),
        };
        Self { shared: Arc::new(shared), projectors: projectors.into() }
    }

    /// Says that an account has news. A hint: what there is to do is found by looking at the log.
    pub fn wake(&self, account: AccountId) {
        self.shared.news.wake(account);
    }

    /// Says that an account's log ends at `position` by now.
    pub fn appended(&self, account: AccountId, position: Position) {
        if self.folds_here(account) {
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
        } else {
            self.ends_at(account, position);
        }
        self.wake(account);
    }

    /// Whether what is appended is folded by this process, as far as it knows.
    fn folds_here(&self, account: AccountId) -> bool {
        !self.shared.leased.is_shared() || self.shared.leased.holds(account)
    }

    /// How many events were appended in this process that the read models do not show yet.
    pub fn behind(&self) -> u64 {
        let mut lags = self.shared.lag.lock().expect("no panic while locked");
        // What another server has taken over is counted there.
        lags.retain(|account, _| self.folds_here(*account));
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
            self.ends_at(account, position);
            self.look_soon(account);
        }
        let passed = progress.wait_for(|at| *at >= position);
        match tokio::time::timeout(limit, passed).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(WaitError),
        }
    }

    /// How far every projection of the account is, and what comes. At [`Position::START`] nobody has looked yet.
    pub fn progress(&self, account: AccountId) -> watch::Receiver<Position> {
        let progress = {
            let mut all = self.shared.progress.lock().expect("no panic while locked");
            all.entry(account).or_insert_with(|| watch::channel(Position::START).0).subscribe()
        };
        if *progress.borrow() == Position::START {
            self.look_soon(account);
        }
        progress
    }

    /// Runs until the task is dropped: accounts that have news, where this server holds them.
    pub async fn run<S: EventLog + ReadModels + Hints + Clone>(self, store: S) {
        let mut folds = HashMap::new();
        loop {
            let account = self.shared.news.next().await;
            let Some(fence) = self.shared.leased.fence(account) else {
                folds.remove(&account);
                continue;
            };
            if folds.len() >= ACCOUNTS_KEPT_MAX {
                folds.clear();
            }
            match self.turn(&store, &mut folds, account, fence).await {
                Ok(true) => self.wake(account),
                Ok(false) => {}
                Err(StoreError::Conflict(why)) => {
                    // Somebody else has folded it: the lease went, or an operator's command was there.
                    folds.remove(&account);
                    tracing::info!(%account, why, "takes up an account anew");
                    self.shared.news.wake_later(account, RETRY);
                }
                Err(error) => {
                    folds.remove(&account);
                    tracing::error!(%error, %account, "projections cannot go on; trying again");
                    self.shared.news.wake_later(account, RETRY);
                }
            }
        }
    }

    /// Folds everything there is of one account; for commands, which may meet a server that folds it, too.
    pub async fn catch_up(
        &self,
        store: &(impl EventLog + ReadModels),
        account: AccountId,
    ) -> Result<Position, StoreError> {
        let mut tries = 0;
        loop {
            let caught_up = async {
                let mut fold =
                    AccountFold::resume(store, account, FIRST_GENERATION, None, &self.projectors).await?;
                while fold.page(store, CATCH_UP_PAGE, None).await? {}
                Ok(fold.position())
            };
            match caught_up.await {
                Ok(position) => {
                    self.announce(account, position);
                    return Ok(position);
                }
                Err(StoreError::Conflict(_)) if tries < CATCH_UP_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// One page of one account; `true`: there may be more.
    async fn turn(
        &self,
        store: &(impl EventLog + ReadModels + Hints),
        folds: &mut HashMap<AccountId, AccountFold>,
        account: AccountId,
        fence: Fence,
    ) -> Result<bool, StoreError> {
        // Under another fence somebody else may have folded in between.
        if folds.get(&account).is_none_or(|fold| fold.fence != Some(fence)) {
            let fold =
                AccountFold::resume(store, account, FIRST_GENERATION, Some(fence), &self.projectors).await?;
            folds.insert(account, fold);
        }
        let fold = folds.get_mut(&account).expect("resumed just now");
        let before = fold.position();
        let more = fold.page(store, PAGE, None).await?;
        let position = fold.position();
        self.announce(account, position);
        if position > before {
            tell(store, Hint::Shown { account, position });
        }
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

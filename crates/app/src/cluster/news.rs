//! What other servers did: hints as they come, and a look at every account's log now and then for those that did not.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parlance_domain::{AccountId, Position};
use parlance_store::{Hint, Hints, Store, StoreError};
use tokio::sync::{Notify, broadcast::error::RecvError};

use super::Leased;
use crate::{command::CommandPath, front::Asker, projections::Projections, sign_in::SignIn, wakeup::Wakeup};

/// How late what a lost hint told of is found at most.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// After a failing store: how long until the next try.
const RETRY: Duration = Duration::from_millis(500);
/// Accounts looked up at once.
const PAGE: usize = 1_000;

/// Hears hints, and tells whom they concern.
pub(crate) struct Listening<S> {
    pub store: S,
    pub commands: CommandPath<S>,
    pub projections: Projections,
    pub sign_in: SignIn<S>,
    pub policies: Vec<Wakeup>,
    pub leased: Leased,
    pub sweeper: Sweeper,
}

impl<S: Store + Clone> Listening<S> {
    /// Listens until the task is dropped.
    pub async fn run(self) {
        let mut told = self.store.told();
        loop {
            match told.recv().await {
                Ok(hint) => self.take(hint),
                Err(RecvError::Lagged(_)) => self.take(Hint::Missed),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn take(&self, hint: Hint) {
        match hint {
            Hint::Appended { account, position } => {
                self.commands.appended_elsewhere(account, position);
                if self.leased.holds(account) {
                    self.projections.appended(account, position);
                    self.policies.iter().for_each(|policy| policy.wake(account));
                } else {
                    self.projections.ends_at(account, position);
                }
            }
            Hint::Shown { account, position } => self.projections.shown_elsewhere(account, position),
            Hint::Ended { account, member } => self.sign_in.ended_elsewhere(Asker { account, member }),
            Hint::Missed => {
                self.commands.missed_elsewhere();
                self.sign_in.look_at_all();
                self.sweeper.sweep();
            }
        }
    }
}

/// Looks at where all accounts' logs end. Clones share the wish for it.
#[derive(Clone, Default)]
pub(crate) struct Sweeper(Arc<Wish>);

#[derive(Default)]
struct Wish {
    /// Everything that is held is to be woken, whatever was seen before.
    all: AtomicBool,
    now: Notify,
}

impl Sweeper {
    /// Looks at all accounts now.
    pub fn sweep(&self) {
        self.0.now.notify_one();
    }

    /// Wakes everything that this server holds.
    pub fn sweep_all(&self) {
        self.0.all.store(true, Ordering::Release);
        self.sweep();
    }

    /// Sweeps until the task is dropped.
    pub async fn run<S: Store + Clone>(
        self,
        store: S,
        commands: CommandPath<S>,
        projections: Projections,
        leased: Leased,
        policies: Vec<Wakeup>,
    ) {
        let mut swept = HashMap::new();
        loop {
            if leased.is_shared() {
                let _ = tokio::time::timeout(SWEEP_EVERY, self.0.now.notified()).await;
            } else {
                // Nobody else appends.
                self.0.now.notified().await;
            }
            let all = self.0.all.swap(false, Ordering::AcqRel);
            let found = |account, head, wake| {
                if wake {
                    projections.appended(account, head);
                    policies.iter().for_each(|policy: &Wakeup| policy.wake(account));
                } else {
                    projections.ends_at(account, head);
                }
            };
            if let Err(error) = sweep(&store, &commands, &leased, &mut swept, all, found).await {
                tracing::warn!(%error, "the accounts cannot be looked at; trying again");
                self.0.all.fetch_or(all, Ordering::AcqRel);
                tokio::time::sleep(RETRY).await;
                self.0.now.notify_one();
            }
        }
    }
}

async fn sweep<S: Store + Clone>(
    store: &S,
    commands: &CommandPath<S>,
    leased: &Leased,
    swept: &mut HashMap<AccountId, Position>,
    all: bool,
    found: impl Fn(AccountId, Position, bool),
) -> Result<(), StoreError> {
    let (mut after, mut behind) = (None, Vec::new());
    loop {
        let heads = store.heads(after, PAGE).await?;
        let Some((last, _)) = heads.last() else { break };
        after = Some(*last);
        for (account, head) in heads {
            let moved = swept.insert(account, head) != Some(head);
            let holds = leased.holds(account);
            if moved || (all && holds) {
                found(account, head, holds);
            }
            if commands.is_behind(account, head) {
                behind.push(account);
            }
        }
    }
    // What another server erased must not be kept in memory until somebody asks. One account's fault is its own.
    for account in behind {
        if let Err(error) = commands.catch_up_elsewhere(account).await {
            tracing::warn!(%error, %account, "it cannot be seen what other servers did");
        }
    }
    Ok(())
}

/// Tells other servers, if there may be any.
pub(crate) fn tell(store: &impl Hints, hint: Hint) {
    if store.is_shared() {
        store.tell(hint);
    }
}

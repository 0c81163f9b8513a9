//! Accounts that have news, each once, in the order in which it came. A hint, never the truth.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use parlance_domain::AccountId;
use parlance_store::EventLog;
use tokio::sync::Notify;

/// Accounts looked up at once.
const ACCOUNTS_PAGE: usize = 1_000;
/// After a failing look-up: how long until the next try.
const RETRY: Duration = Duration::from_millis(500);

/// Clones share the list. Bounded by the number of accounts.
#[derive(Clone, Default)]
pub(crate) struct Wakeup(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<(VecDeque<AccountId>, HashSet<AccountId>)>,
    news: Notify,
}

impl Wakeup {
    pub fn wake(&self, account: AccountId) {
        {
            let (order, known) = &mut *self.0.waiting.lock().expect("no panic while locked");
            if known.insert(account) {
                order.push_back(account);
            }
        }
        self.0.news.notify_one();
    }

    /// Wakes every account there is, page by page; as often as the store needs to tell them.
    pub async fn wake_all(&self, store: &impl EventLog) {
        let mut after = None;
        loop {
            match store.accounts(after, ACCOUNTS_PAGE).await {
                Ok(accounts) => {
                    accounts.iter().for_each(|account| self.wake(*account));
                    match accounts.last() {
                        Some(last) => after = Some(*last),
                        None => return,
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the accounts cannot be looked up; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Wakes an account after a while; the others go on meanwhile.
    pub fn wake_later(&self, account: AccountId, after: Duration) {
        let wakeup = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            wakeup.wake(account);
        });
    }

    /// The next account with news; waits for one. For one caller at a time.
    pub async fn next(&self) -> AccountId {
        loop {
            {
                let (order, known) = &mut *self.0.waiting.lock().expect("no panic while locked");
                if let Some(account) = order.pop_front() {
                    known.remove(&account);
                    return account;
                }
            }
            self.0.news.notified().await;
        }
    }
}

//! Accounts that have news, each once, in the order in which it came. A hint, never the truth.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use parlance_domain::AccountId;
use tokio::sync::Notify;

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

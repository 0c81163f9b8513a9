//! What runs a policy: accounts with news, one after the other, from the policy's own checkpoint.

use std::{collections::HashMap, future::Future, time::Duration};

use parlance_domain::{AccountId, Position, RecordedEvent};
use parlance_store::{EventLog, Fence, ReadModels, StoreError};

use crate::{cluster::Leased, command::CommandError, wakeup::Wakeup};

/// Events looked at in one go.
const PAGE: usize = 1_000;
/// A checkpoint is written when something was done, and at least after so many events: it costs a transaction.
const CHECKPOINT_EVERY: u64 = 10_000;
/// After a failure: how long until the next try.
const RETRY: Duration = Duration::from_millis(500);

/// Why a policy stops at an account; it goes on from its checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("the read models have not caught up")]
    Behind,
}

/// What is done when something has happened.
pub trait Policy: Send {
    /// Its checkpoint's name, for ever.
    const NAME: &'static str;
    /// The stored names of the events it looks at.
    const EVENTS: &'static [&'static str];

    /// Acts on one of those; `true`: it did something.
    fn react(
        &self,
        account: AccountId,
        recorded: &RecordedEvent,
    ) -> impl Future<Output = Result<bool, PolicyError>> + Send;
}

/// Runs one policy for all accounts.
pub struct PolicyRunner<S, P> {
    store: S,
    policy: P,
    /// How far each account has been looked through; ahead of the stored checkpoint where nothing was done.
    looked: HashMap<AccountId, Position>,
}

impl<S: EventLog + ReadModels, P: Policy> PolicyRunner<S, P> {
    pub(crate) fn new(store: S, policy: P) -> Self {
        Self { store, policy, looked: HashMap::new() }
    }

    /// Runs until the task is dropped: accounts that have news, where this server holds them.
    pub(crate) async fn run(mut self, news: Wakeup, leased: Leased) {
        loop {
            let account = news.next().await;
            let Some(fence) = leased.fence(account) else { continue };
            if let Err(error) = self.drain_under(account, Some(fence)).await {
                tracing::warn!(%error, %account, policy = P::NAME, "a policy cannot go on; trying again");
                news.wake_later(account, RETRY);
            }
        }
    }

    /// Handles everything recorded so far, and gives the position up to which it is done.
    pub async fn drain(&mut self, account: AccountId) -> Result<Position, PolicyError> {
        self.drain_under(account, None).await
    }

    async fn drain_under(
        &mut self,
        account: AccountId,
        fence: Option<Fence>,
    ) -> Result<Position, PolicyError> {
        let stored = self.store.policy_checkpoint(account, P::NAME).await?;
        let mut position = self.looked.get(&account).copied().unwrap_or_default().max(stored);
        let mut stored = stored.number();
        loop {
            let page = self.store.read(account, position, PAGE).await?;
            let Some(last) = page.last().map(|recorded| recorded.position) else { break };
            let mut acted = false;
            for recorded in &page {
                if P::EVENTS.contains(&recorded.event_type.as_str()) {
                    acted |= self.policy.react(account, recorded).await?;
                }
            }
            if acted || last.number() - stored >= CHECKPOINT_EVERY {
                self.store.set_policy_checkpoint(account, P::NAME, last, fence).await?;
                stored = last.number();
            }
            position = last;
            self.looked.insert(account, position);
        }
        Ok(position)
    }
}

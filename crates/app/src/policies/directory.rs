//! Who can sign in: every member who joins is entered into the directory of e-mail addresses, if they are not there
//! yet; what let a removed member in goes, and their sockets are closed. Joining enters by itself, so this finds
//! what is older, and what another server or a failure left undone.

use std::{collections::HashMap, time::Duration};

use parlance_domain::{AccountId, Event, MemberId, Position, RecordedEvent, member::MemberEvent};
use parlance_store::{Store, StoreError};

use crate::{
    front::{Asker, FrontError},
    sign_in::SignIn,
    wakeup::Wakeup,
};

const NAME: &str = "directory";
/// The events it looks at.
const COMES_OR_GOES: [&str; 2] = ["MemberJoined", "MemberRemoved"];
/// Events looked at in one go.
const PAGE: usize = 1_000;
/// A checkpoint is written when something was done, and at least after so many events: it costs a transaction.
const CHECKPOINT_EVERY: u64 = 10_000;
/// After a failure: how long until the next try.
const RETRY: Duration = Duration::from_millis(500);

/// Keeps the directory.
pub struct DirectoryPolicy<S> {
    store: S,
    sign_in: SignIn<S>,
    /// How far each account has been looked through; ahead of the stored checkpoint where nothing was done.
    looked: HashMap<AccountId, Position>,
}

impl<S: Store + Clone> DirectoryPolicy<S> {
    pub(crate) fn new(store: S, sign_in: SignIn<S>) -> Self {
        Self { store, sign_in, looked: HashMap::new() }
    }

    /// Runs until the task is dropped: every account once, then those that have news.
    pub(crate) async fn run(mut self, news: Wakeup) {
        news.wake_all(&self.store).await;
        loop {
            let account = news.next().await;
            if let Err(error) = self.drain(account).await {
                tracing::warn!(%error, %account, "the directory is not kept; trying again");
                news.wake_later(account, RETRY);
            }
        }
    }

    /// Handles everything recorded so far, and gives the position up to which it is done.
    pub async fn drain(&mut self, account: AccountId) -> Result<Position, StoreError> {
        let stored = self.store.policy_checkpoint(account, NAME).await?;
        let mut position = self.looked.get(&account).copied().unwrap_or_default().max(stored);
        let mut stored = stored.number();
        loop {
            let page = self.store.read(account, position, PAGE).await?;
            let Some(last) = page.last().map(|recorded| recorded.position) else { break };
            let mut acted = false;
            for recorded in &page {
                acted |= self.react(account, recorded).await?;
            }
            if acted || last.number() - stored >= CHECKPOINT_EVERY {
                self.store.set_policy_checkpoint(account, NAME, last).await?;
                stored = last.number();
            }
            position = last;
            self.looked.insert(account, position);
        }
        Ok(position)
    }

    /// `true`: the event let somebody in or took them out.
    async fn react(&self, account: AccountId, recorded: &RecordedEvent) -> Result<bool, StoreError> {
        if !COMES_OR_GOES.contains(&recorded.event_type.as_str()) {
            return Ok(false);
        }
        let by = Asker { account, member: MemberId::new(recorded.stream.id) };
        match recorded.decode().map_err(|error| StoreError::Corrupt(error.to_string()))? {
            Event::Member(MemberEvent::MemberJoined(_)) => match self.sign_in.email_of(by).await {
                Ok(email) => self.sign_in.enter(by, &email).await?,
                Err(FrontError::Store(error)) => return Err(error),
                // Whose profile was erased signs in no more.
                Err(_) => {}
            },
            Event::Member(MemberEvent::MemberRemoved(_)) => {
                self.sign_in.removed(by, recorded.recorded_at).await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

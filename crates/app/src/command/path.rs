//! The way in: accounts' queues, and what the flushes share.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use parlance_domain::{AccountId, Command, Decider, Position, StreamRef, Timestamp, destroys_key};
use parlance_store::{EventLog, Keys, StoreError, TOUCHED_MAX};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{Ask, CommandError, Receipt, cache::Cache, elsewhere::Elsewhere, load::load, queue};
use crate::{clock::Clock, erasures::ErasureList, keys::Keyring, measures};

/// Bounds of a command path; the defaults are for production.
#[derive(Clone, Copy, Debug)]
pub struct PathOptions {
    /// Commands that may wait for one account.
    pub queue_max: usize,
    /// How long a command waits for room before it is refused as busy.
    pub room_wait: Duration,
    /// States kept, of all accounts: about 1 KiB each.
    pub states_max: NonZeroUsize,
    /// How long an account's queue outlives its last command.
    pub idle: Duration,
    /// Whether other servers append to the store, too.
    pub shared: bool,
}

impl Default for PathOptions {
    fn default() -> Self {
        Self {
            queue_max: 4_096,
            room_wait: Duration::from_secs(10),
            states_max: NonZeroUsize::new(65_536).expect("not zero"),
            idle: Duration::from_secs(30),
            shared: false,
        }
    }
}

/// A command that waits.
pub(super) struct Submission {
    pub ask: Ask,
    pub at: Timestamp,
    pub reply: oneshot::Sender<Result<Receipt, CommandError>>,
}

/// What all flushes of a path share.
pub(super) struct Shared<S> {
    pub store: S,
    pub keyring: Arc<Keyring>,
    pub erasures: ErasureList,
    pub cache: Cache,
    /// What other servers did; `None`: there are none.
    pub elsewhere: Option<Elsewhere>,
    pub options: PathOptions,
    /// Told of every append, and of every one that may have been: the account and the last position known.
    pub wake: Box<dyn Fn(AccountId, Position) + Send + Sync>,
}

/// The accounts' queues. Their tasks do not hold it: when the last path is dropped they end.
pub(super) type Queues = Mutex<HashMap<AccountId, mpsc::Sender<Submission>>>;

/// Takes commands. Clones share queues and caches.
pub struct CommandPath<S> {
    shared: Arc<Shared<S>>,
    queues: Arc<Queues>,
    clock: Arc<dyn Clock>,
}

impl<S> Clone for CommandPath<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            queues: Arc::clone(&self.queues),
            clock: Arc::clone(&self.clock),
        }
    }
}

impl<S: EventLog + Keys + Clone> CommandPath<S> {
    pub fn new(
        store: S,
        keyring: Arc<Keyring>,
        erasures: ErasureList,
        clock: Arc<dyn Clock>,
        options: PathOptions,
        wake: impl Fn(AccountId, Position) + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared {
            store,
            keyring,
            erasures,
            cache: Cache::new(options.states_max),
            elsewhere: options.shared.then(Elsewhere::default),
            options,
            wake: Box::new(wake),
        };
        Self { shared: Arc::new(shared), queues: Arc::default(), clock }
    }

    /// An aggregate's state: cached, else loaded. No append confirms it, so another server may have moved on a moment
    /// ago; what this one answered with success is in it. The default: it has no events.
    pub async fn peek<A: Decider>(&self, account: AccountId, id: Uuid) -> Result<Arc<A>, StoreError> {
        self.peek_from(account, id, 0).await
    }

    /// The same, of a stream that is known to have reached `version`: what the log tells may be a moment ahead
    /// of what this process keeps.
    pub async fn peek_from<A: Decider>(
        &self,
        account: AccountId,
        id: Uuid,
        version: u64,
    ) -> Result<Arc<A>, StoreError> {
        let stream = StreamRef::new(A::STREAM, id);
        let cache = &self.shared.cache;
        self.catch_up_elsewhere(account).await?;
        if let Some(entry) = cache.state(account, stream).filter(|entry| entry.version >= version) {
            return Ok(entry.state::<A>());
        }
        let gone = cache.gone();
        let entry = load::<A>(&self.shared.store, &self.shared.keyring, account, stream).await?;
        let state = entry.state::<A>();
        // What has no events could be anything that anybody names: it pushes nothing out.
        if entry.version > 0 {
            cache.keep_loaded(account, stream, entry, gone);
        }
        Ok(state)
    }

    /// Another server has told that the account's log reaches `position`; or somebody knows it by other means.
    pub fn appended_elsewhere(&self, account: AccountId, position: Position) {
        if let Some(elsewhere) = &self.shared.elsewhere {
            elsewhere.told(account, position);
        }
    }

    /// What other servers told was missed.
    pub(crate) fn missed_elsewhere(&self) {
        if let Some(elsewhere) = &self.shared.elsewhere {
            elsewhere.missed();
        }
    }

    /// Whether something of the account is kept here from before its log ended at `head`.
    pub(crate) fn is_behind(&self, account: AccountId, head: Position) -> bool {
        let upto = self.shared.elsewhere.as_ref().and_then(|elsewhere| elsewhere.upto(account));
        upto.is_some_and(|upto| upto < head)
    }

    /// Forgets what other servers have moved on, if that was not done a moment ago.
    pub(crate) async fn catch_up_elsewhere(&self, account: AccountId) -> Result<(), StoreError> {
        let Shared { store, cache, keyring, .. } = &*self.shared;
        let Some(elsewhere) = &self.shared.elsewhere else { return Ok(()) };
        if elsewhere.is_fresh(account) {
            return Ok(());
        }
        let Some(looking) = elsewhere.looking(account) else {
            elsewhere.begin(account, store.head(account).await?.position);
            return Ok(());
        };
        let _looking = looking.lock().await;
        if elsewhere.is_fresh(account) {
            return Ok(());
        }
        let begin = Instant::now();
        let from = elsewhere.upto(account).unwrap_or_default();
        let head = store.head(account).await?.position;
        if from >= head {
            elsewhere.looked(account, (from, head), begin, || {});
            return Ok(());
        }
        let touched = store.touched(account, from, TOUCHED_MAX).await?;
        let reached = touched.last().map_or(from, |touched| touched.position);
        elsewhere.looked(account, (from, head), begin, || {
            if touched.iter().any(|touched| destroys_key(&touched.event_type)) || reached < head {
                // Which key it was does not matter: an opened one is read again by one statement.
                keyring.forget_opened();
            }
            if reached < head {
                cache.forget_all(account);
            } else {
                cache.forget_older(account, touched.iter().map(|touched| (touched.stream, touched.version)));
            }
        });
        Ok(())
    }

    /// Asks, and waits for the answer. Everything answered with success is durable.
    pub async fn submit(&self, ask: Ask) -> Result<Receipt, CommandError> {
        answered(self.enqueue(ask).await?).await
    }

    /// Asks several in this order, each for itself, and waits for all answers; they mostly share a flush.
    pub async fn submit_all(&self, asks: Vec<Ask>) -> Vec<Result<Receipt, CommandError>> {
        let mut waiting = Vec::with_capacity(asks.len());
        let mut stopped = None;
        for ask in asks {
            // Where there is no room for one there is none for those behind it, and they must not overtake it.
            waiting.push(match &stopped {
                None => self.enqueue(ask).await.inspect_err(|error| stopped = Some(error.clone())),
                Some(error) => Err(error.clone()),
            });
        }
        let mut answers = Vec::with_capacity(waiting.len());
        for answer in waiting {
            answers.push(match answer {
                Ok(answer) => answered(answer).await,
                Err(error) => Err(error),
            });
        }
        answers
    }

    async fn enqueue(
        &self,
        ask: Ask,
    ) -> Result<oneshot::Receiver<Result<Receipt, CommandError>>, CommandError> {
        if let Some(refusal) = ask.commands.iter().find_map(Command::refused_by_itself) {
            return Err(refusal.into());
        }
        let (reply, answer) = oneshot::channel();
        let mut submission = Submission { ask, at: self.clock.now(), reply };
        loop {
            let queue = queue::of(&self.queues, &self.shared, submission.ask.account);
            let Ok(permit) = tokio::time::timeout(self.shared.options.room_wait, queue.reserve()).await
            else {
                return Err(CommandError::Busy);
            };
            match permit {
                Ok(permit) => {
                    metrics::gauge!(measures::QUEUE_LENGTH).increment(1);
                    permit.send(submission);
                    return Ok(answer);
                }
                // The queue went idle just now; the next look-up makes a new one.
                Err(_) => submission.at = self.clock.now(),
            }
        }
    }
}

async fn answered(answer: oneshot::Receiver<Result<Receipt, CommandError>>) -> Result<Receipt, CommandError> {
    let ended = || StoreError::Unknown("the account's queue ended".to_owned());
    answer.await.unwrap_or_else(|_| Err(ended().into()))
}

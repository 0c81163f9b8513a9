//! The way in: accounts' queues, and what the flushes share.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use parlance_domain::{AccountId, Command, Decider, Position, StreamRef, Timestamp};
use parlance_store::{EventLog, Keys, StoreError};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{Ask, CommandError, Receipt, cache::Cache, load::load, queue};
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
}

impl Default for PathOptions {
    fn default() -> Self {
        Self {
            queue_max: 4_096,
            room_wait: Duration::from_secs(10),
            states_max: NonZeroUsize::new(65_536).expect("not zero"),
            idle: Duration::from_secs(30),
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
            options,
            wake: Box::new(wake),
        };
        Self { shared: Arc::new(shared), queues: Arc::default(), clock }
    }

    /// An aggregate's state as this process knows it: cached, else loaded. No append confirms it, so another
    /// server may have moved on; what this one answered with success is in it. The default: it has no events.
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

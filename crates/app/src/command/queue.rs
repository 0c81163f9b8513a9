//! An account's queue: one task that lives while there are commands.

use std::sync::{Arc, Weak};

use parlance_domain::AccountId;
use parlance_store::{EventLog, Keys};
use tokio::sync::mpsc;

use super::{
    flush::Flusher,
    path::{Queues, Shared, Submission},
};
use crate::measures;

/// A flush takes at most this many commands: a few milliseconds of deciding and sealing.
pub(super) const COMMANDS_PER_FLUSH_MAX: usize = 512;

/// The account's queue, started if need be.
pub(super) fn of<S: EventLog + Keys + Clone>(
    queues: &Arc<Queues>,
    shared: &Arc<Shared<S>>,
    account: AccountId,
) -> mpsc::Sender<Submission> {
    let mut known = queues.lock().expect("no panic while locked");
    if let Some(queue) = known.get(&account)
        && !queue.is_closed()
    {
        return queue.clone();
    }
    let (queue, waiting) = mpsc::channel(shared.options.queue_max);
    known.insert(account, queue.clone());
    tokio::spawn(run(Arc::downgrade(queues), Arc::clone(shared), account, waiting));
    queue
}

async fn run<S: EventLog + Keys + Clone>(
    queues: Weak<Queues>,
    shared: Arc<Shared<S>>,
    account: AccountId,
    mut waiting: mpsc::Receiver<Submission>,
) {
    let mut flusher = Flusher::new(Arc::clone(&shared), account);
    let mut gathered = Vec::with_capacity(COMMANDS_PER_FLUSH_MAX);
    loop {
        let taken = waiting.recv_many(&mut gathered, COMMANDS_PER_FLUSH_MAX);
        match tokio::time::timeout(shared.options.idle, taken).await {
            Ok(0) => return,
            Ok(taken) => {
                metrics::gauge!(measures::QUEUE_LENGTH).decrement(taken as f64);
                flusher.flush(std::mem::take(&mut gathered)).await;
                if taken > 1 {
                    // Those just answered may ask again at once: let them, or every second flush is half full.
                    tokio::task::yield_now().await;
                }
            }
            Err(_) => {
                let Some(queues) = queues.upgrade() else { return };
                let mut queues = queues.lock().expect("no panic while locked");
                waiting.close();
                // Whoever reserved a place before the close is still served.
                if waiting.is_empty() && waiting.sender_strong_count() <= 1 {
                    queues.remove(&account);
                    return;
                }
            }
        }
    }
}

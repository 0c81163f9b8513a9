//! One flush: decide all that wait, append, answer everybody with the truth.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use parlance_domain::{AccountId, Command, Position};
use parlance_store::{Appended, EventLog, Head, Keys, Outcome, StoreError};

use super::{
    CommandError, Receipt,
    decide::{Flushing, Settled, Verdict},
    path::{Shared, Submission},
};
use crate::measures;

/// Every rejection means that somebody else got on; more in a row is a fault, not contention.
const DECISIONS_MAX: usize = 64;

/// Flushes one account's commands, one flush at a time.
pub(super) struct Flusher<S> {
    shared: Arc<Shared<S>>,
    account: AccountId,
    /// Where the log ended after the last append; `None` until looked up.
    head: Option<Head>,
}

impl<S: EventLog + Keys + Clone> Flusher<S> {
    pub fn new(shared: Arc<Shared<S>>, account: AccountId) -> Self {
        Self { shared, account, head: None }
    }

    pub async fn flush(&mut self, submissions: Vec<Submission>) {
        let mut groups = VecDeque::from([submissions]);
        while let Some(group) = groups.pop_front() {
            if let Some((first, second)) = self.flush_group(group).await {
                groups.push_front(second);
                groups.push_front(first);
            }
        }
    }

    /// Flushes a group. Gives back its halves, undecided, when the store refuses it as a whole.
    async fn flush_group(
        &mut self,
        mut group: Vec<Submission>,
    ) -> Option<(Vec<Submission>, Vec<Submission>)> {
        for _ in 0..DECISIONS_MAX {
            let (flushing, verdicts) = match self.decide_all(&group).await {
                Ok(Some(decided)) => decided,
                Ok(None) => {
                    answer_all(group, &CommandError::NoSuchAccount);
                    return None;
                }
                Err(error) => {
                    self.forget_head();
                    answer_all(group, &CommandError::Store(error));
                    return None;
                }
            };
            let streams = flushing.streams();
            let (batch, settled) = flushing.into_batch();
            let begin = Instant::now();
            match self.shared.store.append(batch).await {
                Ok(Outcome::Appended(appended)) => {
                    metrics::histogram!(measures::APPEND_SECONDS).record(begin.elapsed().as_secs_f64());
                    metrics::histogram!(measures::BATCH_COMMANDS).record(group.len() as f64);
                    let events = appended.last.number() + 1 - appended.first.number();
                    metrics::counter!(measures::EVENTS_APPENDED).increment(events);
                    self.settle(appended, settled, group, verdicts).await;
                    return None;
                }
                Ok(Outcome::Rejected(rejection)) => {
                    self.shared.cache.forget(self.account, streams);
                    self.forget_head();
                    // Decided again, they find these among the tokens known lately, and are answered so.
                    self.shared.cache.keep_tokens(self.account, rejection.known);
                }
                Err(StoreError::Refused(_)) if group.len() > 1 => {
                    self.shared.cache.forget(self.account, streams);
                    let second = group.split_off(group.len() / 2);
                    return Some((group, second));
                }
                Err(error) => {
                    self.shared.cache.forget(self.account, streams);
                    self.forget_head();
                    if matches!(error, StoreError::Unknown(_)) {
                        // Perhaps it was done: then these keys are gone, and there is something to fold.
                        settled.destroyed.iter().for_each(|key| self.shared.keyring.forget(*key));
                        (self.shared.wake)(self.account, settled.head.position);
                    }
                    answer_all(group, &CommandError::Store(error));
                    return None;
                }
            }
        }
        answer_all(group, &CommandError::Contended);
        None
    }

    fn forget_head(&mut self) {
        self.head = None;
    }

    /// Decides every command of the group, in order; `None`: there is no such account. An error is the
    /// store's and concerns them all.
    async fn decide_all(
        &mut self,
        group: &[Submission],
    ) -> Result<Option<(Flushing<S>, Vec<Verdict>)>, StoreError> {
        let shared = &self.shared;
        let account = self.account;
        let ring = match shared.keyring.account(&shared.store, account).await? {
            Some(ring) => ring,
            None => match group.iter().find_map(|submission| submission.ask.create_account.as_ref()) {
                Some(keys) => shared.keyring.open_keys(account, keys)?,
                None => return Ok(None),
            },
        };
        // What has been seen is bounded by the log's end, which another server may have moved on.
        let marks = |command: &Command| matches!(command, Command::Reading(..));
        if shared.options.shared && group.iter().any(|submission| submission.ask.commands.iter().any(marks)) {
            self.head = None;
        }
        let head = match self.head {
            Some(head) => head,
            None => shared.store.head(account).await?,
        };
        if let Some(elsewhere) = &shared.elsewhere {
            elsewhere.begin(account, head.position);
        }
        self.head = Some(head);
        let mut flushing = Flushing::new(Arc::clone(&self.shared), ring, account, head);
        flushing.look_ahead(group).await?;
        let mut verdicts = Vec::with_capacity(group.len());
        for submission in group {
            verdicts.push(flushing.decide(submission).await?);
        }
        Ok(Some((flushing, verdicts)))
    }

    /// After the append: caches, erasures, answers.
    async fn settle(
        &mut self,
        appended: Appended,
        settled: Settled,
        group: Vec<Submission>,
        verdicts: Vec<Verdict>,
    ) {
        // Another server's later event came between: these states hold times that the rows do not.
        let lifted = settled.first_at.is_some_and(|first| first < appended.not_before);
        self.head = Some(Head {
            position: appended.last,
            recorded_at: appended.recorded_at,
            epoch: settled.head.epoch,
        });
        let (entries, made) = (settled.entries, settled.made);
        let keep = || {
            if lifted {
                self.shared.cache.forget(self.account, entries.into_iter().map(|(stream, _)| stream));
            } else {
                self.shared.cache.keep(self.account, entries);
            }
            made.iter().for_each(|key| self.shared.keyring.keep(key));
        };
        match &self.shared.elsewhere {
            Some(elsewhere) => elsewhere.appended(self.account, appended.first, appended.last, keep),
            None => keep(),
        }
        for key in &settled.destroyed {
            self.shared.keyring.forget(*key);
        }
        let place = |index: usize| Position::new(appended.first.number() + index as u64);
        let tokens = settled.tokens.into_iter().map(|(token, index)| (token, place(index)));
        self.shared.cache.keep_tokens(self.account, tokens);
        if appended.last >= appended.first {
            (self.shared.wake)(self.account, appended.last);
        }
        // The list of erasures is written before anybody who deleted is answered; the others need not wait.
        // Who deletes what is deleted already may have been told of a list that could not be written.
        let mut deleted = Vec::new();
        for (submission, verdict) in group.into_iter().zip(verdicts) {
            let (result, deletes) = match verdict {
                Verdict::Events(range) if range.is_empty() => {
                    (Ok(Receipt::Unchanged { head: appended.last }), submission.ask.deletes())
                }
                Verdict::Events(range) => (
                    Ok(Receipt::Recorded { first: place(range.start), last: place(range.end - 1) }),
                    settled.deleting.iter().any(|place| range.contains(place)),
                ),
                Verdict::Refused(error) => (Err(error), false),
                Verdict::Known(original) => (Ok(Receipt::Duplicate { original }), false),
                Verdict::Follows(leader) => (Ok(Receipt::Duplicate { original: place(leader) }), false),
            };
            match result {
                Ok(receipt) if deletes => deleted.push((submission, receipt)),
                result => {
                    let _ = submission.reply.send(result);
                }
            }
        }
        if !deleted.is_empty() {
            let listed = self.shared.erasures.drain(&self.shared.store).await;
            for (submission, receipt) in deleted {
                let result = listed.clone().map(|()| receipt).map_err(|error| {
                    let why = format!("the deletion is recorded, but {error}");
                    CommandError::Store(StoreError::Unknown(why))
                });
                let _ = submission.reply.send(result);
            }
        }
    }
}

fn answer_all(group: Vec<Submission>, error: &CommandError) {
    for submission in group {
        let _ = submission.reply.send(Err(error.clone()));
    }
}

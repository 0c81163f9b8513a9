//! Random batches from many tasks, held against a log so simple that it is right.

use std::collections::HashMap;

use parlance_domain::{AccountId, DedupeToken, Position, RecordedEvent, StreamRef, Timestamp};

use super::given::{Log, Seed, Write as _, at, conversation, event, fresh_id, token};
use crate::{Appended, Batch, NewEvent, Outcome, Rejection, Store};

/// The log as a list.
#[derive(Default)]
struct Naive {
    events: Vec<RecordedEvent>,
    versions: HashMap<StreamRef, u64>,
    tokens: HashMap<DedupeToken, Position>,
}

impl Naive {
    fn version(&self, stream: StreamRef) -> u64 {
        self.versions.get(&stream).copied().unwrap_or(0)
    }

    fn recorded_at(&self) -> Timestamp {
        self.events.last().map_or(Timestamp::default(), |event| event.recorded_at)
    }

    fn append(&mut self, account: AccountId, events: &[NewEvent], answer: Appended) {
        for event in events {
            let position = Position::new(u64::try_from(self.events.len()).expect("a short list") + 1);
            assert_eq!(event.version, self.version(event.stream) + 1);
            self.versions.insert(event.stream, event.version);
            if let Some(token) = event.dedupe {
                assert_eq!(self.tokens.insert(token, position), None, "a token was recorded twice");
            }
            let time = self.recorded_at().max(event.recorded_at);
            self.events.push(event.clone().recorded(account, position, time));
        }
        assert_eq!(answer.recorded_at, self.recorded_at());
    }
}

/// What a task did, to be held against the model.
struct Asked {
    account: AccountId,
    batch: Batch,
    outcome: Outcome,
}

/// A batch on what the store has now, now and then on something else.
async fn random_batch<S: Store + Clone>(
    log: &Log<S>,
    seed: &mut Seed,
    streams: &[StreamRef],
    tokens: &[DedupeToken],
) -> Batch {
    let mut batch = log.batch();
    for stream in streams {
        if seed.below(3) > 0 {
            continue;
        }
        let loaded = log.store.load(log.account, *stream, 0).await.expect("a stream can be loaded");
        let mut version = loaded.events.last().map_or(0, |event| event.version);
        if seed.below(12) == 0 {
            version = version.saturating_sub(1);
        }
        batch = batch.guard(*stream, version);
        for next in 1..=seed.below(4) {
            let micros = i64::try_from(seed.below(10_000)).expect("a small number");
            let new = event(*stream, version + next);
            let token = if seed.below(20) == 0 { *seed.one_of(tokens) } else { token() };
            let dedupe = (seed.below(3) == 0).then_some(token);
            batch = batch.event(NewEvent { recorded_at: at(micros), dedupe, ..new });
        }
    }
    let mut met = Vec::new();
    for event in &mut batch.events {
        if met.contains(&event.dedupe) {
            event.dedupe = None;
        }
        met.push(event.dedupe);
    }
    batch
}

fn check_rejection(rejection: &Rejection, batch: &Batch, end: &Naive) {
    assert!(!rejection.stale.is_empty() || !rejection.known.is_empty(), "a rejection says why");
    for (stream, version) in &rejection.stale {
        let expected = batch.expectations.iter().find(|expectation| expectation.stream == *stream);
        assert_ne!(expected.expect("only what was expected can be stale").version, *version);
        assert!(*version <= end.version(*stream), "a version that never was");
    }
    for (token, position) in &rejection.known {
        assert!(batch.events.iter().any(|event| event.dedupe == Some(*token)));
        assert_eq!(end.tokens.get(token), Some(position), "a token's position is where it was recorded");
    }
}

pub async fn random_batches_do_what_a_naive_log_does(store: impl Store + Clone) {
    const ACCOUNTS: usize = 4;
    const TASKS: u64 = 16;
    const EACH: u64 = 20;
    let begin = fresh_id().as_u64_pair().0;
    println!("seed {begin}");
    let logs: Vec<_> = (0..ACCOUNTS).map(|_| Log::new(&store)).collect();
    // The same streams and tokens in every account: they must not meet.
    let streams: Vec<_> = (0..6).map(|_| conversation()).collect();
    let tokens: Vec<_> = (0..8).map(|_| token()).collect();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (logs, streams, tokens) = (logs.clone(), streams.clone(), tokens.clone());
            tokio::spawn(async move {
                let mut seed = Seed(begin ^ task);
                let mut asked = Vec::new();
                for _ in 0..EACH {
                    let log = seed.one_of(&logs);
                    let batch = random_batch(log, &mut seed, &streams, &tokens).await;
                    let outcome = log.store.append(batch.clone()).await.expect("an append is answered");
                    asked.push(Asked { account: log.account, batch, outcome });
                }
                asked
            })
        })
        .collect();
    let mut asked = Vec::new();
    for task in tasks {
        asked.extend(task.await.expect("no task panics"));
    }
    for log in &logs {
        let mine: Vec<_> = asked.iter().filter(|asked| asked.account == log.account).collect();
        let mut accepted: Vec<_> = mine
            .iter()
            .filter_map(|asked| match &asked.outcome {
                Outcome::Appended(appended) if !asked.batch.events.is_empty() => {
                    Some((appended, &asked.batch))
                }
                _ => None,
            })
            .collect();
        accepted.sort_by_key(|(appended, _)| appended.first);
        let mut naive = Naive::default();
        for (appended, batch) in accepted {
            for expectation in &batch.expectations {
                assert_eq!(expectation.version, naive.version(expectation.stream), "seed {begin}");
            }
            let count = u64::try_from(naive.events.len()).expect("a short list");
            let new = u64::try_from(batch.events.len()).expect("a short list");
            assert_eq!(appended.first, Position::new(count + 1), "seed {begin}");
            assert_eq!(appended.last, Position::new(count + new), "seed {begin}");
            naive.append(log.account, &batch.events, *appended);
        }
        assert_eq!(log.all().await, naive.events, "seed {begin}");
        for stream in &streams {
            let expected: Vec<_> =
                naive.events.iter().filter(|event| event.stream == *stream).cloned().collect();
            assert_eq!(log.stream(*stream, 0, usize::MAX).await, expected, "seed {begin}");
        }
        for asked in mine {
            if let Outcome::Rejected(rejection) = &asked.outcome {
                check_rejection(rejection, &asked.batch, &naive);
            }
        }
    }
}

//! Leases: shares, fences, and what a write under an old fence comes to. The leases are one store's and not one
//! account's, so every case needs a store of its own.

use std::{collections::BTreeSet, time::Duration};

use parlance_domain::{AccountId, Position};
use uuid::Uuid;

use super::{
    given::{Log, fresh_id},
    read_models::page,
};
use crate::{AccountBucket, BUCKETS, Beat, Fence, PageWrite, ServerId, Store, StoreError, fair_share};

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(3_600);

fn server() -> ServerId {
    ServerId(fresh_id())
}

async fn beat(store: &impl Store, server: ServerId, ttl: Duration) -> Beat {
    store.beat(server, ttl).await.expect("a server can say that it is alive")
}

/// Beats of all in turn until nobody lets go or takes any more.
async fn settled(store: &impl Store, servers: &[ServerId]) -> Vec<Beat> {
    for _ in 0..3 {
        for server in servers {
            beat(store, *server, LONG).await;
        }
    }
    let mut beats = Vec::new();
    for server in servers {
        beats.push(beat(store, *server, LONG).await);
    }
    beats
}

pub async fn buckets_are_shared_by_those_who_are_alive(store: impl Store + Clone) {
    let (one, two, three) = (server(), server(), server());
    let alone = beat(&store, one, LONG).await;
    assert_eq!((alone.servers, alone.held.len()), (1, usize::from(BUCKETS)));
    assert_eq!(
        alone.held.iter().map(|lease| lease.bucket.0).collect::<Vec<_>>(),
        (0..BUCKETS).collect::<Vec<_>>()
    );
    assert_eq!(beat(&store, one, LONG).await, alone, "a renewal changes no fence");

    let late = beat(&store, two, LONG).await;
    assert_eq!((late.servers, late.held.len()), (2, 0), "nothing is free yet");
    let beats = settled(&store, &[one, two, three]).await;
    let mut held = BTreeSet::new();
    for beat in &beats {
        assert_eq!(beat.servers, 3);
        assert!(beat.held.len() <= fair_share(3), "{}", beat.held.len());
        for lease in &beat.held {
            assert!(held.insert(lease.bucket), "{:?} has two holders", lease.bucket);
        }
    }
    assert_eq!(held.len(), usize::from(BUCKETS), "none is left to nobody");
    let kept = &beats[0].held;
    assert!(kept.iter().all(|lease| alone.held.contains(lease)), "who keeps a bucket keeps its fence");

    for holding in store.holdings().await.expect("holdings can be listed") {
        let place = [one, two, three].iter().position(|server| Some(*server) == holding.server);
        let holder = &beats[place.expect("one of the three holds it")];
        let lease = holder.held.iter().find(|lease| lease.bucket == holding.bucket);
        assert_eq!(lease.map(|lease| lease.fence), Some(holding.fence));
    }
}

pub async fn what_has_ended_is_taken_under_a_higher_fence(store: impl Store + Clone) {
    let (dead, heir) = (server(), server());
    let held = beat(&store, dead, Duration::ZERO).await.held;
    assert_eq!(held.len(), usize::from(BUCKETS));
    let taken = beat(&store, heir, LONG).await;
    assert_eq!((taken.servers, taken.held.len()), (1, usize::from(BUCKETS)));
    for (before, after) in held.iter().zip(&taken.held) {
        assert_eq!(before.bucket, after.bucket);
        assert!(after.fence > before.fence, "{before:?} {after:?}");
    }
    let woken = beat(&store, dead, LONG).await;
    assert_eq!((woken.servers, woken.held), (2, vec![]), "what was taken is not given back by itself");
}

pub async fn who_leaves_leaves_everything_at_once(store: impl Store + Clone) {
    let (leaving, staying) = (server(), server());
    let before = beat(&store, leaving, LONG).await.held;
    store.leave(leaving).await.expect("a server can leave");
    assert!(store.holdings().await.expect("holdings can be listed").iter().all(|held| held.server.is_none()));
    let after = beat(&store, staying, LONG).await;
    assert_eq!((after.servers, after.held.len()), (1, before.len()));
    assert!(after.held.iter().zip(&before).all(|(after, before)| after.fence > before.fence));
    store.leave(leaving).await.expect("twice is no harm");
    assert_eq!(beat(&store, staying, LONG).await, after);
}

pub async fn many_beats_at_once_give_every_bucket_one_holder(store: impl Store + Clone) {
    const SERVERS: usize = 8;
    const ROUNDS: usize = 12;
    let tasks: Vec<_> = (0..SERVERS)
        .map(|_| {
            let (store, me) = (store.clone(), server());
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    beat(&store, me, LONG).await;
                }
                me
            })
        })
        .collect();
    let mut servers = Vec::new();
    for task in tasks {
        servers.push(task.await.expect("no task panics"));
    }
    let mut held = BTreeSet::new();
    for beat in settled(&store, &servers).await {
        assert!(beat.held.iter().all(|lease| held.insert(lease.bucket)), "two holders: {beat:?}");
    }
    assert_eq!(held.len(), usize::from(BUCKETS));
}

/// An account of the first bucket.
fn account() -> AccountId {
    let mut bytes = fresh_id().into_bytes();
    bytes[15] = 0;
    AccountId::new(Uuid::from_bytes(bytes))
}

pub async fn nothing_is_written_under_an_old_fence(store: impl Store + Clone) {
    let conflict = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    };
    let (slow, quick) = (server(), server());
    let account = account();
    let fence = |beat: &Beat| {
        let lease = beat.held.iter().find(|lease| lease.bucket == AccountBucket::of(account));
        lease.expect("it holds the bucket").fence
    };
    let old = fence(&beat(&store, slow, Duration::ZERO).await);
    let under = |fence: Option<Fence>, from, to| PageWrite { fence, ..page(account, from, to, Vec::new()) };
    store.write_pages(vec![under(Some(old), 0, 3)]).await.expect("nobody has taken it yet");
    let new = fence(&beat(&store, quick, LONG).await);
    conflict(store.write_pages(vec![under(Some(old), 3, 5)]).await);
    conflict(store.set_policy_checkpoint(account, "one", Position::new(5), Some(old)).await);
    assert_eq!(store.policy_checkpoint(account, "one").await, Ok(Position::START));
    store.write_pages(vec![under(Some(new), 3, 5)]).await.expect("the holder writes");
    store
        .set_policy_checkpoint(account, "one", Position::new(5), Some(new))
        .await
        .expect("the holder writes");
    let of_nobody = Log::new(&store).account;
    store.set_policy_checkpoint(of_nobody, "one", Position::new(1), None).await.expect("an operator writes");
}

//! Beats: a server says again and again that it is alive, and is told what it holds.

use std::time::{Duration, Instant};

use parlance_store::{Leases, ServerId};

use super::Leased;

/// How long a lease outlives its holder's last beat: what a killed server held is taken over within this time and a
/// beat of the others, sooner than whoever waits for a read model gives up.
const TTL: Duration = Duration::from_secs(3);
/// Three beats a lease: one may be lost.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// What a holder gives up early, for clocks that do not run equally fast.
const MARGIN: Duration = Duration::from_millis(300);
/// Where nobody else can come, a lease is a formality, and a beat a write for nothing.
const TTL_ALONE: Duration = Duration::from_secs(7 * 24 * 3_600);
const BEAT_EVERY_ALONE: Duration = Duration::from_secs(24 * 3_600);
/// After a failing store: how long until the next try.
const RETRY: Duration = Duration::from_millis(250);

/// Holds this server's share until it leaves or the task is dropped. `taken` is told whenever there is something new to work for.
pub(crate) async fn hold<S: Leases>(store: S, server: ServerId, leased: Leased, taken: impl Fn() + Send) {
    let (ttl, every) = if leased.is_shared() { (TTL, BEAT_EVERY) } else { (TTL_ALONE, BEAT_EVERY_ALONE) };
    while !leased.has_left() {
        // Counted from before the beat: the store counts from when it gets it.
        let begin = Instant::now();
        let next = match store.beat(server, ttl).await {
            Ok(_) if leased.has_left() => {
                // It was under way when this server left.
                let _ = store.leave(server).await;
                return;
            }
            Ok(beat) => {
                if leased.renew(&beat.held, begin + ttl - MARGIN) {
                    tracing::info!(buckets = beat.held.len(), servers = beat.servers, "works for its share");
                    taken();
                }
                every
            }
            Err(error) => {
                tracing::warn!(%error, "this server's leases are not renewed; trying again");
                RETRY
            }
        };
        tokio::time::sleep(next).await;
    }
}

//! Work that must not end: where a fault ends it, this server lets go of what it holds, and says so. Otherwise it would
//! keep others from the work that it does not do any more.

use tokio::{sync::watch, task::JoinSet};

use super::Leased;

/// Tasks that run for as long as the server does.
pub(crate) struct Tasks {
    leased: Leased,
    broken: watch::Sender<Option<&'static str>>,
    tasks: JoinSet<()>,
}

impl Tasks {
    pub fn new(leased: Leased) -> Self {
        Self { leased, broken: watch::Sender::new(None), tasks: JoinSet::new() }
    }

    pub fn spawn(&mut self, what: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let alarm = Alarm { what, leased: self.leased.clone(), broken: self.broken.clone() };
        self.tasks.spawn(async move {
            let _alarm = alarm;
            work.await;
        });
    }

    /// What was ended by a fault, once something is.
    pub fn broken(&self) -> watch::Receiver<Option<&'static str>> {
        self.broken.subscribe()
    }
}

/// Rings when it goes in the course of a panic.
struct Alarm {
    what: &'static str,
    leased: Leased,
    broken: watch::Sender<Option<&'static str>>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(
                what = self.what,
                "a fault has ended work that must go on; the leases are let go"
            );
            self.leased.let_go();
            self.broken.send_replace(Some(self.what));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use parlance_domain::AccountId;
    use parlance_store::{AccountBucket, Fence, Lease};

    use super::*;

    #[tokio::test]
    async fn who_panics_holds_nothing_any_more_and_is_heard_of() {
        let leased = Leased::nothing(true);
        let account = AccountId::default();
        let lease = Lease { bucket: AccountBucket::of(account), fence: Fence(1) };
        leased.renew(&[lease], Instant::now() + Duration::from_secs(3_600));
        let mut tasks = Tasks::new(leased.clone());
        let mut broken = tasks.broken();
        tasks.spawn("what ends by itself", async {});
        tasks.spawn("what panics", async { panic!("as a test wants it") });
        let told = *broken.wait_for(Option::is_some).await.expect("the tasks are there");
        assert_eq!(told, Some("what panics"));
        assert!(!leased.holds(account));
    }
}

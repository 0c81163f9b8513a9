//! How far other servers have come with the accounts that they fold. Hints tell; where one is lost, a look does.

use std::collections::HashMap;

use parlance_domain::{AccountId, Position};
use parlance_projections::Projector;
use parlance_store::{FIRST_GENERATION, ProjectionState, ReadModels, StoreError};
use tokio::{
    sync::watch,
    time::{Duration, MissedTickBehavior, interval},
};

use super::Projections;

/// How often it is looked how far another server has come, where somebody waits and no hint has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Projections {
    /// The log of an account that another server folds is known to reach `position`.
    pub(crate) fn ends_at(&self, account: AccountId, position: Position) {
        let mut ends = self.shared.ends.lock().expect("no panic while locked");
        let end = ends.entry(account).or_default();
        *end = position.max(*end);
    }

    fn known_end(&self, account: AccountId) -> Position {
        let ends = self.shared.ends.lock().expect("no panic while locked");
        ends.get(&account).copied().unwrap_or_default()
    }

    /// Somebody has begun to wait for what another server may fold.
    pub(super) fn look_soon(&self, account: AccountId) {
        if self.shared.leased.is_shared() {
            self.shared.looks.wake(account);
        }
    }

    /// Another server has told that all read models of an account show `position`. More than the log is known to hold is
    /// not believed, but looked at.
    pub(crate) fn shown_elsewhere(&self, account: AccountId, position: Position) {
        if position <= self.known_end(account) {
            self.announce_elsewhere(account, position);
        } else {
            self.look_soon(account);
        }
    }

    fn announce_elsewhere(&self, account: AccountId, position: Position) {
        if self.shared.leased.holds(account) {
            return;
        }
        let all = self.shared.progress.lock().expect("no panic while locked");
        // Nobody has asked here for an account that is not there.
        if let Some(progress) = all.get(&account) {
            progress.send_if_modified(|at| {
                let moved = *at < position;
                *at = position.max(*at);
                moved
            });
        }
    }

    /// Looks, until the task is dropped, how far other servers have come: where somebody has just begun to wait, and
    /// every second where somebody waits for what the log is known to hold.
    pub(crate) async fn look_elsewhere<S: ReadModels>(self, store: S) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let accounts = tokio::select! {
                account = self.shared.looks.next() => vec![account],
                _ = tick.tick() => self.waited_for(),
            };
            for account in accounts {
                if self.shared.leased.holds(account) {
                    continue;
                }
                match self.stored_progress(&store, account).await {
                    Ok(position) => self.announce_elsewhere(account, position),
                    Err(error) => {
                        tracing::warn!(%error, %account, "it cannot be seen how far projections are");
                    }
                }
            }
        }
    }

    fn waited_for(&self) -> Vec<AccountId> {
        let ends: HashMap<_, _> = self.shared.ends.lock().expect("no panic while locked").clone();
        let all = self.shared.progress.lock().expect("no panic while locked");
        let waited = |(account, progress): (&AccountId, &watch::Sender<Position>)| {
            let behind = *progress.borrow() < ends.get(account).copied().unwrap_or_default();
            (progress.receiver_count() > 0 && behind).then_some(*account)
        };
        all.iter().filter_map(waited).collect()
    }

    /// How far the slowest projection is, as it is stored.
    async fn stored_progress(
        &self,
        store: &impl ReadModels,
        account: AccountId,
    ) -> Result<Position, StoreError> {
        let stored = store.checkpoints(account).await?;
        let position = |projector: &&'static dyn Projector| {
            let of_it = |state: &&ProjectionState| {
                state.generation == FIRST_GENERATION && state.projection == projector.name()
            };
            stored.iter().find(of_it).map_or(Position::START, |state| state.checkpoint.position)
        };
        Ok(self.projectors.iter().map(position).min().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use parlance_projections::PROJECTORS;
    use uuid::Uuid;

    use super::*;
    use crate::cluster::Leased;

    #[test]
    fn more_than_the_log_is_known_to_hold_is_not_believed() {
        let projections = Projections::new(&PROJECTORS, Leased::nothing(true));
        let account = AccountId::new(Uuid::from_u128(1));
        let progress = projections.progress(account);
        projections.shown_elsewhere(account, Position::new(9));
        assert_eq!(*progress.borrow(), Position::START);
        projections.ends_at(account, Position::new(9));
        assert_eq!(projections.waited_for(), [account]);
        projections.shown_elsewhere(account, Position::new(9));
        assert_eq!(*progress.borrow(), Position::new(9));
        projections.shown_elsewhere(account, Position::new(7));
        assert_eq!(*progress.borrow(), Position::new(9), "a late hint takes nothing back");
        assert_eq!(projections.waited_for(), []);
    }
}

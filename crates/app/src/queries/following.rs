//! Following an account: what was missed first, then what comes, with no gap and no repeat between the two.
//!
//! A follower holds a position and nothing else. Each time it is pulled it takes what was touched after that
//! from the account's [`Feed`], once the read models show it, and builds rows as they are now. So who is told
//! what depends on the positions alone: cut off and begun again anywhere, the items come to the same.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use parlance_domain::Position;
use parlance_store::Store;
use tokio::{sync::watch, time::timeout};

use super::{Queries, SHOWN_WAIT};
use crate::{
    feed::{Feed, Known, Touched},
    front::{Asker, Following, FrontError, InboxChange},
};

/// Positions looked through in one go.
const LOOKED_AT_MAX: usize = 1_000;
/// Whoever is told nothing for so many positions is told the position alone, so that it does not grow too old
/// to go on from.
const QUIET_MAX: u64 = 1_000;

/// What is followed: how touches become an item.
pub(super) trait Followed<S>: Send + 'static {
    type Item: Send + 'static;
    /// What was touched, gathered.
    type Gathered: Send + Sync;

    /// Takes touches, oldest first, as far as one item can hold them; and how many it took, at least one.
    fn gather(&self, by: Asker, touched: &[Touched]) -> (Self::Gathered, usize);

    /// The item that tells of everything up to `to`; `None`: there is nothing to tell this asker, who is told all
    /// the same where they `must` be.
    fn item(
        &mut self,
        queries: &Queries<S>,
        seen: Seen<'_>,
        gathered: Self::Gathered,
        to: Position,
        must: bool,
    ) -> impl Future<Output = Result<Option<Self::Item>, FrontError>> + Send;
}

/// Who follows, and what is known to all who do.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub by: Asker,
    pub feed: &'a Feed,
    pub known: &'a Known,
}

struct Follower<S, F> {
    queries: Queries<S>,
    by: Asker,
    feed: Arc<Feed>,
    followed: F,
    shown: watch::Receiver<Position>,
    /// Everything up to here was looked at.
    at: Position,
    /// The newest item's.
    told: Option<Position>,
}

impl<S: Store + Clone> Queries<S> {
    /// Follows until the asker is no member any more, or to the first error.
    pub(super) fn follow<F: Followed<S>>(
        &self,
        by: Asker,
        after: Option<Position>,
        begin: impl Future<Output = Result<F, FrontError>> + Send + 'static,
    ) -> Following<F::Item> {
        enum Stage<B, F> {
            Asked(B),
            Follows(F),
            Ended,
        }
        let queries = self.clone();
        stream::unfold(Stage::Asked(Box::pin(begin)), move |stage| {
            let queries = queries.clone();
            async move {
                let mut follower = match stage {
                    Stage::Ended => return None,
                    Stage::Follows(follower) => follower,
                    Stage::Asked(begin) => match queries.begun(by, after, begin).await {
                        Ok(follower) => follower,
                        Err(error) => return Some((Err(error), Stage::Ended)),
                    },
                };
                let begun = follower.told.is_some();
                match follower.next().await {
                    Ok(item) => Some((Ok(item), Stage::Follows(follower))),
                    // Whoever is no member any more is told nothing, not even that.
                    Err(FrontError::NotFound) if begun => None,
                    Err(error) => Some((Err(error), Stage::Ended)),
                }
            }
        })
        .boxed()
    }

    async fn begun<F: Followed<S>>(
        &self,
        by: Asker,
        after: Option<Position>,
        begin: impl Future<Output = Result<F, FrontError>>,
    ) -> Result<Follower<S, F>, FrontError> {
        self.asker(by).await?;
        let feed = self.feeds.of(by.account);
        let mut shown = self.projections.progress(by.account);
        let head = self.store.head(by.account).await?.position;
        let at = after.unwrap_or(head);
        if at > head {
            return Err(FrontError::Reload);
        }
        // Whoever comes now has perhaps joined just now, and what they did themselves is not told to them as news.
        self.projections.wake(by.account);
        match timeout(SHOWN_WAIT, shown.wait_for(|shown| *shown >= at)).await {
            Ok(Ok(_)) => {}
            _ => return Err(FrontError::Behind),
        }
        let followed = begin.await?;
        Ok(Follower { queries: self.clone(), by, feed, followed, shown, at, told: None })
    }
}

impl<S: Store + Clone, F: Followed<S>> Follower<S, F> {
    async fn next(&mut self) -> Result<F::Item, FrontError> {
        loop {
            let shown = *self.shown.borrow_and_update();
            while self.at < shown || self.told.is_none() {
                if let Some(item) = self.look(shown).await? {
                    self.told = Some(self.at);
                    return Ok(item);
                }
            }
            // The runner lives as long as the queries do.
            self.shown.changed().await.map_err(|_| FrontError::Behind)?;
        }
    }

    /// Looks at what comes next, up to `shown` at most; an item, if there is anything to tell.
    async fn look(&mut self, shown: Position) -> Result<Option<F::Item>, FrontError> {
        let (store, from) = (&self.queries.store, self.at);
        if shown.number().saturating_sub(from.number()) > InboxChange::BEHIND_MAX {
            return Err(FrontError::Reload);
        }
        let found = self.feed.between(store, from, shown, LOOKED_AT_MAX).await?;
        let (touched, known) = found.ok_or(FrontError::Reload)?;
        let (gathered, taken) = self.followed.gather(self.by, &touched);
        let to = match taken.checked_sub(1).and_then(|last| touched.get(last)) {
            Some(last) => last.position,
            None => from,
        };
        let quiet = self.told.is_none_or(|told| to.number().saturating_sub(told.number()) >= QUIET_MAX);
        let seen = Seen { by: self.by, feed: &self.feed, known: &known };
        let item = self.followed.item(&self.queries, seen, gathered, to, quiet).await?;
        self.at = to;
        Ok(item)
    }
}

//! Look-ups of one request gathered into few calls: a page of conversations asks for all its members, messages
//! and threads at once. Nothing is kept between two batches, so a mutation's answer is never read from before it.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::dataloader::{DataLoader, Loader};
use parlance_app::front::{
    Asker, ChannelView, ConnectionView, ConversationView, FrontError, MemberView, MessageView, Page,
    SharedFront, ThreadPage,
};
use parlance_domain::{ChannelId, ConnectionId, ConversationId, MemberId, MessageId};

/// A batch goes once nothing was looked up for this long. A fixed wait alone would cut a long page into as
/// many batches as it takes milliseconds to walk.
const QUIET: Duration = Duration::from_millis(1);
/// It goes after so many waits at the latest.
const WAITS_MAX: usize = 20;

/// Counts a request's look-ups, so that a batch knows whether more are coming.
#[derive(Clone, Default)]
pub(crate) struct Gathering(Arc<AtomicUsize>);

impl Gathering {
    pub fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    async fn quiet(&self) {
        for _ in 0..WAITS_MAX {
            let before = self.0.load(Ordering::Relaxed);
            tokio::time::sleep(QUIET).await;
            if self.0.load(Ordering::Relaxed) == before {
                break;
            }
        }
    }

    pub fn loader(&self, look_ups: LookUps) -> DataLoader<LookUps> {
        let gathering = self.clone();
        let spawn = move |batch| {
            let gathering = gathering.clone();
            tokio::spawn(async move {
                gathering.quiet().await;
                let batch: futures_util::future::BoxFuture<'static, ()> = batch;
                batch.await;
            })
        };
        DataLoader::new(look_ups, spawn).delay(Duration::ZERO).max_batch_size(Page::<()>::ITEMS_MAX)
    }
}

/// What a member's look-ups ask.
pub(crate) struct LookUps {
    pub front: SharedFront,
    pub by: Asker,
}

/// A message's id is unique, but only its conversation tells where it is and who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey(pub ConversationId, pub MessageId);

/// A page of one conversation's thread. Pages alike are asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ThreadKey(pub ConversationId, pub ThreadPage);

/// A channel among those the asker has access to or manages.
impl Loader<ChannelId> for LookUps {
    type Value = ChannelView;
    type Error = FrontError;

    async fn load(&self, keys: &[ChannelId]) -> Result<HashMap<ChannelId, ChannelView>, FrontError> {
        let wanted: HashSet<_> = keys.iter().collect();
        let all = self.front.channels(self.by).await?;
        Ok(all.into_iter().filter(|view| wanted.contains(&view.id)).map(|view| (view.id, view)).collect())
    }
}

impl Loader<ConnectionId> for LookUps {
    type Value = ConnectionView;
    type Error = FrontError;

    /// Empty for whoever may not see connections: not theirs is not there.
    async fn load(&self, keys: &[ConnectionId]) -> Result<HashMap<ConnectionId, ConnectionView>, FrontError> {
        let wanted: HashSet<_> = keys.iter().collect();
        let all = match self.front.connections(self.by).await {
            Err(FrontError::NotPermitted | FrontError::NotFound) => Vec::new(),
            answer => answer?,
        };
        Ok(all.into_iter().filter(|view| wanted.contains(&view.id)).map(|view| (view.id, view)).collect())
    }
}

impl Loader<MemberId> for LookUps {
    type Value = MemberView;
    type Error = FrontError;

    async fn load(&self, keys: &[MemberId]) -> Result<HashMap<MemberId, MemberView>, FrontError> {
        let found = self.front.members_by_id(self.by, keys.to_vec()).await?;
        Ok(found.into_iter().map(|view| (view.id, view)).collect())
    }
}

impl Loader<ConversationId> for LookUps {
    type Value = ConversationView;
    type Error = FrontError;

    async fn load(
        &self,
        keys: &[ConversationId],
    ) -> Result<HashMap<ConversationId, ConversationView>, FrontError> {
        let found = self.front.conversations_by_id(self.by, keys.to_vec()).await?;
        Ok(found.into_iter().map(|view| (view.id, view)).collect())
    }
}

impl Loader<MessageKey> for LookUps {
    type Value = MessageView;
    type Error = FrontError;

    async fn load(&self, keys: &[MessageKey]) -> Result<HashMap<MessageKey, MessageView>, FrontError> {
        let wanted = keys.iter().map(|MessageKey(conversation, message)| (*conversation, *message)).collect();
        let found = self.front.messages_by_id(self.by, wanted).await?;
        Ok(found.into_iter().map(|view| (MessageKey(view.conversation, view.id), view)).collect())
    }
}

impl Loader<ThreadKey> for LookUps {
    type Value = Page<MessageView>;
    type Error = FrontError;

    async fn load(&self, keys: &[ThreadKey]) -> Result<HashMap<ThreadKey, Self::Value>, FrontError> {
        let mut alike: HashMap<ThreadPage, Vec<ConversationId>> = HashMap::new();
        for ThreadKey(conversation, page) in keys {
            alike.entry(*page).or_default().push(*conversation);
        }
        let mut threads = HashMap::with_capacity(keys.len());
        for (page, wanted) in alike {
            let found = self.front.threads(self.by, wanted, page).await?;
            threads.extend(found.into_iter().map(|(id, thread)| (ThreadKey(id, page), thread)));
        }
        Ok(threads)
    }
}

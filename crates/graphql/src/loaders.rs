//! What objects refer to, looked up by its key: a page of conversations asks for all its members, messages and
//! threads at once ([`Gather`]).

use std::collections::{HashMap, HashSet};

use parlance_app::front::{
    Asker, ChannelView, ConnectionView, ConversationView, FrontError, MemberView, MessageView, Page,
    SharedFront, ThreadPage,
};
use parlance_domain::{ChannelId, ConnectionId, ConversationId, MemberId, MessageId};

use crate::gather::{Gather, LookUp};

/// One request's look-ups of every kind.
#[derive(Default)]
pub(crate) struct LookUps {
    channels: Gather<ChannelId>,
    connections: Gather<ConnectionId>,
    members: Gather<MemberId>,
    conversations: Gather<ConversationId>,
    messages: Gather<MessageKey>,
    threads: Gather<ThreadKey>,
}

/// Where look-ups of a kind are gathered.
pub(crate) trait Gathered: LookUp {
    fn gathered(all: &LookUps) -> &Gather<Self>;
}

macro_rules! gathered {
    ($($key:ty => $field:ident),* $(,)?) => { $(impl Gathered for $key {
        fn gathered(all: &LookUps) -> &Gather<Self> {
            &all.$field
        }
    })* };
}

gathered! {
    ChannelId => channels,
    ConnectionId => connections,
    MemberId => members,
    ConversationId => conversations,
    MessageKey => messages,
    ThreadKey => threads,
}

/// A message's id is unique, but only its conversation tells where it is and who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey(pub ConversationId, pub MessageId);

/// A page of one conversation's thread. Pages alike are asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ThreadKey(pub ConversationId, pub ThreadPage);

/// A channel among those the asker has access to or manages.
impl LookUp for ChannelId {
    type Value = ChannelView;

    async fn find(
        front: &SharedFront,
        by: Asker,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>, FrontError> {
        let wanted: HashSet<_> = keys.iter().collect();
        let all = front.channels(by).await?;
        Ok(all.into_iter().filter(|view| wanted.contains(&view.id)).map(|view| (view.id, view)).collect())
    }
}

impl LookUp for ConnectionId {
    type Value = ConnectionView;

    /// Empty for whoever may not see connections: not theirs is not there.
    async fn find(
        front: &SharedFront,
        by: Asker,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>, FrontError> {
        let wanted: HashSet<_> = keys.iter().collect();
        let all = match front.connections(by).await {
            Err(FrontError::NotPermitted | FrontError::NotFound) => Vec::new(),
            answer => answer?,
        };
        Ok(all.into_iter().filter(|view| wanted.contains(&view.id)).map(|view| (view.id, view)).collect())
    }
}

impl LookUp for MemberId {
    type Value = MemberView;

    async fn find(
        front: &SharedFront,
        by: Asker,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>, FrontError> {
        let found = front.members_by_id(by, keys).await?;
        Ok(found.into_iter().map(|view| (view.id, view)).collect())
    }
}

impl LookUp for ConversationId {
    type Value = ConversationView;

    async fn find(
        front: &SharedFront,
        by: Asker,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>, FrontError> {
        let found = front.conversations_by_id(by, keys).await?;
        Ok(found.into_iter().map(|view| (view.id, view)).collect())
    }
}

impl LookUp for MessageKey {
    type Value = MessageView;

    async fn find(
        front: &SharedFront,
        by: Asker,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>, FrontError> {
        let wanted = keys.iter().map(|MessageKey(conversation, message)| (*conversation, *message)).collect();
        let found = front.messages_by_id(by, wanted).await?;
        Ok(found.into_iter().map(|view| (MessageKey(view.conversation, view.id), view)).collect())
    }
}

impl LookUp for ThreadKey {
    type Value = Page<MessageView>;

    async fn find(
        front: &SharedFront,
        by: Asker,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>, FrontError> {
        let mut alike: HashMap<ThreadPage, Vec<ConversationId>> = HashMap::new();
        for ThreadKey(conversation, page) in keys {
            alike.entry(page).or_default().push(conversation);
        }
        let mut threads = HashMap::new();
        for (page, wanted) in alike {
            let found = front.threads(by, wanted, page).await?;
            threads.extend(found.into_iter().map(|(id, thread)| (ThreadKey(id, page), thread)));
        }
        Ok(threads)
    }
}

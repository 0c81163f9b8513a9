//! What changed in one conversation for one asker.

use std::collections::BTreeSet;

use parlance_domain::{
    ChannelId, ConversationId, MessageId, Position,
    conversation::{Conversation, Phase},
};
use parlance_store::Store;

use super::{
    Queries,
    changes::Moved,
    following::{Followed, Seen},
};
use crate::{
    feed::{Touch, Touched},
    front::{Asker, ConversationChange, Following, FrontError},
};

/// One conversation, followed.
pub(super) struct Watched {
    conversation: ConversationId,
    channel: ChannelId,
}

/// Touches of the conversation.
#[derive(Default)]
pub(super) struct Gathered {
    /// Its newest version among them.
    touched: Option<u64>,
    messages: BTreeSet<MessageId>,
    too_many: bool,
    deleted: bool,
    moved: Moved,
    /// The asker joined or was removed.
    anew: bool,
    seen: bool,
}

impl<S: Store + Clone> Followed<S> for Watched {
    type Item = ConversationChange;
    type Gathered = Gathered;

    fn gather(&self, by: Asker, touched: &[Touched]) -> (Gathered, usize) {
        let mut all = Gathered::default();
        for touched in touched {
            match touched.touch {
                Touch::Conversation(id, message) if id == self.conversation => {
                    all.touched = Some(touched.version);
                    if let Some(message) = message {
                        all.take(message);
                    }
                }
                Touch::Deleted(id) if id == self.conversation => {
                    all.touched = Some(touched.version);
                    all.deleted = true;
                    all.messages.clear();
                    all.too_many = false;
                }
                Touch::Seen(id, member) => all.seen |= id == self.conversation && member == by.member,
                Touch::CameOrWent(member) => all.anew |= member == by.member,
                touch @ (Touch::Visibility(channel) | Touch::Installer { channel, .. })
                    if channel == self.channel =>
                {
                    all.moved.take(by.member, touch);
                }
                _ => {}
            }
        }
        (all, touched.len())
    }

    async fn item(
        &mut self,
        queries: &Queries<S>,
        seen: Seen<'_>,
        gathered: Gathered,
        to: Position,
        must: bool,
    ) -> Result<Option<ConversationChange>, FrontError> {
        let by = seen.by;
        let sight = queries.sight_from(by, vec![self.channel], seen.known).await?;
        if gathered.anew {
            return Err(FrontError::Reload);
        }
        let moved = gathered.moved.concerns(sight.installed(self.channel));
        let sees = sight.sees(self.channel);
        let touched = gathered.touched.is_some() || gathered.seen;
        if !(must || moved || (sees && touched)) {
            return Ok(None);
        }
        let mut change = ConversationChange {
            position: to,
            conversation: None,
            gone: false,
            messages: Vec::new(),
            reload_messages: false,
        };
        if !sees {
            return Ok(Some(change));
        }
        change.reload_messages = moved || gathered.deleted || gathered.too_many;
        if !change.reload_messages && !gathered.messages.is_empty() {
            let wanted = gathered.messages.iter().map(|message| (self.conversation, *message)).collect();
            change.messages = queries.messages_by_id(by, wanted).await?;
        }
        // Last, so that messages of what is deleted meanwhile are not told of.
        let rows = queries.opened_rows(seen, &[self.conversation], to).await?;
        change.conversation = queries.living(seen, &sight, &rows).await?.pop();
        if change.conversation.is_none() {
            change.messages.clear();
            change.reload_messages = false;
            let version = gathered.touched.unwrap_or_default();
            let id = self.conversation.uuid();
            let state = queries.commands.peek_from::<Conversation>(by.account, id, version).await?;
            change.gone = state.phase == Phase::Deleted;
        }
        Ok(Some(change))
    }
}

impl Gathered {
    fn take(&mut self, message: MessageId) {
        self.too_many |=
            self.messages.len() == ConversationChange::MESSAGES_MAX && !self.messages.contains(&message);
        if !self.too_many {
            self.messages.insert(message);
        }
    }
}

impl<S: Store + Clone> Queries<S> {
    /// See [`Front::conversation_changes`](crate::front::Front::conversation_changes).
    pub fn conversation_changes(
        &self,
        by: Asker,
        conversation: ConversationId,
        after: Option<Position>,
    ) -> Following<ConversationChange> {
        let queries = self.clone();
        self.follow(by, after, async move {
            let state = queries.commands.peek::<Conversation>(by.account, conversation.uuid()).await?;
            let channel = state.channel.ok_or(FrontError::NotFound)?;
            match queries.sight(by, vec![channel]).await?.sees(channel) {
                true => Ok(Watched { conversation, channel }),
                false => Err(FrontError::NotFound),
            }
        })
    }
}

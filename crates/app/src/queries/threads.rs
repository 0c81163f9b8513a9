//! Threads: pages of messages, of many conversations at once, and messages wanted by id.

use std::collections::{BTreeSet, HashMap};

use parlance_domain::{
    ChannelId, ConversationId, MessageId,
    conversation::{EditedContent, MessageContent, ReactionContent},
};
use parlance_projections::{
    Row, key,
    thread::{Direction, MESSAGES, ThreadRow},
};
use parlance_store::{FIRST_GENERATION, Store, StoreError, ThreadOrder, Wanted};

use super::{
    Queries, cut,
    opening::{Opened, Opening, Part},
};
use crate::{
    front::{
        Asker, FrontError, MessageDirection, MessageSort, MessageView, Page, Place, ThreadPage, Towards,
    },
    keys::AccountRing,
};

/// A message's row, and where its parts will be found.
struct Gathered {
    row: ThreadRow,
    channel: ChannelId,
    content: Option<Part>,
    edit: Option<Part>,
    reaction: Option<Part>,
}

impl Gathered {
    fn new(mut row: ThreadRow, channel: ChannelId, wanted: &mut Opening) -> Self {
        // What was taken back is not opened any more.
        let shown = row.unsent_at.is_none();
        let content = row.content.take().filter(|_| shown);
        let edit = row.edit.as_mut().and_then(|edit| edit.content.take()).filter(|_| shown);
        let reaction = row.reaction.as_mut().and_then(|reaction| reaction.content.take());
        Self {
            row,
            channel,
            content: wanted.add(content),
            edit: wanted.add(edit),
            reaction: wanted.add(reaction),
        }
    }

    fn view(self, opened: &Opened, ring: &AccountRing) -> MessageView {
        let Self { row, channel, .. } = self;
        let content = opened.value::<MessageContent>(self.content).unwrap_or_default();
        let text = match &row.edit {
            Some(_) => opened.value::<EditedContent>(self.edit).map(|edit| edit.text),
            None => content.text,
        };
        let reply_to = content.reply_to.map(|answered| ring.ids.message(channel, &answered));
        MessageView {
            id: row.message,
            conversation: row.conversation,
            direction: match row.direction {
                Direction::In => MessageDirection::In,
                Direction::Out => MessageDirection::Out,
            },
            sort: match row.kind {
                "postback" => MessageSort::Postback,
                "echo" => MessageSort::Echo,
                _ => MessageSort::Message,
            },
            place: Place { at: row.at, position: row.position },
            provider_at: row.provider_at,
            recorded_at: row.recorded_at,
            text,
            attachments: content.attachments,
            postback: content.postback,
            reply_to,
            edited_at: row.edit.map(|edit| edit.at),
            reaction: opened.value::<ReactionContent>(self.reaction).and_then(|reaction| reaction.emoji),
            unsent_at: row.unsent_at,
        }
    }
}

impl<S: Store + Clone> Queries<S> {
    /// For each of the wanted conversations that exist for the asker a page of its thread, oldest first; of a
    /// list that is longer than a page its beginning.
    pub async fn threads(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
        page: ThreadPage,
    ) -> Result<Vec<(ConversationId, Page<MessageView>)>, FrontError> {
        let (_, conversations, _) = self.rows_for(by, wanted, None).await?;
        if conversations.is_empty() {
            return Ok(Vec::new());
        }
        let channels = conversations.iter().map(|row| (row.conversation, row.channel)).collect();
        let ids: Vec<_> = conversations.iter().map(|row| row.conversation).collect();
        let limit = page.limit.min(Page::<MessageView>::ITEMS_MAX);
        let order = match page.towards {
            Towards::Newer => ThreadOrder::OldestFirst,
            Towards::Older => ThreadOrder::NewestFirst,
        };
        let beyond = page.from.map(|place| (place.at, place.position));
        let (account, generation) = (by.account, FIRST_GENERATION);
        let found =
            self.store.thread_pages(account, generation, ids.clone(), order, beyond, limit + 1).await?;
        let (mut pages, mut rows) = (Vec::with_capacity(ids.len()), Vec::new());
        for (id, mut found) in ids.into_iter().zip(found) {
            let more = cut(&mut found, limit);
            if page.towards == Towards::Older {
                found.reverse();
            }
            pages.push((id, found.len(), more));
            rows.extend(found);
        }
        let mut views = self.messages(by, &rows, &channels).await?.into_iter();
        let page = |(id, length, more)| (id, Page { items: views.by_ref().take(length).collect(), more });
        Ok(pages.into_iter().map(page).collect())
    }

    /// Those of the wanted messages that exist for the asker; of a list that is longer than a page its beginning.
    pub async fn messages_by_id(
        &self,
        by: Asker,
        mut wanted: Vec<(ConversationId, MessageId)>,
    ) -> Result<Vec<MessageView>, FrontError> {
        wanted.truncate(Page::<MessageView>::ITEMS_MAX);
        let keys = wanted
            .iter()
            .map(|(conversation, message)| key([conversation.uuid().into(), message.uuid().into()]));
        let keys = keys.collect::<BTreeSet<_>>().into_iter().collect();
        let messages = Wanted { table: &MESSAGES, keys };
        let conversations = wanted.into_iter().map(|(conversation, _)| conversation).collect();
        // Rows of conversations that do not exist for the asker are dropped below, sealed as they are.
        let (_, conversations, rows) = self.rows_for(by, conversations, Some(messages)).await?;
        let channels = conversations.iter().map(|row| (row.conversation, row.channel)).collect();
        self.messages(by, &rows, &channels).await
    }

    /// The rows as messages, in their order; one that waits for its message is none.
    async fn messages(
        &self,
        by: Asker,
        rows: &[Row],
        channels: &HashMap<ConversationId, ChannelId>,
    ) -> Result<Vec<MessageView>, FrontError> {
        let no_keys = || StoreError::Corrupt(format!("{} has no keys", by.account));
        let ring = self.keyring.account(&self.store, by.account).await?.ok_or_else(no_keys)?;
        let (mut wanted, mut gathered) = (Opening::default(), Vec::with_capacity(rows.len()));
        for row in rows {
            let row = ThreadRow::from_row(row)?;
            if let Some(channel) = channels.get(&row.conversation).filter(|_| row.present) {
                gathered.push(Gathered::new(row, *channel, &mut wanted));
            }
        }
        let opened = self.open(by.account, wanted).await?;
        Ok(gathered.into_iter().map(|message| message.view(&opened, &ring)).collect())
    }
}

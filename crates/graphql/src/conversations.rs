//! Conversations: the type, and the queries for them.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use parlance_app::front::{ConversationView, Page, Place, Towards};
use parlance_domain::{ChannelId, ConversationId};

use crate::{
    channels::Channel,
    cursor::List,
    loaders::{MessageKey, ThreadKey},
    members::Member,
    messages::{Message, MessageConnection},
    paging::{Window, connection, items, limit, page, place},
    payload::Shown,
    scalars::{DateTime, Position, count, id},
    sections::Section,
    session::Scope,
};

/// The customer of a conversation, as far as the provider tells.
#[derive(SimpleObject)]
pub struct Contact {
    /// The name. Null if the provider does not tell.
    name: Option<String>,
    /// Where the provider keeps the picture. Such addresses can expire. Null if there is none.
    picture_url: Option<String>,
    /// The phone number. Null if the provider does not tell.
    phone: Option<String>,
    /// WhatsApp's own id of the customer: digits, mostly the phone number's. Null where there is none.
    whatsapp_id: Option<String>,
}

#[derive(Clone)]
pub struct Conversation {
    scope: Scope,
    view: ConversationView,
}

/// All messages between one customer and one channel.
#[Object]
impl Conversation {
    /// The conversation's id: `conv_` and 32 hexadecimal digits. The same customer has the same conversation
    /// in a channel for ever.
    pub(crate) async fn id(&self) -> ID {
        self.view.id.to_string().into()
    }

    /// Which life of the conversation this is: 1 at first, and one more each time the customer writes after it was deleted.
    async fn incarnation(&self) -> i32 {
        count(self.view.incarnation.into())
    }

    /// The channel it goes through.
    async fn channel(&self) -> Result<Option<Channel>> {
        Channel::load(&self.scope, self.view.channel).await
    }

    /// The customer. Null if the provider never told anything of them.
    async fn contact(&self) -> Option<Contact> {
        self.view.contact.clone().map(|contact| Contact {
            name: contact.name,
            picture_url: contact.picture_url,
            phone: contact.phone,
            whatsapp_id: contact.wa_id,
        })
    }

    /// The section of the inbox where it stands for the member who asks.
    async fn section(&self) -> Section {
        self.view.section.into()
    }

    /// Whether it is closed. A customer who writes reopens it.
    async fn closed(&self) -> bool {
        self.view.closed
    }

    /// The member who holds it, closed or not. Null if nobody does.
    async fn assignee(&self) -> Result<Option<Member>> {
        match self.view.assignee {
            Some(member) => Member::load(&self.scope, member).await,
            None => Ok(None),
        }
    }

    /// When it was assigned to its assignee. Null if nobody holds it.
    async fn assigned_at(&self) -> Option<DateTime> {
        self.view.assigned_at.map(Into::into)
    }

    /// The newest message.
    async fn last_message(&self) -> Result<Option<Message>> {
        Message::load(&self.scope, MessageKey(self.view.id, self.view.last_message)).await
    }

    /// The newest message's time, by which sections are ordered.
    async fn last_message_at(&self) -> DateTime {
        self.view.place.at.into()
    }

    /// How many messages it holds.
    async fn message_count(&self) -> i32 {
        count(self.view.messages)
    }

    /// Its messages, oldest first. With no argument: the newest 25. `first` and `after` read forwards from the
    /// oldest, `last` and `before` backwards from the newest; they cannot be mixed.
    #[graphql(complexity = "items(first, last) * child_complexity + 1")]
    async fn messages(
        &self,
        #[graphql(desc = "How many, forwards: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, backwards: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Result<MessageConnection> {
        let scope = &self.scope;
        let list = List::Thread(scope.by().account, self.view.id);
        let epoch = scope.epoch().await?;
        let window = Window { first, after: after.as_deref(), last, before: before.as_deref() };
        let asked = scope.checked(window.of_thread(list, epoch)).await?;
        let thread = scope.look_up(ThreadKey(self.view.id, asked)).await?;
        // It may have been deleted since the conversation was read.
        let thread = thread.unwrap_or(Page { items: Vec::new(), more: false });
        let message = |view| Message::new(scope, view);
        let from_a_cursor = asked.from.is_some();
        Ok(page(thread, asked.towards, from_a_cursor, list, epoch, |view| view.place, message).into())
    }

    /// Whether the customer wrote after the member who asks last marked the conversation as seen.
    async fn unread(&self) -> bool {
        self.view.unread
    }

    /// Until when the provider lets the account answer freely: 24 hours after the customer's last message. Null
    /// if the customer has not written.
    async fn reply_window_ends_at(&self) -> Option<DateTime> {
        self.view.reply_window_ends_at.map(Into::into)
    }

    /// The position of the last change. Give it to `markConversationSeen` once the conversation was shown.
    async fn changed_at(&self) -> Result<Position> {
        self.scope.outside(self.view.changed).await
    }

    /// Whether the member who asks may delete it.
    async fn may_delete(&self) -> bool {
        self.view.may_delete
    }
}

impl Conversation {
    pub(crate) fn new(scope: &Scope, view: ConversationView) -> Self {
        Self { scope: scope.clone(), view }
    }
}

impl Shown for Conversation {
    type Key = ConversationId;

    async fn load(scope: &Scope, key: ConversationId) -> Result<Option<Self>> {
        Ok(scope.look_up(key).await?.map(|view| Self { scope: scope.clone(), view }))
    }
}

connection! {
    /// A page of a section's conversations, newest message first.
    ConversationConnection, ConversationEdge, Conversation
}

#[derive(Default)]
pub struct ConversationsQuery;

#[Object]
impl ConversationsQuery {
    /// The conversations of a section, newest message first. Null if the channel does not exist for the member who asks.
    #[graphql(complexity = "items(first, None) * child_complexity + 1")]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which section.")] section: Section,
        #[graphql(desc = "This channel's conversations only.")] channel: Option<ID>,
        #[graphql(desc = "How many: 1 to 100, or 25 if left out.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<ConversationConnection>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        let by = scope.by();
        let section = section.into();
        let channel =
            scope.checked(channel.map(|text| id::<ChannelId>(&text, "channel")).transpose()).await?;
        let limit = scope.checked(limit(first, "first")).await?;
        let list = List::Section(by.account, section, channel);
        let epoch = scope.epoch().await?;
        let from = scope.checked(place::<Place>(after.as_deref(), list, epoch, "after")).await?;
        let found = scope.front().conversations(by, section, channel, from, limit).await;
        let conversation = |view| Conversation { scope: scope.clone(), view };
        Ok(scope.answer_if_any(found).await?.map(|found| {
            page(found, Towards::Newer, from.is_some(), list, epoch, |view| view.place, conversation).into()
        }))
    }

    /// A conversation by its id. Null if it does not exist for the member who asks.
    async fn conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation's id.")] id: ID,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<Conversation>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        let wanted = scope.checked(crate::scalars::id(&id, "id")).await?;
        Conversation::load(&scope, wanted).await
    }
}

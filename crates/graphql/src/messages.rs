//! Messages of a conversation's thread. A message is no `Node`: only its conversation tells who may see it,
//! so it is reached through the conversation, and its id alone finds nothing.

use async_graphql::{Enum, ID, Object, Result, SimpleObject};
use parlance_app::front::{MessageSort, MessageView};

use crate::{loaders::MessageKey, paging::connection, payload::Shown, scalars::DateTime, session::Scope};

/// Which way a message went.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_app::front::MessageDirection")]
pub enum MessageDirection {
    /// From the customer.
    In,
    /// To the customer.
    Out,
}

/// How a message came to be.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Written as a message.
    Message,
    /// The customer tapped a button.
    Postback,
    /// Written by somebody of the account in the provider's own app, and not in Parlance.
    Echo,
}

/// A file of a message, as the provider tells it.
#[derive(SimpleObject, Clone)]
pub struct Attachment {
    /// The provider's word for what it is, such as `image`, `audio`, `video` or `file`.
    kind: String,
    /// Its media type, such as `image/jpeg`. Null if the provider does not tell.
    content_type: Option<String>,
    /// Where the provider keeps it. Such addresses can expire. Null if there is none.
    url: Option<String>,
    /// Its file name. Null if the provider does not tell.
    name: Option<String>,
}

#[derive(Clone)]
pub struct Message {
    scope: Scope,
    view: MessageView,
}

/// One message of a conversation.
#[Object]
impl Message {
    /// The message's id: `msg_` and 32 hexadecimal digits. It cannot be given to `node`; read a message through
    /// its conversation.
    async fn id(&self) -> ID {
        self.view.id.to_string().into()
    }

    /// The id of the message's conversation.
    async fn conversation_id(&self) -> ID {
        self.view.conversation.to_string().into()
    }

    /// Which way it went.
    async fn direction(&self) -> MessageDirection {
        self.view.direction.into()
    }

    /// How it came to be.
    async fn kind(&self) -> MessageKind {
        match self.view.sort {
            MessageSort::Message => MessageKind::Message,
            MessageSort::Postback => MessageKind::Postback,
            MessageSort::Echo => MessageKind::Echo,
        }
    }

    /// Its text, as last edited. Null if it has none, or was taken back.
    async fn text(&self) -> Option<&str> {
        self.view.text.as_deref()
    }

    /// Its files.
    async fn attachments(&self) -> Vec<Attachment> {
        let attachment = |told: &parlance_domain::conversation::Attachment| Attachment {
            kind: told.kind.clone(),
            content_type: told.content_type.clone(),
            url: told.url.clone(),
            name: told.name.clone(),
        };
        self.view.attachments.iter().map(attachment).collect()
    }

    /// What the tapped button means to whoever set it up. Null unless `kind` is `POSTBACK`.
    async fn postback(&self) -> Option<&str> {
        self.view.postback.as_deref()
    }

    /// The message it answers. Null if it answers none, or one that is not in the conversation.
    async fn reply_to(&self) -> Result<Option<Message>> {
        match self.view.reply_to {
            Some(message) => Message::load(&self.scope, MessageKey(self.view.conversation, message)).await,
            None => Ok(None),
        }
    }

    /// The customer's reaction to it, as an emoji. Null if there is none.
    async fn reaction(&self) -> Option<&str> {
        self.view.reaction.as_deref()
    }

    /// The time by which messages are ordered: the provider's, or ours if that is earlier or the only one.
    async fn at(&self) -> DateTime {
        self.view.place.at.into()
    }

    /// When the provider says it was written. Null where the provider does not tell.
    async fn provider_at(&self) -> Option<DateTime> {
        self.view.provider_at.map(Into::into)
    }

    /// When Parlance recorded it.
    async fn recorded_at(&self) -> DateTime {
        self.view.recorded_at.into()
    }

    /// When it was edited the last time. Null if never.
    async fn edited_at(&self) -> Option<DateTime> {
        self.view.edited_at.map(Into::into)
    }

    /// When it was taken back by whoever wrote it. Null if it was not.
    async fn unsent_at(&self) -> Option<DateTime> {
        self.view.unsent_at.map(Into::into)
    }
}

impl Message {
    pub(crate) fn new(scope: &Scope, view: MessageView) -> Self {
        Self { scope: scope.clone(), view }
    }
}

impl Shown for Message {
    type Key = MessageKey;

    async fn load(scope: &Scope, key: MessageKey) -> Result<Option<Self>> {
        Ok(scope.look_up(key).await?.map(|view| Self::new(scope, view)))
    }
}

connection! {
    /// A page of a conversation's messages, oldest first.
    MessageConnection, MessageEdge, Message
}

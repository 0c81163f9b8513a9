//! From what was told to what is asked: the provider's ids become ours. Pure.

use parlance_domain::{
    Actor, ChannelId, Command, ConversationId, DedupeToken, SystemReason, Timestamp,
    channel::{BrokenBecause, ChannelCommand},
    conversation::{ConversationCommand, EditedContent, Incoming, MessageContent, ReactionContent, Source},
};

use super::{News, Told, ToldMessage};
use crate::keys::IdKey;

/// A command with who asks it.
pub(super) struct Asked {
    pub by: Actor,
    pub command: Command,
}

pub(super) fn asked(ids: &IdKey, channel: ChannelId, told: Told) -> Asked {
    let reported = Actor::System(SystemReason::ProviderReport);
    let place = Place { ids, channel, at: told.at };
    match told.what {
        News::Message { contact, message } => {
            let id = ids.conversation(channel, &contact);
            let receive = ConversationCommand::Receive(place.incoming(contact, message));
            conversation(Actor::Contact(id), id, receive)
        }
        News::Echo { contact, message } => {
            let id = ids.conversation(channel, &contact);
            let echo = ConversationCommand::Echo(place.incoming(contact, message));
            conversation(Actor::System(SystemReason::ProviderEcho), id, echo)
        }
        News::Reaction { contact, message, emoji } => {
            let id = ids.conversation(channel, &contact);
            // Taking a reaction back and giving it again are things of their own; only time tells them apart.
            let token = place.token("reaction", &[&contact, &message, emoji.as_deref().unwrap_or("")]);
            let react = ConversationCommand::React {
                channel,
                message: ids.message(channel, &message),
                provider_at: told.at,
                token,
                content: ReactionContent { emoji },
            };
            conversation(Actor::Contact(id), id, react)
        }
        News::Edit { contact, message, text, revision } => {
            let id = ids.conversation(channel, &contact);
            let revision = revision.map(|revision| revision.to_string());
            let token = match &revision {
                Some(revision) => ids.token(channel, "edit", &[message.as_bytes(), revision.as_bytes()]),
                None => place.token("edit", &[&message, &text]),
            };
            let edit = ConversationCommand::Edit {
                channel,
                message: ids.message(channel, &message),
                provider_at: told.at,
                token,
                content: EditedContent { text },
            };
            conversation(Actor::Contact(id), id, edit)
        }
        News::Unsent { contact, message } => {
            let id = ids.conversation(channel, &contact);
            let unsend = ConversationCommand::Unsend {
                channel,
                message: ids.message(channel, &message),
                provider_at: told.at,
                token: ids.token(channel, "unsent", &[message.as_bytes()]),
            };
            conversation(Actor::Contact(id), id, unsend)
        }
        News::Delivered { contact, messages, until } => {
            let id = ids.conversation(channel, &contact);
            let token = receipt(ids, channel, "delivered", &contact, &messages, until);
            let messages = messages.iter().map(|message| ids.message(channel, message)).collect();
            conversation(
                reported,
                id,
                ConversationCommand::ConfirmDelivery { channel, messages, until, token },
            )
        }
        News::Read { contact, messages, until } => {
            let id = ids.conversation(channel, &contact);
            let token = receipt(ids, channel, "read", &contact, &messages, until);
            let messages = messages.iter().map(|message| ids.message(channel, message)).collect();
            conversation(
                reported,
                id,
                ConversationCommand::ConfirmReading { channel, messages, until, token },
            )
        }
        News::Blocked(blocked) => {
            let command = if blocked {
                ChannelCommand::MarkBroken { because: BrokenBecause::PermissionRefused }
            } else {
                ChannelCommand::MarkRestored
            };
            Asked { by: reported, command: Command::Channel(channel, command) }
        }
    }
}

fn conversation(by: Actor, id: ConversationId, command: ConversationCommand) -> Asked {
    Asked { by, command: Command::Conversation(id, command) }
}

/// Receipts have no id of their own: they are what they say.
fn receipt(
    ids: &IdKey,
    channel: ChannelId,
    what: &str,
    contact: &str,
    messages: &[String],
    until: Option<Timestamp>,
) -> DedupeToken {
    let until = until.map(|until| until.micros().to_string()).unwrap_or_default();
    let mut fields = vec![contact.as_bytes(), until.as_bytes()];
    fields.extend(messages.iter().map(String::as_bytes));
    ids.token(channel, what, &fields)
}

struct Place<'a> {
    ids: &'a IdKey,
    channel: ChannelId,
    at: Option<Timestamp>,
}

impl Place<'_> {
    fn token(&self, what: &str, fields: &[&str]) -> DedupeToken {
        let at = self.at.map(|at| at.micros().to_string()).unwrap_or_default();
        let fields: Vec<&[u8]> = fields.iter().map(|field| field.as_bytes()).chain([at.as_bytes()]).collect();
        self.ids.token(self.channel, what, &fields)
    }

    fn incoming(&self, contact: String, message: ToldMessage) -> Incoming {
        Incoming {
            channel: self.channel,
            message: self.ids.message(self.channel, &message.id),
            kind: message.kind.into(),
            provider_at: self.at,
            source: Source::Webhook,
            content: MessageContent {
                text: message.text,
                attachments: message.attachments,
                postback: message.postback,
                provider_message_id: message.id,
                provider_contact_id: contact,
                reply_to: message.reply_to,
            },
            profile: message.profile,
        }
    }
}

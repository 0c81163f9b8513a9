//! Every kind of event that Meta documents for a page, one constructor each (PROTOCOLS 4.1). Times are Unix
//! milliseconds, contacts page-scoped ids.

use super::{Json, Messenger};

/// Under which name an entry lists its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The app owns the thread.
    Messaging,
    /// Another app owns the thread; this one may listen.
    Standby,
    /// Not about messages: the feed and the like.
    Changes,
}

impl Section {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Messaging => "messaging",
            Self::Standby => "standby",
            Self::Changes => "changes",
        }
    }
}

/// One event. `body` may be altered at will before it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub section: Section,
    /// Whose thread it is about; empty for what is about no contact.
    pub contact: String,
    /// Unix milliseconds, also where the body does not tell it.
    pub at_ms: u64,
    pub body: Json,
}

impl Event {
    /// The same event as an app hears it that does not own the thread.
    #[must_use]
    pub fn in_standby(mut self) -> Self {
        self.section = Section::Standby;
        self
    }
}

/// `image`, `audio`, `video`, `file`, `sticker`, `fallback` or any other word: Meta adds types without notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment<'a> {
    pub kind: &'a str,
    /// A fallback may have none.
    pub url: Option<&'a str>,
}

impl Attachment<'_> {
    fn json(self) -> Json {
        let attachment = Json::object([("type", self.kind.into())]);
        match self.url {
            Some(url) => attachment.with("payload", Json::object([("url", url.into())])),
            None => attachment,
        }
    }
}

/// What `messaging_policy_enforcement` tells a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    Warning,
    Block,
    Unblock,
}

impl Messenger {
    /// `messages`: the contact writes.
    pub fn message(&self, psid: &str, mid: &str, text: &str, at_ms: u64) -> Event {
        self.of_contact(psid, at_ms, "message", Json::object([("mid", mid.into()), ("text", text.into())]))
    }

    /// `messages` with `quick_reply`: the contact taps one of the offered answers, whose title is the text.
    pub fn quick_reply(&self, psid: &str, mid: &str, title: &str, payload: &str, at_ms: u64) -> Event {
        let message = Json::object([
            ("mid", mid.into()),
            ("text", title.into()),
            ("quick_reply", Json::object([("payload", payload.into())])),
        ]);
        self.of_contact(psid, at_ms, "message", message)
    }

    /// `messages` with `reply_to`: the contact answers one message in particular; `own` if it was the contact's.
    pub fn reply(&self, psid: &str, mid: &str, text: &str, to_mid: &str, own: bool, at_ms: u64) -> Event {
        let mut to = Json::object([("mid", to_mid.into())]);
        if own {
            to = to.with("is_self_reply", true);
        }
        let message = Json::object([("mid", mid.into()), ("text", text.into()), ("reply_to", to)]);
        self.of_contact(psid, at_ms, "message", message)
    }

    /// `messages` with attachments, and with a text if it is not empty.
    pub fn attachments(
        &self,
        psid: &str,
        mid: &str,
        text: &str,
        files: &[Attachment<'_>],
        at_ms: u64,
    ) -> Event {
        let mut message = Json::object([("mid", mid.into())]);
        if !text.is_empty() {
            message = message.with("text", text);
        }
        let files = Json::List(files.iter().map(|file| file.json()).collect());
        self.of_contact(psid, at_ms, "message", message.with("attachments", files))
    }

    /// `messages` with `is_deleted`: the contact takes a message back.
    pub fn unsend(&self, psid: &str, mid: &str, at_ms: u64) -> Event {
        let message = Json::object([("mid", mid.into()), ("is_deleted", true.into())]);
        self.of_contact(psid, at_ms, "message", message)
    }

    /// `message_edits`: `times` counts this contact's edits of the message, from 1, at most 5.
    pub fn edit(&self, psid: &str, mid: &str, text: &str, times: u64, at_ms: u64) -> Event {
        let edit = Json::object([("mid", mid.into()), ("text", text.into()), ("num_edit", times.into())]);
        self.of_contact(psid, at_ms, "message_edit", edit)
    }

    /// `message_reactions`: with an emoji the contact reacts, without one the reaction is taken back.
    pub fn reaction(&self, psid: &str, mid: &str, emoji: Option<&str>, at_ms: u64) -> Event {
        let reaction = match emoji {
            Some(emoji) => Json::object([
                ("reaction", reaction_name(emoji).into()),
                ("emoji", emoji.into()),
                ("action", "react".into()),
                ("mid", mid.into()),
            ]),
            None => Json::object([("action", "unreact".into()), ("mid", mid.into())]),
        };
        self.of_contact(psid, at_ms, "reaction", reaction)
    }

    /// `messaging_postbacks`: the contact taps a button.
    pub fn postback(&self, psid: &str, mid: &str, title: &str, payload: &str, at_ms: u64) -> Event {
        let postback =
            Json::object([("mid", mid.into()), ("title", title.into()), ("payload", payload.into())]);
        self.of_contact(psid, at_ms, "postback", postback)
    }

    /// `message_deliveries`: all that the page sent before `watermark_ms` has arrived. `mids` are told where Meta
    /// feels like it, so an empty list is left out; and as in Meta's example the event tells no time of its own.
    pub fn delivery(&self, psid: &str, mids: &[&str], watermark_ms: u64) -> Event {
        let mut delivery = Json::object([]);
        if !mids.is_empty() {
            delivery = delivery.with("mids", Json::List(mids.iter().map(|mid| (*mid).into()).collect()));
        }
        let event = self.of_contact(psid, watermark_ms, "delivery", delivery.with("watermark", watermark_ms));
        Event { body: event.body.without("timestamp"), ..event }
    }

    /// `message_reads`: all that the page sent up to `watermark_ms` was read.
    pub fn read(&self, psid: &str, watermark_ms: u64, at_ms: u64) -> Event {
        self.of_contact(psid, at_ms, "read", Json::object([("watermark", watermark_ms.into())]))
    }

    /// `message_echoes`: the page wrote, from Meta's own app or through the API. `metadata` is what the sending call
    /// gave along.
    pub fn echo(&self, psid: &str, mid: &str, text: &str, metadata: Option<&str>, at_ms: u64) -> Event {
        let mut message =
            Json::object([("mid", mid.into()), ("text", text.into()), ("is_echo", true.into())]);
        if let Some(metadata) = metadata {
            message = message.with("app_id", APP_ID).with("metadata", metadata);
        }
        let event = self.of_contact(psid, at_ms, "message", message);
        let body = event.body.with("sender", Json::id(&self.page_id)).with("recipient", Json::id(psid));
        Event { body, ..event }
    }

    /// `messaging_policy_enforcement`: about the page, from nobody. Unblocking has no reason.
    pub fn policy_enforcement(&self, action: Enforcement, at_ms: u64) -> Event {
        let enforcement = match action {
            Enforcement::Warning => Json::object([("action", "warning".into()), ("reason", REASON.into())]),
            Enforcement::Block => Json::object([("action", "block".into()), ("reason", REASON.into())]),
            Enforcement::Unblock => Json::object([("action", "unblock".into())]),
        };
        let event = self.of_contact("", at_ms, "policy_enforcement", enforcement);
        Event { body: event.body.without("sender"), ..event }
    }

    /// `messaging_referrals`: the contact came by a link of the page's.
    pub fn referral(&self, psid: &str, reference: &str, at_ms: u64) -> Event {
        let referral = Json::object([
            ("ref", reference.into()),
            ("source", "SHORTLINK".into()),
            ("type", "OPEN_THREAD".into()),
        ]);
        self.of_contact(psid, at_ms, "referral", referral)
    }

    /// `messaging_optins`: the contact agreed to be written to.
    pub fn optin(&self, psid: &str, payload: &str, at_ms: u64) -> Event {
        let optin = Json::object([("type", "notification_messages".into()), ("payload", payload.into())]);
        self.of_contact(psid, at_ms, "optin", optin)
    }

    /// An entry of `changes`: somebody commented in the page's feed. Not about messages at all.
    pub fn feed_comment(&self, author: &str, text: &str, at_ms: u64) -> Event {
        let value = Json::object([
            ("from", Json::id(author)),
            ("item", "comment".into()),
            ("verb", "add".into()),
            ("created_time", (at_ms / 1_000).into()),
            ("message", text.into()),
        ]);
        let body = Json::object([("field", "feed".into()), ("value", value)]);
        Event { section: Section::Changes, contact: String::new(), at_ms, body }
    }

    /// Any event of a contact: `sender`, `recipient`, `timestamp`, and `content` under `name`.
    pub fn of_contact(&self, psid: &str, at_ms: u64, name: &str, content: Json) -> Event {
        let body = Json::object([
            ("sender", Json::id(psid)),
            ("recipient", Json::id(&self.page_id)),
            ("timestamp", at_ms.into()),
            (name, content),
        ]);
        Event { section: Section::Messaging, contact: psid.to_owned(), at_ms, body }
    }
}

/// The app that echoes with metadata name: Meta's are numbers of 15 or 16 digits.
const APP_ID: u64 = 1_517_776_481_860_111;

/// Meta's wording is longer; its form is free.
const REASON: &str = "The page violated our Platform Policies (https://developers.facebook.com/policy/).";

/// Meta's word for an emoji of its bar of reactions; all others are `other`.
fn reaction_name(emoji: &str) -> &'static str {
    match emoji {
        "❤️" | "❤" | "😍" => "love",
        "😆" => "smile",
        "😮" => "wow",
        "😢" => "sad",
        "😠" => "angry",
        "👍" => "like",
        "👎" => "dislike",
        _ => "other",
    }
}

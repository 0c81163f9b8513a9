//! What a provider can tell, in Parlance's words: the port between the providers' parsers (pure) and the
//! shell. Ids are still the provider's own; the shell derives ours from them.

use std::{borrow::Cow, future::Future, pin::Pin};

use parlance_domain::{
    Timestamp,
    connection::{ChannelKind, ConnectionSecrets},
    conversation::{Attachment, ContactProfile, MessageKind},
    delivery::KeptBecause,
};

/// A request to a webhook address, as it came. Nothing of it is believed before [`Provider::verify`] says so.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// The address as it was handed out: the configured public address with the request's own path and query,
    /// never built from headers.
    pub url: &'a str,
    pub content_type: &'a str,
    /// Every value of the provider's signature header; more than one is as bad as none.
    pub signatures: &'a [&'a str],
    pub body: &'a [u8],
}

/// Why a request is not from the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    #[error("the request is not signed")]
    Unsigned,
    #[error("the signature is not the one of these bytes")]
    WrongSignature,
}

/// A piece of an authentic body that can stand for itself: one event, or all of a body that is no list.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// What it says, or why that cannot be known.
    pub told: Result<Told, KeptBecause>,
    /// A body of the same format that holds nothing but this piece: what is kept where it cannot be taken. It
    /// must not hold a neighbour's text, or that would outlive the deletion of the neighbour's conversation.
    pub alone: Alone<'a>,
}

/// Where a part stands in its body; [`Alone::body`] cuts it out when it is needed.
#[derive(Clone, Debug, PartialEq)]
pub enum Alone<'a> {
    /// The body is the part.
    Whole(&'a [u8]),
    /// The text before it, the part, the text after it.
    Between(Cow<'a, str>, &'a str, Cow<'a, str>),
}

impl Alone<'_> {
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::Whole(body) => body.to_vec(),
            Self::Between(before, part, after) => {
                [before.as_bytes(), part.as_bytes(), after.as_bytes()].concat()
            }
        }
    }
}

/// One thing that a provider told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The page or number on our side, exactly as it stands in the body.
    pub page: String,
    /// When, as far as the provider tells.
    pub at: Option<Timestamp>,
    pub what: News,
}

/// What happened. Contacts and messages are named by the provider's ids, exactly as signed.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A contact wrote or tapped a button.
    Message {
        contact: String,
        message: ToldMessage,
    },
    /// Somebody of the account wrote from the provider's own app, or another application did.
    Echo {
        contact: String,
        message: ToldMessage,
    },
    /// A contact reacted to a message; no emoji takes the reaction back.
    Reaction {
        contact: String,
        message: String,
        emoji: Option<String>,
    },
    /// `revision` tells apart the edits of one message, where the provider counts them.
    Edit {
        contact: String,
        message: String,
        text: String,
        revision: Option<u64>,
    },
    Unsent {
        contact: String,
        message: String,
    },
    /// These messages, and all sent up to `until`, were delivered.
    Delivered {
        contact: String,
        messages: Vec<String>,
        until: Option<Timestamp>,
    },
    /// These messages, and all sent up to `until`, were read.
    Read {
        contact: String,
        messages: Vec<String>,
        until: Option<Timestamp>,
    },
    /// The provider blocked the page, or took that back.
    Blocked(bool),
}

/// A message as told. `id` is unique in its page or number.
#[derive(Clone, Default, PartialEq)]
pub struct ToldMessage {
    pub id: String,
    pub kind: ToldKind,
    pub text: Option<String>,
    pub attachments: Vec<Attachment>,
    pub postback: Option<String>,
    pub reply_to: Option<String>,
    pub profile: Option<ContactProfile>,
}

impl std::fmt::Debug for ToldMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ToldMessage(…)")
    }
}

/// [`MessageKind`] with a default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToldKind {
    #[default]
    Message,
    Postback,
}

impl From<ToldKind> for MessageKind {
    fn from(kind: ToldKind) -> Self {
        match kind {
            ToldKind::Message => Self::Message,
            ToldKind::Postback => Self::Postback,
        }
    }
}

/// Why credentials do not open a page or number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The provider says no: these credentials are not valid, or are not this page's or number's.
    #[error("the provider refuses these credentials for this page or number")]
    Refused,
    /// Nobody knows: the provider could not be asked.
    #[error("the provider cannot be asked at the moment; try again")]
    Unavailable,
}

/// The credentials to be tried for a page or number.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub secrets: &'a ConnectionSecrets,
    /// The page's or number's own access, where it has one beside the connection's.
    pub access: Option<&'a str>,
    pub provider_id: &'a str,
}

/// What a provider calls a page or number whose credentials were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub name: Option<String>,
    /// The page or number is everybody's (Twilio's sandbox): the credentials tell who asks, and no more.
    pub shared: bool,
}

pub type Checking<'a> = Pin<Box<dyn Future<Output = Result<Checked, CheckError>> + Send + 'a>>;

/// One provider's protocol. Verifying and parsing are pure; checking asks the provider, bounded in time.
pub trait Provider: Send + Sync + 'static {
    fn kind(&self) -> ChannelKind;

    /// The name of the header with the signature.
    fn signature_header(&self) -> &'static str;

    /// What is added to the webhook address that is handed out, from `#` on: how the provider shall behave.
    fn address_fragment(&self) -> &'static str {
        ""
    }

    /// The page's or number's id as it will stand in webhooks, from what a person typed; `None`: cannot be one.
    fn provider_id(&self, typed: &str) -> Option<String>;

    /// Whether one of the secrets (the current one or the one before) signed the request. In constant time.
    fn verify(&self, secrets: &ConnectionSecrets, request: &SignedRequest<'_>) -> Result<(), NotAuthentic>;

    /// The parts of an authentic body. A body that is not of the documented format is one part that cannot be known.
    fn parse<'a>(&self, content_type: &str, body: &'a [u8]) -> Vec<Part<'a>>;

    /// The body of the answer to a delivery that was taken, with its content type.
    fn acknowledgement(&self) -> (&'static str, &'static str);

    /// Whether the credentials open this page or number.
    fn check<'a>(&'a self, credentials: Credentials<'a>) -> Checking<'a>;
}

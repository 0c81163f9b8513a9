//! Meta's Messenger: JSON webhooks signed over their raw bytes, and the Graph API. Source of the protocol:
//! developers.facebook.com, Messenger Platform, webhook events.

mod check;
mod event;
mod json;
mod message;
mod parse;
mod verify;

use parlance_app::ingestion::{Checking, Credentials, NotAuthentic, Part, Provider, SignedRequest};
use parlance_domain::connection::{ChannelKind, ConnectionSecrets};
use reqwest::Url;

use crate::Outbound;

/// Where the Graph API is.
pub const GRAPH_URL: &str = "https://graph.facebook.com";

/// A page's id has up to 16 digits today; a 64-bit number never has more than 20.
const PAGE_DIGITS_MAX: usize = 20;

/// Facebook pages' messages.
pub struct Messenger {
    outbound: Outbound,
    graph_url: Url,
}

impl Messenger {
    /// `graph_url` is [`GRAPH_URL`], or a simulator's address.
    pub fn new(outbound: Outbound, graph_url: Url) -> Self {
        Self { outbound, graph_url }
    }
}

impl Provider for Messenger {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Messenger
    }

    fn signature_header(&self) -> &'static str {
        "x-hub-signature-256"
    }

    fn provider_id(&self, typed: &str) -> Option<String> {
        let id = typed.trim();
        let digits =
            (1..=PAGE_DIGITS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| id.to_owned())
    }

    fn verify(&self, secrets: &ConnectionSecrets, request: &SignedRequest<'_>) -> Result<(), NotAuthentic> {
        verify::verify(secrets, request)
    }

    /// The content type does not matter: Meta signs the bytes and sends nothing but JSON.
    fn parse<'a>(&self, _content_type: &str, body: &'a [u8]) -> Vec<Part<'a>> {
        parse::parse(body)
    }

    fn acknowledgement(&self) -> (&'static str, &'static str) {
        ("text/plain; charset=utf-8", "EVENT_RECEIVED")
    }

    fn check<'a>(&'a self, credentials: Credentials<'a>) -> Checking<'a> {
        Box::pin(check::check(&self.outbound, &self.graph_url, credentials))
    }
}

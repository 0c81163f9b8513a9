//! WhatsApp by Twilio: form webhooks signed over the address and all fields, and Twilio's REST API. Source of the
//! protocol: twilio.com/docs, usage/webhooks/webhooks-security and messaging/guides/webhook-request.

mod check;
mod form;
mod parse;
mod status;
mod verify;

use parlance_app::ingestion::{Checking, Credentials, NotAuthentic, Part, Provider, SignedRequest};
use parlance_domain::connection::{ChannelKind, ConnectionSecrets};
use reqwest::Url;

use crate::Outbound;

/// Where accounts and messages are.
pub const API_URL: &str = "https://api.twilio.com";

/// Where the senders of an account are listed.
pub const MESSAGING_URL: &str = "https://messaging.twilio.com";

/// What WhatsApp's addresses start with; other channels of Twilio's have other words here, or none.
const WHATSAPP: &str = "whatsapp:";

/// WhatsApp numbers that Twilio answers for.
pub struct Twilio {
    outbound: Outbound,
    api_url: Url,
    messaging_url: Url,
}

impl Twilio {
    /// The addresses are [`API_URL`] and [`MESSAGING_URL`], or a simulator's.
    pub fn new(outbound: Outbound, api_url: Url, messaging_url: Url) -> Self {
        Self { outbound, api_url, messaging_url }
    }
}

impl Provider for Twilio {
    fn kind(&self) -> ChannelKind {
        ChannelKind::WhatsappTwilio
    }

    fn signature_header(&self) -> &'static str {
        "x-twilio-signature"
    }

    /// By default Twilio delivers once more only when it could not connect, so an answer of 500 or a slow one would
    /// lose the message: five more tries, whatever the failure (docs/usage/webhooks/webhooks-connection-overrides).
    fn address_fragment(&self) -> &'static str {
        "#rc=5&rp=all"
    }

    fn provider_id(&self, typed: &str) -> Option<String> {
        let typed = typed.trim();
        let number = typed.strip_prefix(WHATSAPP).unwrap_or(typed);
        let bare = |character: &char| !character.is_whitespace() && !"-().".contains(*character);
        let number: String = number.chars().filter(bare).collect();
        is_e164(&number).then(|| format!("{WHATSAPP}{number}"))
    }

    fn verify(&self, secrets: &ConnectionSecrets, request: &SignedRequest<'_>) -> Result<(), NotAuthentic> {
        verify::verify(secrets, request)
    }

    fn parse<'a>(&self, content_type: &str, body: &'a [u8]) -> Vec<Part<'a>> {
        parse::parse(content_type, body)
    }

    /// TwiML that does nothing: any text in it would be sent to the contact.
    fn acknowledgement(&self) -> (&'static str, &'static str) {
        ("text/xml; charset=utf-8", r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#)
    }

    fn check<'a>(&'a self, credentials: Credentials<'a>) -> Checking<'a> {
        Box::pin(check::check(&self.outbound, &self.api_url, &self.messaging_url, credentials))
    }
}

/// A plus sign and 7 to 15 digits, of which the first is a country code's and so not 0 (ITU-T E.164).
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

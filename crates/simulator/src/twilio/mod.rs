//! WhatsApp as Twilio delivers it: one form a request, signed together with the address it goes to. Sending it is the
//! sender's.

mod event;
#[cfg(test)]
mod tests;

pub(crate) use event::sender_sid;
pub use event::{Contact, Event};

use crate::{
    request::{Provider, Request},
    signature,
};

/// What Twilio calls webhooks with.
const USER_AGENT: &str = "TwilioProxy/1.1";

/// One WhatsApp number under one Twilio account: it makes events and signs requests. It holds no state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twilio {
    pub account_sid: String,
    /// What the account signs with.
    pub auth_token: String,
    /// `whatsapp:+` and the number in E.164.
    pub number: String,
    /// The `MessagingServiceSid` that every form tells if the number is in such a pool.
    pub pool_sid: Option<String>,
}

impl Twilio {
    pub fn new(
        account_sid: impl Into<String>,
        auth_token: impl Into<String>,
        number: impl Into<String>,
    ) -> Self {
        Self {
            account_sid: account_sid.into(),
            auth_token: auth_token.into(),
            number: number.into(),
            pool_sid: None,
        }
    }

    /// The signed request of this event to that address, as it is configured at Twilio: the query is signed, the
    /// fragment is not. The idempotency token follows from the event, so that a retry repeats it.
    pub fn deliver(&self, url: &str, event: &Event) -> Request {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&event.fields).finish();
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("User-Agent", USER_AGENT),
            ("Accept", "*/*"),
            ("I-Twilio-Idempotency-Token", &idempotency_token(&body)),
            ("X-Twilio-Signature", &signature::twilio(&self.auth_token, url, &event.fields)),
        ];
        Request::new(Provider::Twilio, &headers, body.clone().into_bytes())
    }
}

/// Twilio's tokens look like UUIDs.
fn idempotency_token(body: &str) -> String {
    let hash = signature::sha256_hex(body);
    format!("{}-{}-{}-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32])
}

//! Every kind of form that Twilio documents for a WhatsApp number, one constructor each (PROTOCOLS 4.2). A form tells no
//! time.

use super::Twilio;
use crate::signature::sha256_hex;

/// The version that Twilio names in every form.
const API_VERSION: &str = "2010-04-01";

/// Letters of one segment; Twilio counts WhatsApp texts like short messages.
const SEGMENT_LETTERS: usize = 160;

/// The customer, as a form names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact<'a> {
    /// `whatsapp:+` and the number in E.164.
    pub from: &'a str,
    /// The name that the customer shows in WhatsApp.
    pub name: &'a str,
}

impl Contact<'_> {
    fn wa_id(self) -> String {
        self.from.trim_start_matches("whatsapp:").trim_start_matches('+').to_owned()
    }
}

/// One form: decoded fields in the order of sending. They may be altered at will before it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub fields: Vec<(String, String)>,
}

impl Event {
    /// The first field of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same form with this field in place of every one of its name: Twilio adds fields without notice.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        let mut event = self.without(name);
        event.fields.push((name.to_owned(), value.to_owned()));
        event
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }
}

impl Twilio {
    /// The contact writes. `sid` is `SM` and 32 hex digits.
    pub fn message(&self, sid: &str, contact: Contact<'_>, body: &str) -> Event {
        self.inbound(sid, contact, body, "text")
    }

    /// The contact answers one message in particular.
    pub fn reply(&self, sid: &str, contact: Contact<'_>, body: &str, to_sid: &str) -> Event {
        self.message(sid, contact, body)
            .with("OriginalRepliedMessageSender", &self.number)
            .with("OriginalRepliedMessageSid", to_sid)
    }

    /// The contact passes on somebody's message.
    pub fn forwarded(&self, sid: &str, contact: Contact<'_>, body: &str, frequently: bool) -> Event {
        self.message(sid, contact, body)
            .with(if frequently { "FrequentlyForwarded" } else { "Forwarded" }, "true")
    }

    /// The contact sends files of these content types; `sid` is `MM` and 32 hex digits, the caption may be empty.
    pub fn media(&self, sid: &str, contact: Contact<'_>, caption: &str, content_types: &[&str]) -> Event {
        let first = content_types.first().copied().unwrap_or("application/octet-stream");
        let kind = match first.split_once('/') {
            Some((kind @ ("image" | "audio" | "video"), _)) => kind,
            _ => "document",
        };
        let mut event = self.inbound(sid, contact, caption, kind);
        event = event.with("NumMedia", &content_types.len().to_string());
        for (at, content_type) in content_types.iter().enumerate() {
            let media = format!("ME{}", &sha256_hex(&format!("{sid}/{at}"))[..32]);
            let url = format!(
                "https://api.twilio.com/{API_VERSION}/Accounts/{}/Messages/{sid}/Media/{media}",
                self.account_sid
            );
            event = event.with(&format!("MediaContentType{at}"), content_type);
            event = event.with(&format!("MediaUrl{at}"), &url);
        }
        event
    }

    /// The contact taps a button of a template.
    pub fn button(&self, sid: &str, contact: Contact<'_>, text: &str, payload: &str) -> Event {
        self.inbound(sid, contact, text, "button").with("ButtonText", text).with("ButtonPayload", payload)
    }

    /// The contact shares a place, in degrees; label and address may be empty.
    pub fn location(
        &self,
        sid: &str,
        contact: Contact<'_>,
        (latitude, longitude): (f64, f64),
        label: &str,
        address: &str,
    ) -> Event {
        let mut event = self
            .inbound(sid, contact, "", "location")
            .with("Latitude", &latitude.to_string())
            .with("Longitude", &longitude.to_string());
        for (name, value) in [("Label", label), ("Address", address)] {
            if !value.is_empty() {
                event = event.with(name, value);
            }
        }
        event
    }

    /// The contact writes from an advertisement.
    pub fn from_advertisement(&self, sid: &str, contact: Contact<'_>, body: &str, headline: &str) -> Event {
        self.message(sid, contact, body)
            .with("ReferralBody", headline)
            .with("ReferralHeadline", headline)
            .with("ReferralSourceType", "ad")
            .with("ReferralSourceId", "120200000000000001")
            .with("ReferralSourceUrl", "https://fb.me/example")
            .with("ReferralNumMedia", "0")
    }

    /// A status callback of a message that was sent to `to`: `status` is Twilio's word (`sent`, `delivered`, `read`,
    /// `failed`, `undelivered`, …), `error` its number for a failure.
    pub fn status(&self, sid: &str, to: &str, status: &str, error: Option<u32>) -> Event {
        let mut event = fields(&[
            ("ChannelPrefix", "whatsapp"),
            ("ApiVersion", API_VERSION),
            ("MessageStatus", status),
            ("SmsSid", sid),
            ("SmsStatus", status),
            ("ChannelInstallSid", &sender_sid(&self.number)),
            ("To", to),
            ("From", &self.number),
            ("MessageSid", sid),
            ("StructuredMessage", "false"),
            ("AccountSid", &self.account_sid),
            ("ChannelToAddress", to.trim_start_matches("whatsapp:")),
        ]);
        if let "delivered" | "read" = status {
            event = event.with("EventType", &status.to_uppercase());
        }
        if let Some(error) = error {
            // Twilio sends the message's name, but often with nothing in it.
            event = event.with("ErrorCode", &error.to_string()).with("ErrorMessage", "");
        }
        if let Some(pool) = &self.pool_sid {
            event = event.with("MessagingServiceSid", pool);
        }
        event
    }

    fn inbound(&self, sid: &str, contact: Contact<'_>, body: &str, kind: &str) -> Event {
        let wa_id = contact.wa_id();
        let segments = body.chars().count().div_ceil(SEGMENT_LETTERS).max(1);
        let metadata = serde_json::json!({
            "type": "whatsapp",
            "data": { "context": { "ProfileName": contact.name, "WaId": wa_id } },
        });
        let event = fields(&[
            ("SmsMessageSid", sid),
            ("NumMedia", "0"),
            ("ProfileName", contact.name),
            ("MessageType", kind),
            ("SmsSid", sid),
            ("WaId", &wa_id),
            ("SmsStatus", "received"),
            ("Body", body),
            ("To", &self.number),
            ("NumSegments", &segments.to_string()),
            ("ReferralNumMedia", "0"),
            ("MessageSid", sid),
            ("AccountSid", &self.account_sid),
            ("ChannelMetadata", &metadata.to_string()),
            ("From", contact.from),
            ("ApiVersion", API_VERSION),
        ]);
        match &self.pool_sid {
            Some(pool) => event.with("MessagingServiceSid", pool),
            None => event,
        }
    }
}

/// The id that Twilio knows a WhatsApp number by: `XE` and 32 hex digits.
pub(crate) fn sender_sid(number: &str) -> String {
    format!("XE{}", &sha256_hex(number)[..32])
}

fn fields(pairs: &[(&str, &str)]) -> Event {
    Event { fields: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

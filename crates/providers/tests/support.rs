//! What the tests share: the two providers with nobody at the other end, and secrets.

use std::sync::LazyLock;

use parlance_app::ingestion::{News, Part, Provider as _, Told, ToldMessage};
use parlance_domain::{connection::ConnectionSecrets, delivery::KeptBecause};
use parlance_providers::{Messenger, Outbound, Twilio, Url};

/// Nothing listens on the discard port; verifying and parsing ask nobody.
pub fn nowhere() -> Url {
    "http://127.0.0.1:9".parse().expect("an address")
}

/// One for all: making one reads the system's certificates.
pub fn outbound() -> Outbound {
    static OUTBOUND: LazyLock<Outbound> = LazyLock::new(Outbound::local);
    OUTBOUND.clone()
}

pub fn messenger() -> Messenger {
    Messenger::new(outbound(), nowhere())
}

pub fn twilio() -> Twilio {
    Twilio::new(outbound(), nowhere(), nowhere())
}

pub fn secrets(signing: &str) -> ConnectionSecrets {
    ConnectionSecrets {
        webhook_token: "token".into(),
        signing: signing.into(),
        signing_previous: None,
        verify_token: None,
        access: None,
    }
}

pub fn rotated(signing: &str, previous: &str) -> ConnectionSecrets {
    ConnectionSecrets { signing_previous: Some(previous.into()), ..secrets(signing) }
}

/// What a body of one part says.
pub fn only(parts: Vec<Part<'_>>) -> Result<Told, KeptBecause> {
    let [part] = <[Part<'_>; 1]>::try_from(parts).expect("one part");
    part.told
}

/// A body of one event of page 682498302938465, as Meta would deliver it.
pub fn delivered(event: &str) -> String {
    format!(
        r#"{{"object":"page","entry":[{{"id":"682498302938465","time":1518479195594,"messaging":[{event}]}}]}}"#
    )
}

/// What Messenger understands by one event.
pub fn told(event: &str) -> Result<Told, KeptBecause> {
    only(messenger().parse("application/json", delivered(event).as_bytes()))
}

/// What happened in one event between the contact `PSID1` and the page, of which only `kind` is given.
pub fn news(kind: &str) -> Result<News, KeptBecause> {
    told(&format!(
        r#"{{"sender":{{"id":"PSID1"}},"recipient":{{"id":"682498302938465"}},"timestamp":1518479195308,{kind}}}"#
    ))
    .map(|told| told.what)
}

/// The message of a contact's that a `message` or `postback` is.
pub fn message(kind: &str) -> ToldMessage {
    match news(kind) {
        Ok(News::Message { contact, message }) if contact == "PSID1" => message,
        _ => panic!("{kind} is a message of PSID1's"),
    }
}

//! The messages of `graphql-transport-ws`, and why a socket is closed. The protocol is in the document `PROTOCOL.md`
//! of the npm package `graphql-ws`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::{
    Message, Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// A client's name for an operation: many times a UUID's length. It stands in every message of the operation.
pub(super) const ID_BYTES_MAX: usize = 256;
/// What fits into a control frame beside the code (RFC 6455, section 5.5).
const REASON_BYTES_MAX: usize = 123;

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Not a message of the protocol; too large, binary, or none of the types.
    Bad(&'static str),
    /// An operation before the connection was acknowledged.
    Unauthorized,
    /// No credential, none that counts, or one that counts no more.
    Forbidden,
    /// The client does not speak `graphql-transport-ws`.
    SubprotocolNotAcceptable,
    /// No `connection_init` in time.
    InitTimeout,
    /// An operation of this id is under way.
    AlreadySubscribed(String),
    /// A second `connection_init`.
    TooManyInits,
    /// The server ends. Another one may be there in a moment.
    GoingAway,
    /// Not now: too many sockets, or the installation has a fault.
    TryAgainLater(&'static str),
}

impl Closing {
    pub const fn code(&self) -> u16 {
        match self {
            Self::Bad(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::SubprotocolNotAcceptable => 4406,
            Self::InitTimeout => 4408,
            Self::AlreadySubscribed(_) => 4409,
            Self::TooManyInits => 4429,
            // RFC 6455, section 7.4.1, and the registry of its close codes.
            Self::GoingAway => 1001,
            Self::TryAgainLater(_) => 1013,
        }
    }

    fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Bad(why) | Self::TryAgainLater(why) => (*why).into(),
            Self::Unauthorized => "Unauthorized".into(),
            Self::Forbidden => "Forbidden".into(),
            Self::SubprotocolNotAcceptable => "Subprotocol not acceptable".into(),
            Self::InitTimeout => "Connection initialisation timeout".into(),
            Self::AlreadySubscribed(id) => format!("Subscriber for {id} already exists").into(),
            Self::TooManyInits => "Too many initialisation requests".into(),
            Self::GoingAway => "The server ends".into(),
        }
    }

    pub fn frame(&self) -> CloseFrame {
        let mut reason = self.reason().into_owned();
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        CloseFrame { code: CloseCode::from(self.code()), reason: reason.into() }
    }
}

/// What a client says.
#[derive(Debug)]
pub(super) enum Said {
    Init(Option<serde_json::Map<String, serde_json::Value>>),
    Ping(Option<Box<RawValue>>),
    Pong,
    /// The payload is an object, and not looked at.
    Subscribe {
        id: String,
        payload: Box<RawValue>,
    },
    Complete {
        id: String,
    },
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    id: Option<String>,
    payload: Option<Box<RawValue>>,
}

impl Said {
    pub fn read(text: &str) -> Result<Self, Closing> {
        let raw: Raw<'_> = serde_json::from_str(text)
            .map_err(|_| Closing::Bad("Message is not a JSON object with a type"))?;
        let payload = raw.payload.filter(|payload| payload.get() != "null");
        let is_object = payload.as_ref().is_none_or(|payload| payload.get().starts_with('{'));
        if !is_object {
            return Err(Closing::Bad("Payload is not an object"));
        }
        match &*raw.kind {
            "connection_init" => Ok(Self::Init(payload.map(|payload| object(&payload)).transpose()?)),
            "ping" => Ok(Self::Ping(payload)),
            "pong" => Ok(Self::Pong),
            "subscribe" => {
                let payload = payload.ok_or(Closing::Bad("Subscribe has no payload"))?;
                Ok(Self::Subscribe { id: id(raw.id)?, payload })
            }
            "complete" => Ok(Self::Complete { id: id(raw.id)? }),
            _ => Err(Closing::Bad("Message has a type that clients do not send")),
        }
    }
}

fn object(payload: &RawValue) -> Result<serde_json::Map<String, serde_json::Value>, Closing> {
    serde_json::from_str(payload.get()).map_err(|_| Closing::Bad("Payload is not an object"))
}

fn id(id: Option<String>) -> Result<String, Closing> {
    match id {
        None => Err(Closing::Bad("Message has no id")),
        Some(id) if id.is_empty() => Err(Closing::Bad("Message has an empty id")),
        Some(id) if id.len() > ID_BYTES_MAX => Err(Closing::Bad("Message has an id of more than 256 bytes")),
        Some(id) => Ok(id),
    }
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Says<'a> {
    ConnectionAck,
    Ping,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a RawValue>,
    },
    Next {
        id: &'a str,
        payload: &'a RawValue,
    },
    Error {
        id: &'a str,
        payload: &'a RawValue,
    },
    Complete {
        id: &'a str,
    },
}

impl Says<'_> {
    pub fn message(&self) -> Message {
        let text = serde_json::to_string(self).expect("names and JSON are JSON");
        Message::Text(Utf8Bytes::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_of_the_protocol_is_bad() {
        for (text, reason) in [
            ("", "Message is not a JSON object with a type"),
            ("[]", "Message is not a JSON object with a type"),
            ("{}", "Message is not a JSON object with a type"),
            (r#"{"type":7}"#, "Message is not a JSON object with a type"),
            (r#"{"type":"ping","type":"ping"}"#, "Message is not a JSON object with a type"),
            (r#"{"type":"next","id":"1","payload":{}}"#, "Message has a type that clients do not send"),
            (r#"{"type":"connection_ack"}"#, "Message has a type that clients do not send"),
            (r#"{"type":"start","id":"1"}"#, "Message has a type that clients do not send"),
            (r#"{"type":"ping","payload":1}"#, "Payload is not an object"),
            (r#"{"type":"connection_init","payload":"t"}"#, "Payload is not an object"),
            (r#"{"type":"subscribe","id":"1"}"#, "Subscribe has no payload"),
            (r#"{"type":"subscribe","payload":{}}"#, "Message has no id"),
            (r#"{"type":"subscribe","id":"","payload":{}}"#, "Message has an empty id"),
            (r#"{"type":"complete"}"#, "Message has no id"),
        ] {
            assert_eq!(Said::read(text).unwrap_err(), Closing::Bad(reason), "{text}");
        }
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(ID_BYTES_MAX + 1));
        assert_eq!(Said::read(&long).unwrap_err().code(), 4400);
    }

    #[test]
    fn messages_of_the_protocol_are_understood_however_they_are_written() {
        assert!(matches!(Said::read(r#"{"type":"connection_init"}"#), Ok(Said::Init(None))));
        assert!(matches!(
            Said::read(r#" {"payload":null , "type":"connection_init"}"#),
            Ok(Said::Init(None))
        ));
        assert!(matches!(Said::read(r#"{"t":1,"type":"p\u006fng"}"#), Ok(Said::Pong)));
        let read = Said::read(r#"{"id":"\u0061","type":"subscribe","payload": {"query":"{a}"}}"#);
        let Ok(Said::Subscribe { id, payload }) = read else { panic!("{read:?}") };
        assert_eq!((id.as_str(), payload.get()), ("a", r#"{"query":"{a}"}"#));
    }

    #[test]
    fn a_reason_fits_into_a_close_frame_and_stays_text() {
        let frame = Closing::AlreadySubscribed("ő".repeat(ID_BYTES_MAX / 2)).frame();
        assert!(frame.reason.len() <= REASON_BYTES_MAX && frame.reason.starts_with("Subscriber for ő"));
        assert_eq!(
            Closing::AlreadySubscribed("1".to_owned()).frame().reason,
            "Subscriber for 1 already exists"
        );
    }
}

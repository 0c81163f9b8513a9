//! Ids as newtypes. Inside they are 16 bytes (32 hex digits in stored JSON); outside they carry a prefix
//! (`conv_…`), so that an id pasted in the wrong place is refused by name.
//!
//! Channel, conversation, incoming message, member and reading ids are *derived* (UUIDv8 from a keyed hash,
//! made by the shell): the same page, contact or message always has the same id, and two first messages at
//! once cannot make two conversations. All others are UUIDv7, passed in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A text that is no id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind: expected `{prefix}_` and 32 hex digits")]
pub struct IdError {
    pub prefix: &'static str,
}

struct HexVisitor;

impl de::Visitor<'_> for HexVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 hex digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        if text.len() != 32 {
            return Err(E::invalid_length(text.len(), &self));
        }
        Uuid::try_parse(text).map_err(E::custom)
    }
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore outside the service.
            pub const PREFIX: &'static str = $prefix;

            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            pub const fn bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { prefix: $prefix };
                let hex = text.strip_prefix(concat!($prefix, "_")).ok_or(error)?;
                if hex.len() != 32 {
                    return Err(error);
                }
                Uuid::try_parse(hex).map(Self).map_err(|_| error)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(HexVisitor).map(Self)
            }
        }
    )*};
}

ids! {
    /// A company; the unit of tenancy.
    AccountId = "acct";
    /// One provider application with its secrets.
    ConnectionId = "conn";
    /// Derived from (kind, provider's id of the page or number).
    ChannelId = "chan";
    /// Derived from (channel, provider's id of the contact). It also names the contact: a conversation always
    /// has two parties, so contact and conversation are one to one.
    ConversationId = "conv";
    /// Derived from (channel, provider's message id) for what the provider tells; passed in for what we send.
    MessageId = "msg";
    /// Derived from the folded e-mail address.
    MemberId = "memb";
    /// Derived from (member, conversation).
    ReadingId = "read";
    /// A webhook delivery that was kept because it could not be understood.
    DeliveryId = "dlv";
    /// A data key; derived from (stream, number of the key in that stream).
    KeyId = "key";
    /// One asked command: stored as the causation of its events, so that "was it mine?" has an answer.
    CommandId = "cmd";
    /// The request or delivery that a command came from.
    CorrelationId = "corr";
    /// Whoever runs the installation.
    OperatorId = "oper";
    /// What a session or an API token is named by; knowing it lets nobody in.
    TokenId = "tok";
}

impl OperatorId {
    /// The operator at the machine's own command line, who needs no token.
    pub const COMMAND_LINE: Self = Self(Uuid::nil());
}

/// A number in an account's log: 1 for its first event, gapless, in commit order. 0 is "before everything".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    pub const START: Self = Self(0);

    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn number(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// 16 bytes of a keyed hash that stand for one thing a provider told. The log holds each at most once an
/// account, for ever: a redelivery is recognised even after the deletion of what it first delivered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupeToken([u8; 16]);

impl DedupeToken {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for DedupeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token_{}", Uuid::from_bytes(self.0).simple())
    }
}

/// The id of an incoming message is itself the keyed hash over (channel, provider's message id).
impl From<MessageId> for DedupeToken {
    fn from(message: MessageId) -> Self {
        Self(message.bytes())
    }
}

impl Serialize for DedupeToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Uuid::from_bytes(self.0).simple().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl<'de> Deserialize<'de> for DedupeToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexVisitor).map(|id| Self(id.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_only_with_its_own_prefix() {
        let id = ConversationId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "conv_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse(), Ok(id));
        let refused = Err(IdError { prefix: "memb" });
        assert_eq!(id.to_string().parse::<MemberId>(), refused);
        assert_eq!("memb_7".parse::<MemberId>(), refused);
        assert_eq!("memb_{0000000000000000000000000000000}".parse::<MemberId>(), refused);
    }

    #[test]
    fn a_stored_id_is_32_hex_digits() {
        let id = MemberId::new(Uuid::from_u128(0xAB));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"000000000000000000000000000000ab\"");
        assert_eq!(serde_json::from_str::<MemberId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<MemberId>("\"00000000-0000-0000-0000-0000000000ab\"").is_err());
    }
}

//! What every stored event has in common: its stream, its name for ever, its schema version, the clear part
//! of its row (`payload`) and at most one personal part, which is sealed beside it.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DedupeToken, PersonalPart, SystemReason};

/// The kinds of streams. The names are stored, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamType {
    Account,
    Connection,
    Channel,
    Member,
    Reading,
    Conversation,
    Delivery,
}

impl StreamType {
    pub const ALL: [Self; 7] = [
        Self::Account,
        Self::Connection,
        Self::Channel,
        Self::Member,
        Self::Reading,
        Self::Conversation,
        Self::Delivery,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Connection => "connection",
            Self::Channel => "channel",
            Self::Member => "member",
            Self::Reading => "reading",
            Self::Conversation => "conversation",
            Self::Delivery => "delivery",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One aggregate's stream within an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamRef {
    pub kind: StreamType,
    pub id: Uuid,
}

impl StreamRef {
    pub const fn new(kind: StreamType, id: Uuid) -> Self {
        Self { kind, id }
    }
}

impl fmt::Display for StreamRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.id.simple())
    }
}

/// A stored event that this build cannot read. It is never skipped in silence: projections park its stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the stream `{stream}` has no event `{event_type}` in this version of Parlance")]
    UnknownType { stream: &'static str, event_type: String },
    #[error("`{event_type}` has schema version {stored}, newer than {known}, the newest known here")]
    TooNew { event_type: String, stored: u16, known: u16 },
    #[error("the payload of `{event_type}` does not have its shape: {reason}")]
    Payload { event_type: String, reason: String },
}

/// What the shell asks of one kind of event, besides its fields.
pub trait Facts {
    fn personal(&self) -> Option<&dyn PersonalPart> {
        None
    }

    fn personal_mut(&mut self) -> Option<&mut dyn PersonalPart> {
        None
    }

    /// What the provider told with this event, told at most once.
    fn dedupe(&self) -> Option<DedupeToken> {
        None
    }

    /// Which of the stream's data keys seals the personal part: 1, or a conversation's incarnation.
    fn key_number(&self) -> u32 {
        1
    }

    /// The stream's key that dies with this event.
    fn destroys_key(&self) -> Option<u32> {
        None
    }

    /// The system's reason, where the system did this by itself in the course of somebody's command.
    fn system_reason(&self) -> Option<SystemReason> {
        None
    }
}

/// An aggregate's events as rows of the log. Implemented by [`events!`](crate::event::events) alone.
pub trait StoredEvent: Clone + fmt::Debug + PartialEq + Sized + Send + Sync {
    const STREAM: StreamType;
    /// Every name and its newest schema version.
    const CATALOGUE: &'static [(&'static str, u16)];

    fn event_type(&self) -> &'static str;
    fn schema_version(&self) -> u16;
    /// Clear JSON of the variant's fields, without the personal part.
    fn payload(&self) -> Vec<u8>;
    /// Reads a payload of the newest schema version; the personal part is `Erased` until it is set.
    fn from_payload(event_type: &str, payload: &[u8]) -> Result<Self, DecodeError>;
    fn facts(&self) -> &dyn Facts;
    fn facts_mut(&mut self) -> &mut dyn Facts;
}

/// Declares an aggregate's event enum: one variant a struct of the same name, with its schema version.
macro_rules! events {
    ($(#[$meta:meta])* $name:ident of $stream:expr => { $($variant:ident = $version:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($variant($variant)),* }

        impl $crate::StoredEvent for $name {
            const STREAM: $crate::StreamType = $stream;
            const CATALOGUE: &'static [(&'static str, u16)] = &[$((stringify!($variant), $version)),*];

            fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant)),* }
            }

            fn schema_version(&self) -> u16 {
                match self { $(Self::$variant(_) => $version),* }
            }

            fn payload(&self) -> Vec<u8> {
                match self { $(Self::$variant(fields) => serde_json::to_vec(fields)),* }
                    .expect("event fields are ids, numbers and codes: always JSON")
            }

            fn from_payload(event_type: &str, payload: &[u8]) -> Result<Self, $crate::DecodeError> {
                match event_type {
                    $(stringify!($variant) => serde_json::from_slice(payload).map(Self::$variant),)*
                    _ => return Err($crate::DecodeError::UnknownType {
                        stream: $stream.as_str(),
                        event_type: event_type.to_owned(),
                    }),
                }
                .map_err(|error| $crate::DecodeError::Payload {
                    event_type: event_type.to_owned(),
                    reason: error.to_string(),
                })
            }

            fn facts(&self) -> &dyn $crate::Facts {
                match self { $(Self::$variant(fields) => fields),* }
            }

            fn facts_mut(&mut self) -> &mut dyn $crate::Facts {
                match self { $(Self::$variant(fields) => fields),* }
            }
        }

        $(impl From<$variant> for $name {
            fn from(fields: $variant) -> Self {
                Self::$variant(fields)
            }
        })*
    };
}

/// Events without a personal part.
macro_rules! clear {
    ($($name:ident),* $(,)?) => { $(impl $crate::Facts for $name {})* };
}

/// Events whose one personal part is the named field.
macro_rules! sealed {
    ($($name:ident . $field:ident),* $(,)?) => { $(impl $crate::Facts for $name {
        $crate::event::personal_field!($field);
    })* };
}

/// The two accessors of a personal field, for events that say more about themselves.
macro_rules! personal_field {
    ($field:ident) => {
        fn personal(&self) -> Option<&dyn $crate::PersonalPart> {
            Some(&self.$field)
        }

        fn personal_mut(&mut self) -> Option<&mut dyn $crate::PersonalPart> {
            Some(&mut self.$field)
        }
    };
}

pub(crate) use {clear, events, personal_field, sealed};

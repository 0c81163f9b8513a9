//! What can have happened to a kept delivery.

use serde::{Deserialize, Serialize};

use crate::{
    ConnectionId, Facts, Personal, StreamType, Timestamp,
    event::{events, personal_field},
    personal::unspoken,
};

/// Why a delivery was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptBecause {
    /// Not the format the provider documents.
    Unparsable,
    /// An event kind Parlance does not know.
    UnknownKind,
    /// Its page or number is no connected channel.
    UnknownChannel,
    /// The rules refused what it says.
    Refused,
}

impl KeptBecause {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unparsable => "unparsable",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownChannel => "unknown_channel",
            Self::Refused => "refused",
        }
    }
}

/// Why a delivery was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkippedBecause {
    /// An operator judged it worthless.
    Judged,
    /// Its retention ended.
    Expired,
}

/// The delivery as it arrived.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryContent {
    pub content_type: String,
    /// The raw body, which its signature covers.
    #[serde(with = "in_base64")]
    pub body: Vec<u8>,
}

unspoken!(DeliveryContent);

/// Any bytes as text, a third longer at most: a body of [`DeliveryContent::BODY_BYTES_MAX`] fits into an event.
mod in_base64 {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl DeliveryContent {
    /// What webhooks take, so that every authentic body can be kept; in base64 and sealed it fits into an event.
    pub const BODY_BYTES_MAX: usize = 1 << 20;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryKept {
    pub connection: ConnectionId,
    pub because: KeptBecause,
    /// The raw body's length in bytes.
    pub bytes: u64,
    /// When its retention ends.
    pub expires_at: Timestamp,
    #[serde(skip)]
    pub content: Personal<DeliveryContent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryReplayed {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliverySkipped {
    pub because: SkippedBecause,
}

events! {
    DeliveryEvent of StreamType::Delivery => {
        DeliveryKept = 1,
        DeliveryReplayed = 1,
        DeliverySkipped = 1,
    }
}

impl Facts for DeliveryKept {
    personal_field!(content);
}

/// Its content is in the messages' events now; a second copy would only have to be erased with them.
impl Facts for DeliveryReplayed {
    fn destroys_key(&self) -> Option<u32> {
        Some(1)
    }
}

impl Facts for DeliverySkipped {
    fn destroys_key(&self) -> Option<u32> {
        Some(1)
    }
}

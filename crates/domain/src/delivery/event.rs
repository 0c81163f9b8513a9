//! What can have happened to a kept delivery.

use serde::{Deserialize, Serialize};

use crate::{
    ConnectionId, Facts, Personal, StreamType, Timestamp,
    event::{events, personal_field},
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryContent {
    pub content_type: String,
    /// The raw body, which its signature covers.
    #[serde(with = "one_char_a_byte")]
    pub body: Vec<u8>,
}

/// Bytes as a text whose characters have the bytes' numbers (0 to 255): lossless for any body, and no longer
/// than the body where it is ASCII, as provider bodies mostly are.
mod one_char_a_byte {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.chars().map(|c| u8::try_from(u32::from(c)).map_err(D::Error::custom)).collect()
    }
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

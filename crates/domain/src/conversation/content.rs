//! What people wrote and are: the personal parts of a conversation's events.

use serde::{Deserialize, Serialize};

use crate::personal::unspoken;

unspoken!(Attachment, MessageContent, ContactProfile, EditedContent, ReactionContent);

/// A file of a message, as the provider tells it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The provider's word for what it is: `image`, `audio`, `fallback` …
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A message's text, files and the provider's own ids, which are never stored in clear.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What a tapped button means to whoever set it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postback: Option<String>,
    /// The provider's id of the message.
    pub provider_message_id: String,
    /// The provider's id of the contact, exactly as signed; a reply is addressed to it.
    pub provider_contact_id: String,
    /// The provider's id of the message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// What the provider tells of a contact. Attributes, never identity.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// WhatsApp's own id of the contact: digits, mostly the phone number's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wa_id: Option<String>,
}

impl ContactProfile {
    /// What is known after `newer` was told: what it does not mention stays.
    #[must_use]
    pub fn updated(&self, newer: &Self) -> Self {
        let either = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
        Self {
            name: either(&newer.name, &self.name),
            picture_url: either(&newer.picture_url, &self.picture_url),
            phone: either(&newer.phone, &self.phone),
            wa_id: either(&newer.wa_id, &self.wa_id),
        }
    }
}

/// The text of a message after its edit.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditedContent {
    pub text: String,
}

/// A reaction's emoji, as the provider tells it; none takes the reaction back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionContent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
}

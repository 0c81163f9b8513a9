//! What can have happened to a connection.

use serde::{Deserialize, Serialize};

use super::ChannelKind;
use crate::{
    Personal, StreamType,
    event::{events, sealed},
    personal::unspoken,
};

/// What a connection is trusted by. Never printed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionSecrets {
    /// The path token of the webhook address.
    pub webhook_token: String,
    /// Signs what arrives: Meta's app secret, Twilio's auth token.
    pub signing: String,
    /// The one before, still accepted until the next rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_previous: Option<String>,
    /// Answers Meta's handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_token: Option<String>,
    /// Calls the provider: Meta's page token, Twilio's account SID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

unspoken!(ConnectionSecrets);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionAdded {
    pub kind: ChannelKind,
    #[serde(skip)]
    pub secrets: Personal<ConnectionSecrets>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecretsRotated {
    #[serde(skip)]
    pub secrets: Personal<ConnectionSecrets>,
}

events! {
    ConnectionEvent of StreamType::Connection => {
        ConnectionAdded = 1,
        SecretsRotated = 1,
    }
}

sealed!(ConnectionAdded.secrets, SecretsRotated.secrets);

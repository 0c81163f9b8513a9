//! What can have happened to a channel.

use serde::{Deserialize, Serialize};

use super::{ReopenRule, Visibility};
use crate::{
    ConnectionId, MemberId, Name, Personal, StreamType,
    connection::ChannelKind,
    event::{clear, events, sealed},
    personal::unspoken,
};

unspoken!(ChannelIdentity);

/// The personal part of a channel: which page or number it is, its name, and what opens it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelIdentity {
    /// The provider's id of the page or number, exactly as it stands in webhooks.
    pub provider_id: String,
    pub name: Name,
    /// Calls the provider for this page alone: Meta's page access token. Never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

/// Why a channel counts as broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokenBecause {
    /// The provider refuses the credentials.
    CredentialsRefused,
    /// The provider refuses the permission.
    PermissionRefused,
}

/// How a channel came to another installer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallerCause {
    HandedOver,
    Reconnected,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelConnected {
    pub connection: ConnectionId,
    pub kind: ChannelKind,
    pub installer: MemberId,
    pub visibility: Visibility,
    pub reopen_rule: ReopenRule,
    #[serde(skip)]
    pub identity: Personal<ChannelIdentity>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelReconnected {
    pub connection: ConnectionId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelRenamed {
    #[serde(skip)]
    pub identity: Personal<ChannelIdentity>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisibilityChanged {
    pub visibility: Visibility,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReopenRuleChanged {
    pub rule: ReopenRule,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstallerChanged {
    pub installer: MemberId,
    pub previous: MemberId,
    pub cause: InstallerCause,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionChanged {
    pub days: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelBroken {
    pub because: BrokenBecause,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelRestored {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelDisconnected {}

events! {
    ChannelEvent of StreamType::Channel => {
        ChannelConnected = 1,
        ChannelReconnected = 1,
        ChannelRenamed = 1,
        VisibilityChanged = 1,
        ReopenRuleChanged = 1,
        InstallerChanged = 1,
        RetentionChanged = 1,
        ChannelBroken = 1,
        ChannelRestored = 1,
        ChannelDisconnected = 1,
    }
}

sealed!(ChannelConnected.identity, ChannelRenamed.identity);
clear!(
    ChannelReconnected,
    VisibilityChanged,
    ReopenRuleChanged,
    InstallerChanged,
    RetentionChanged,
    ChannelBroken,
    ChannelRestored,
    ChannelDisconnected,
);

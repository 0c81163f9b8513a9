//! What can have happened to a member.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, ChannelId, Email, Name, Personal, StreamType,
    event::{clear, events, sealed},
};

/// The personal part of a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberProfile {
    pub email: Email,
    pub name: Name,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberInvited {
    pub account: AccountId,
    pub settings_access: bool,
    #[serde(skip)]
    pub profile: Personal<MemberProfile>,
}

/// From here on the member is active and, by default, available.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberJoined {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberProfileChanged {
    #[serde(skip)]
    pub profile: Personal<MemberProfile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermissionsChanged {
    pub settings_access: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AvailabilityChanged {
    pub available: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberRemoved {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstallationGained {
    pub channel: ChannelId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstallationLost {
    pub channel: ChannelId,
}

events! {
    MemberEvent of StreamType::Member => {
        MemberInvited = 1,
        MemberJoined = 1,
        MemberProfileChanged = 1,
        PermissionsChanged = 1,
        AvailabilityChanged = 1,
        MemberRemoved = 1,
        InstallationGained = 1,
        InstallationLost = 1,
    }
}

sealed!(MemberInvited.profile, MemberProfileChanged.profile);
clear!(
    MemberJoined,
    PermissionsChanged,
    AvailabilityChanged,
    MemberRemoved,
    InstallationGained,
    InstallationLost
);

//! A user of an account: standing, account settings access, availability, and the channels they installed.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    command::MemberCommand,
    error::MemberError,
    event::{
        AvailabilityChanged, InstallationGained, InstallationLost, MemberEvent, MemberInvited, MemberJoined,
        MemberProfile, MemberProfileChanged, MemberRemoved, PermissionsChanged,
    },
};
use crate::{
    AccountId, ChannelId, Command, Decider, MemberId, Personal, PersonalPart, StreamRef, StreamType,
    Timestamp, account::AccountCommand, aggregate::aggregate,
};

/// Where a member stands in the account's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Never heard of.
    #[default]
    Absent,
    Invited,
    Active,
    Removed,
}

/// A member's state. The default is nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The account the member belongs to; told by the first event.
    pub account: Option<AccountId>,
    pub standing: Standing,
    pub settings_access: bool,
    pub available: bool,
    /// When the member joined, the last time: a token from before is none of theirs any more.
    pub joined_at: Option<Timestamp>,
    pub profile: Personal<MemberProfile>,
    /// The channels whose installer this member is; grows with one's own channels only.
    pub installations: BTreeSet<ChannelId>,
}

impl Member {
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }
}

aggregate!(Member, MemberCommand, MemberEvent, MemberError, "member");

impl Decider for Member {
    const STREAM: StreamType = StreamType::Member;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        // The member that is asked is in the batch anyway.
        command.by.stream().filter(|actor| actor.id != command.on).into_iter().collect()
    }

    fn consequences(&self, id: Uuid, event: &MemberEvent) -> Vec<Command> {
        let member = MemberId::new(id);
        let Some(account) = self.account else { return Vec::new() };
        let changed = |access: bool| {
            let command = if access {
                AccountCommand::GrantSettingsAccess { member }
            } else {
                AccountCommand::RevokeSettingsAccess { member }
            };
            vec![Command::Account(account, command)]
        };
        match event {
            MemberEvent::MemberJoined(_) if self.settings_access => changed(true),
            MemberEvent::PermissionsChanged(e) if self.is_active() => changed(e.settings_access),
            MemberEvent::MemberRemoved(_) => changed(false),
            _ => Vec::new(),
        }
    }

    fn personal_parts(&mut self) -> Vec<(u32, &mut dyn PersonalPart)> {
        vec![(1, &mut self.profile)]
    }
}

impl MemberId {
    pub fn stream(self) -> StreamRef {
        self.into()
    }
}

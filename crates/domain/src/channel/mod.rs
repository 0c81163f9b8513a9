//! One page or one number under a connection, with exactly one installer. The same page or number of an
//! account is the same channel for ever, however often it is reconnected.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    command::ChannelCommand,
    error::ChannelError,
    event::{
        BrokenBecause, ChannelBroken, ChannelConnected, ChannelDisconnected, ChannelEvent, ChannelIdentity,
        ChannelReconnected, ChannelRenamed, ChannelRestored, InstallerCause, InstallerChanged,
        ReopenRuleChanged, RetentionChanged, VisibilityChanged,
    },
};
use crate::{
    ChannelId, Command, ConnectionId, Decider, MemberId, Personal, PersonalPart, StreamRef, StreamType,
    aggregate::aggregate, connection::ChannelKind, member::MemberCommand,
};

/// Who has access to a channel's conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Every member.
    #[default]
    Shared,
    /// Its installer alone.
    Private,
}

/// What an automatic reopen does with the assignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReopenRule {
    #[default]
    KeepAssignee,
    Unassign,
}

/// Whether messages come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Never connected.
    #[default]
    Absent,
    Connected,
    /// Connected, but the provider refuses our calls. What arrives is taken.
    Broken(BrokenBecause),
    Disconnected,
}

/// A channel's state. The default is one never connected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub health: Health,
    pub kind: Option<ChannelKind>,
    pub connection: Option<ConnectionId>,
    pub installer: Option<MemberId>,
    pub visibility: Visibility,
    pub reopen_rule: ReopenRule,
    /// Closed conversations are deleted after this many days.
    pub retention_days: Option<u32>,
    pub identity: Personal<ChannelIdentity>,
}

impl Channel {
    /// Whether what arrives for it is taken.
    pub fn takes_messages(&self) -> bool {
        matches!(self.health, Health::Connected | Health::Broken(_))
    }
}

aggregate!(Channel, ChannelCommand, ChannelEvent, ChannelError, "channel");

impl Decider for Channel {
    const STREAM: StreamType = StreamType::Channel;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        let mut consulted: Vec<_> = command.by.stream().into_iter().collect();
        match &command.order {
            ChannelCommand::Connect { connection, .. } => consulted.push((*connection).into()),
            ChannelCommand::HandOver { to } => consulted.push((*to).into()),
            _ => {}
        }
        consulted
    }

    fn consequences(&self, id: Uuid, event: &ChannelEvent) -> Vec<Command> {
        let channel = ChannelId::new(id);
        let gains = |member| Command::Member(member, MemberCommand::GainInstallation { channel });
        match event {
            ChannelEvent::ChannelConnected(e) => vec![gains(e.installer)],
            ChannelEvent::InstallerChanged(e) => {
                vec![
                    Command::Member(e.previous, MemberCommand::LoseInstallation { channel }),
                    gains(e.installer),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn personal_parts(&mut self) -> Vec<(u32, &mut dyn PersonalPart)> {
        vec![(1, &mut self.identity)]
    }
}

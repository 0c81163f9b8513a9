//! A second opinion on what a log may hold: it reads stored names and JSON only, shares no rule with the
//! domain, and panics at the first event that should not stand where it stands.

use std::collections::{HashMap, HashSet};

use parlance_domain::{Actor, RecordedEvent, StreamRef, StreamType};
use serde_json::Value;

#[derive(Debug, Default)]
struct Member {
    active: bool,
    invited: bool,
    available: bool,
    settings: bool,
    installations: HashSet<String>,
}

#[derive(Debug, Default)]
struct Channel {
    installer: Option<String>,
    private: bool,
    connected: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    NotBegun,
    Open,
    Closed,
    Deleted,
}

#[derive(Debug, Default)]
struct Conversation {
    phase: Phase,
    incarnation: u64,
    channel: String,
    assignee: Option<String>,
}

/// What the log has said so far.
#[derive(Debug, Default)]
pub struct Checker {
    position: u64,
    recorded_at: i64,
    versions: HashMap<StreamRef, u64>,
    tokens: HashSet<[u8; 16]>,
    members: HashMap<String, Member>,
    channels: HashMap<String, Channel>,
    conversations: HashMap<String, Conversation>,
}

fn id(field: &Value) -> Option<String> {
    field.as_str().map(str::to_owned)
}

impl Checker {
    /// Walks a whole log.
    pub fn check(log: &[RecordedEvent]) {
        let mut checker = Self::default();
        for recorded in log {
            let json = String::from_utf8_lossy(&recorded.payload).into_owned();
            let what = format!(
                "{} {} of {} by {:?}: {json}",
                recorded.position, recorded.event_type, recorded.stream, recorded.actor
            );
            let fields = serde_json::from_str(&json).expect("payloads are JSON");
            if let Err(why) = checker.event(recorded, &fields) {
                panic!("{why}: position {what}");
            }
        }
    }

    fn event(&mut self, recorded: &RecordedEvent, fields: &Value) -> Result<(), &'static str> {
        self.position += 1;
        let version = self.versions.entry(recorded.stream).or_default();
        *version += 1;
        ensure(recorded.position.number() == self.position, "a gap or a double in the log")?;
        ensure(recorded.version == *version, "a gap or a double in a stream")?;
        ensure(recorded.recorded_at.micros() >= self.recorded_at, "time goes back")?;
        self.recorded_at = recorded.recorded_at.micros();
        if let Some(token) = recorded.dedupe {
            ensure(self.tokens.insert(token.bytes()), "told twice")?;
        }
        let on = recorded.stream.id.simple().to_string();
        match recorded.stream.kind {
            StreamType::Member => self.member(&on, recorded, fields),
            StreamType::Channel => self.channel(&on, recorded, fields),
            StreamType::Conversation => self.conversation(&on, recorded, fields),
            _ => Ok(()),
        }
    }

    fn actor(recorded: &RecordedEvent) -> Option<String> {
        recorded.actor.member().map(|member| member.uuid().simple().to_string())
    }

    fn is_manager(&self, recorded: &RecordedEvent) -> bool {
        let member = Self::actor(recorded).and_then(|id| self.members.get(&id));
        member.is_some_and(|member| member.active && member.settings)
    }

    fn has_access(&self, member: &str, channel: &str) -> bool {
        let channel = self.channels.get(channel);
        self.members.get(member).is_some_and(|member| member.active)
            && channel.is_some_and(|channel| !channel.private || channel.installer.as_deref() == Some(member))
    }

    fn member(&mut self, on: &str, recorded: &RecordedEvent, fields: &Value) -> Result<(), &'static str> {
        let operator = matches!(recorded.actor, Actor::Operator(_));
        let (manager, own) =
            (self.is_manager(recorded) || operator, Self::actor(recorded).as_deref() == Some(on));
        let managers = self.members.values().filter(|member| member.active && member.settings).count();
        let member = self.members.entry(on.to_owned()).or_default();
        match recorded.event_type.as_str() {
            "MemberInvited" => {
                ensure(manager, "invited by somebody who may not")?;
                ensure(!member.active, "invited while here")?;
                member.invited = true;
                member.settings = fields["settings_access"] == true;
            }
            "MemberJoined" => {
                ensure(member.invited && (own || operator), "joined without an invitation")?;
                (member.invited, member.active, member.available) = (false, true, true);
            }
            "PermissionsChanged" => {
                ensure(manager, "permissions changed by somebody who may not")?;
                ensure(member.active || member.invited, "permissions of somebody who is not here")?;
                let settings = fields["settings_access"] == true;
                ensure(member.settings != settings, "permissions changed to what they were")?;
                let last = member.active && managers == 1;
                ensure(settings || !last, "the last one lost settings access")?;
                member.settings = settings;
            }
            "AvailabilityChanged" => {
                ensure(member.active && own, "availability of somebody else")?;
                let available = fields["available"] == true;
                ensure(member.available != available, "availability changed to what it was")?;
                member.available = available;
            }
            "MemberRemoved" => {
                ensure(manager, "removed by somebody who may not")?;
                ensure(member.installations.is_empty(), "an installer was removed")?;
                ensure(!(member.active && member.settings) || managers > 1, "the last one was removed")?;
                *member = Member::default();
            }
            "InstallationGained" => {
                ensure(member.active, "an installation of somebody who is not here")?;
                member.installations.extend(id(&fields["channel"]));
            }
            "InstallationLost" => {
                let channel = id(&fields["channel"]).unwrap_or_default();
                ensure(member.installations.remove(&channel), "an installation nobody had was lost")?;
            }
            _ => {}
        }
        Ok(())
    }

    fn channel(&mut self, on: &str, recorded: &RecordedEvent, fields: &Value) -> Result<(), &'static str> {
        let manager = self.is_manager(recorded);
        let by = Self::actor(recorded);
        let new_is_active = id(&fields["installer"])
            .is_some_and(|member| self.members.get(&member).is_some_and(|member| member.active));
        let channel = self.channels.entry(on.to_owned()).or_default();
        let governs = manager && channel.installer == by;
        match recorded.event_type.as_str() {
            "ChannelConnected" => {
                ensure(manager && channel.installer.is_none(), "connected by somebody who may not")?;
                channel.installer = id(&fields["installer"]);
                channel.private = fields["visibility"] == "private";
                channel.connected = true;
            }
            "ChannelReconnected" => {
                ensure(manager, "reconnected by somebody who may not")?;
                channel.connected = true;
            }
            "ChannelDisconnected" => {
                ensure(manager && channel.connected, "disconnected by somebody who may not")?;
                channel.connected = false;
            }
            "VisibilityChanged" => {
                ensure(governs, "visibility changed by somebody who may not")?;
                let private = fields["visibility"] == "private";
                ensure(channel.private != private, "visibility changed to what it was")?;
                channel.private = private;
            }
            "InstallerChanged" => {
                ensure(
                    governs || fields["cause"] == "reconnected" && manager,
                    "handed over by somebody who may not",
                )?;
                ensure(channel.installer == id(&fields["previous"]), "handed over by a stale decision")?;
                ensure(new_is_active, "handed over to somebody who is not here")?;
                channel.installer = id(&fields["installer"]);
            }
            _ => {}
        }
        Ok(())
    }

    fn conversation(
        &mut self,
        on: &str,
        recorded: &RecordedEvent,
        fields: &Value,
    ) -> Result<(), &'static str> {
        let empty = Conversation::default();
        let now = self.conversations.get(on).unwrap_or(&empty);
        let by_access = Self::actor(recorded).is_some_and(|member| self.has_access(&member, &now.channel));
        let by_installer = Self::actor(recorded).is_some_and(|member| {
            self.has_access(&member, &now.channel)
                && self.channels.get(&now.channel).and_then(|channel| channel.installer.as_ref())
                    == Some(&member)
        });
        let assignee_has_access =
            now.assignee.as_ref().is_some_and(|member| self.has_access(member, &now.channel));
        let assignable = id(&fields["assignee"]).is_some_and(|member| {
            self.members.get(&member).is_some_and(|member| member.available)
                && self.has_access(&member, &now.channel)
        });
        let told_by = id(&fields["channel"]);
        let takes = told_by
            .as_ref()
            .is_none_or(|channel| self.channels.get(channel).is_some_and(|channel| channel.connected));
        let conversation = self.conversations.entry(on.to_owned()).or_default();
        let visible = matches!(conversation.phase, Phase::Open | Phase::Closed);
        let incarnation = fields["incarnation"].as_u64().unwrap_or_default();
        match recorded.event_type.as_str() {
            name @ ("MessageReceived" | "MessageEchoed") => {
                ensure(takes, "a message through a channel that takes none")?;
                ensure(
                    conversation.phase != Phase::Closed || name == "MessageEchoed",
                    "a message into a closed conversation",
                )?;
                let new = u64::from(!visible);
                ensure(incarnation == conversation.incarnation + new, "a message of another incarnation")?;
                if !visible {
                    conversation.phase = Phase::Open;
                }
                conversation.incarnation = incarnation;
                conversation.channel = told_by.unwrap_or_default();
                return Ok(());
            }
            "MessageSkipped" => return Ok(()),
            _ => ensure(visible && incarnation == conversation.incarnation, "not in a living incarnation")?,
        }
        match recorded.event_type.as_str() {
            "Assigned" => {
                ensure(by_access, "assigned by somebody without access")?;
                ensure(assignable, "assigned to somebody who is unavailable or has no access")?;
                ensure(conversation.assignee == id(&fields["previous"]), "assigned by a stale decision")?;
                conversation.assignee = id(&fields["assignee"]);
            }
            "Unassigned" => {
                let cause = match fields["cause"].as_str() {
                    Some("member") => by_access,
                    Some("reopen_rule") => true,
                    _ => !assignee_has_access,
                };
                ensure(cause, "unassigned without a cause")?;
                ensure(conversation.assignee == id(&fields["previous"]), "unassigned by a stale decision")?;
                conversation.assignee = None;
            }
            "Closed" => {
                ensure(by_access && conversation.phase == Phase::Open, "closed without right or reason")?;
                conversation.phase = Phase::Closed;
            }
            "Reopened" => {
                ensure(by_access || fields["cause"] == "message", "reopened by somebody without access")?;
                ensure(conversation.phase == Phase::Closed, "reopened while open")?;
                conversation.phase = Phase::Open;
            }
            "Deleted" => {
                ensure(by_installer, "deleted by somebody who is not the installer")?;
                conversation.phase = Phase::Deleted;
                conversation.assignee = None;
            }
            _ => {}
        }
        Ok(())
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}

//! What one event touches.

use parlance_domain::{
    ChannelId, ConversationId, Event, MemberId, MessageId, Position, RecordedEvent, StreamRef, StreamType,
    channel::{ChannelEvent, Visibility},
    conversation::ConversationEvent,
    member::MemberEvent,
    reading::ReadingEvent,
};

/// One position of the log, and what was touched there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Touched {
    pub position: Position,
    pub stream: StreamRef,
    pub version: u64,
    pub touch: Touch,
}

/// A thing that is shown, and what decides who is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Touch {
    /// Nothing that followers are shown.
    Nothing,
    Conversation(ConversationId, Option<MessageId>),
    Deleted(ConversationId),
    /// A reading mark, which concerns nobody but its member.
    Seen(ConversationId, MemberId),
    Member(MemberId),
    /// Joined or removed: everything is different for them.
    CameOrWent(MemberId),
    /// Account settings access was given or taken.
    Permissions(MemberId, bool),
    Channel(ChannelId),
    Connected(ChannelId, Visibility, MemberId),
    Visibility(ChannelId),
    Installer {
        channel: ChannelId,
        installer: MemberId,
        previous: MemberId,
    },
}

impl Touch {
    /// Whether anybody may have gained or lost access to anything.
    pub fn moves_access(self) -> bool {
        matches!(
            self,
            Self::CameOrWent(_) | Self::Connected(..) | Self::Visibility(_) | Self::Installer { .. }
        )
    }
}

impl Touched {
    pub fn by(recorded: &RecordedEvent) -> Self {
        // What this build cannot read is still told of: projections have parked its stream, and the row is as it was.
        let touch = recorded.decode().map_or_else(|_| unread(recorded.stream), |event| of(recorded, &event));
        Self { position: recorded.position, stream: recorded.stream, version: recorded.version, touch }
    }
}

fn unread(stream: StreamRef) -> Touch {
    match stream.kind {
        StreamType::Conversation => Touch::Conversation(ConversationId::new(stream.id), None),
        StreamType::Member => Touch::Member(MemberId::new(stream.id)),
        StreamType::Channel => Touch::Channel(ChannelId::new(stream.id)),
        StreamType::Account | StreamType::Connection | StreamType::Reading | StreamType::Delivery => {
            Touch::Nothing
        }
    }
}

fn of(recorded: &RecordedEvent, event: &Event) -> Touch {
    let id = recorded.stream.id;
    match event {
        Event::Conversation(event) => conversation(ConversationId::new(id), event),
        Event::Reading(ReadingEvent::ConversationSeen(e)) => Touch::Seen(e.conversation, e.member),
        Event::Member(event) => member(MemberId::new(id), event),
        Event::Channel(event) => channel(ChannelId::new(id), event),
        Event::Account(_) | Event::Connection(_) | Event::Delivery(_) => Touch::Nothing,
    }
}

fn conversation(id: ConversationId, event: &ConversationEvent) -> Touch {
    let message = match event {
        ConversationEvent::Deleted(_) => return Touch::Deleted(id),
        // No row shows these.
        ConversationEvent::MessageSkipped(_)
        | ConversationEvent::MessageDelivered(_)
        | ConversationEvent::MessageRead(_) => return Touch::Nothing,
        ConversationEvent::MessageReceived(e) => Some(e.message),
        ConversationEvent::MessageEchoed(e) => Some(e.message),
        ConversationEvent::MessageReacted(e) => Some(e.message),
        ConversationEvent::MessageEdited(e) => Some(e.message),
        ConversationEvent::MessageUnsent(e) => Some(e.message),
        ConversationEvent::ContactProfileChanged(_)
        | ConversationEvent::Assigned(_)
        | ConversationEvent::Unassigned(_)
        | ConversationEvent::Closed(_)
        | ConversationEvent::Reopened(_) => None,
    };
    Touch::Conversation(id, message)
}

fn member(id: MemberId, event: &MemberEvent) -> Touch {
    match event {
        MemberEvent::MemberJoined(_) | MemberEvent::MemberRemoved(_) => Touch::CameOrWent(id),
        MemberEvent::PermissionsChanged(e) => Touch::Permissions(id, e.settings_access),
        MemberEvent::MemberInvited(_)
        | MemberEvent::MemberProfileChanged(_)
        | MemberEvent::AvailabilityChanged(_) => Touch::Member(id),
        // Their channel tells of it.
        MemberEvent::InstallationGained(_) | MemberEvent::InstallationLost(_) => Touch::Nothing,
    }
}

fn channel(id: ChannelId, event: &ChannelEvent) -> Touch {
    match event {
        ChannelEvent::ChannelConnected(e) => Touch::Connected(id, e.visibility, e.installer),
        ChannelEvent::VisibilityChanged(_) => Touch::Visibility(id),
        ChannelEvent::InstallerChanged(e) => {
            Touch::Installer { channel: id, installer: e.installer, previous: e.previous }
        }
        ChannelEvent::ChannelReconnected(_)
        | ChannelEvent::ChannelRenamed(_)
        | ChannelEvent::ReopenRuleChanged(_)
        | ChannelEvent::RetentionChanged(_)
        | ChannelEvent::ChannelBroken(_)
        | ChannelEvent::ChannelRestored(_)
        | ChannelEvent::ChannelDisconnected(_) => Touch::Channel(id),
    }
}

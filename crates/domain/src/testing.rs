//! Builders that the aggregates' tests share: a small cast, moments, stamps and surroundings.

use std::sync::Arc;

use cqrs_es::Aggregate;
use uuid::Uuid;

use crate::{
    AccountId, Actor, ChannelId, ConnectionId, ConversationId, Email, Issued, MemberId, Name, OperatorId,
    Stamped, Surroundings, Timestamp,
    channel::{Channel, Health, Visibility},
    member::{Member, Standing},
};

/// Installs the channels of these tests and has account settings access.
pub const ANNA: MemberId = MemberId::new(Uuid::from_u128(0xA));
/// Has account settings access and installed nothing.
pub const BELA: MemberId = MemberId::new(Uuid::from_u128(0xB));
/// A plain member.
pub const CSILLA: MemberId = MemberId::new(Uuid::from_u128(0xC));
/// A plain member whose availability is off.
pub const DENES: MemberId = MemberId::new(Uuid::from_u128(0xD));
/// Nobody has heard of them.
pub const STRANGER: MemberId = MemberId::new(Uuid::from_u128(0xF));

pub const ACCOUNT: AccountId = AccountId::new(Uuid::from_u128(0x100));
pub const CONNECTION: ConnectionId = ConnectionId::new(Uuid::from_u128(0x200));
pub const CHANNEL: ChannelId = ChannelId::new(Uuid::from_u128(0x300));
pub const CONVERSATION: ConversationId = ConversationId::new(Uuid::from_u128(0x400));

pub const OPERATOR: Actor = Actor::Operator(OperatorId::COMMAND_LINE);

/// When the commands of these tests are issued.
pub const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
/// When what is given had happened.
pub const BEFORE: Timestamp = NOW.plus_micros(-3_600_000_000);

pub const fn by(member: MemberId) -> Actor {
    Actor::Member(member)
}

pub fn issued<C>(on: Uuid, by: Actor, order: C) -> Issued<C> {
    Issued { on, at: NOW, by, order }
}

/// An event that is given.
pub fn past<E, F: Into<E>>(by: Actor, event: F) -> Stamped<E> {
    Stamped { at: BEFORE, by, event: event.into() }
}

/// An event that is expected.
pub fn now<E, F: Into<E>>(by: Actor, event: F) -> Stamped<E> {
    Stamped { at: NOW, by, event: event.into() }
}

/// The state after these events.
pub fn after<A: Aggregate>(events: Vec<A::Event>) -> A {
    let mut state = A::default();
    for event in events {
        state.apply(event);
    }
    state
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn email(text: &str) -> Email {
    Email::new(text).unwrap()
}

/// An active, available member without account settings access.
pub fn colleague() -> Member {
    Member { standing: Standing::Active, available: true, ..Member::default() }
}

pub fn admin() -> Member {
    Member { settings_access: true, ..colleague() }
}

/// Anna's channel, connected.
pub fn channel(visibility: Visibility) -> Channel {
    Channel { health: Health::Connected, installer: Some(ANNA), visibility, ..Channel::default() }
}

/// The whole cast around Anna's channel, as it stands.
pub fn around(channel: Channel) -> Surroundings {
    Surroundings {
        members: vec![
            (ANNA, Arc::new(admin())),
            (BELA, Arc::new(admin())),
            (CSILLA, Arc::new(colleague())),
            (DENES, Arc::new(Member { available: false, ..colleague() })),
        ],
        channels: vec![(CHANNEL, Arc::new(channel))],
        ..Surroundings::default()
    }
}

/// The same with one member who is another by now.
pub fn but(mut around: Surroundings, id: MemberId, member: Member) -> Surroundings {
    around.members.retain(|(known, _)| *known != id);
    around.members.push((id, Arc::new(member)));
    around
}

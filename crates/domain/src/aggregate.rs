//! Where the domain meets cqrs-es: commands as they are issued, events as they are stamped, and what an
//! aggregate tells the shell beside `handle` and `apply`.

use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    AccountId, Actor, ChannelId, ConnectionId, ConversationId, DedupeToken, DeliveryId, MemberId,
    PersonalPart, ReadingId, StoredEvent, StreamRef, StreamType, Surroundings, Timestamp,
    account::{AccountCommand, AccountError},
    channel::{ChannelCommand, ChannelError},
    connection::{ConnectionCommand, ConnectionError},
    conversation::{ConversationCommand, ConversationError},
    delivery::{DeliveryCommand, DeliveryError},
    member::{MemberCommand, MemberError},
    reading::{ReadingCommand, ReadingError},
};

/// A command with all that a decision needs to know about its asking: of whom, when, by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued<C> {
    /// The id of the aggregate that is asked.
    pub on: Uuid,
    pub at: Timestamp,
    pub by: Actor,
    pub order: C,
}

/// An event with when and by whom: what `apply` sees, because states must know both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped<E> {
    pub at: Timestamp,
    pub by: Actor,
    pub event: E,
}

impl<E: StoredEvent> Stamped<E> {
    /// Stamps an event of a command; what the system did by itself is the system's.
    pub(crate) fn new<C>(issued: &Issued<C>, event: E) -> Self {
        let by = event.facts().system_reason().map_or(issued.by, Actor::System);
        Self { at: issued.at, by, event }
    }
}

impl<E: StoredEvent + Serialize + DeserializeOwned> DomainEvent for Stamped<E> {
    fn event_type(&self) -> String {
        self.event.event_type().to_owned()
    }

    fn event_version(&self) -> String {
        format!("{}.0.0", self.event.schema_version())
    }
}

/// A stamped event taken apart; lets the shell be generic over aggregates.
pub trait StampedEvent: DomainEvent {
    type Fact: StoredEvent;

    fn stamp(at: Timestamp, by: Actor, event: Self::Fact) -> Self;
    fn take(self) -> Stamped<Self::Fact>;
    fn event(&self) -> &Self::Fact;
}

impl<E: StoredEvent + Serialize + DeserializeOwned> StampedEvent for Stamped<E> {
    type Fact = E;

    fn stamp(at: Timestamp, by: Actor, event: E) -> Self {
        Self { at, by, event }
    }

    fn take(self) -> Self {
        self
    }

    fn event(&self) -> &E {
        &self.event
    }
}

/// What the shell asks of an aggregate beside `handle` and `apply`.
pub trait Decider: Aggregate<Services = Surroundings, Event: StampedEvent> + Clone + 'static {
    const STREAM: StreamType;

    /// The other streams whose states must be in the [`Surroundings`] when `command` is handled. The decision
    /// falls when one of them has moved meanwhile: one that nothing confirms could rest on a stale state.
    fn consults(&self, command: &Self::Command) -> Vec<StreamRef>;

    /// What must happen elsewhere in the same transaction, now that `event` has been applied.
    fn consequences(&self, _id: Uuid, _event: &<Self::Event as StampedEvent>::Fact) -> Vec<Command> {
        Vec::new()
    }

    /// The personal values that the state keeps, each with its key's number: opened after a cold load, sealed in a snapshot.
    fn personal_parts(&mut self) -> Vec<(u32, &mut dyn PersonalPart)> {
        Vec::new()
    }
}

macro_rules! roots {
    ($($kind:ident($id:ty, $command:ty, $error:ty)),* $(,)?) => {
        /// Anything that can be asked of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Command { $($kind($id, $command)),* }

        impl Command {
            /// The stream that is asked.
            pub fn stream(&self) -> StreamRef {
                match self { $(Self::$kind(id, _) => (*id).into()),* }
            }
        }

        /// Any aggregate's no.
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        pub enum Refusal { $(#[error(transparent)] $kind(#[from] $error)),* }

        $(impl From<$id> for StreamRef {
            fn from(id: $id) -> Self {
                Self::new(StreamType::$kind, id.uuid())
            }
        })*
    };
}

roots! {
    Account(AccountId, AccountCommand, AccountError),
    Connection(ConnectionId, ConnectionCommand, ConnectionError),
    Channel(ChannelId, ChannelCommand, ChannelError),
    Member(MemberId, MemberCommand, MemberError),
    Reading(ReadingId, ReadingCommand, ReadingError),
    Conversation(ConversationId, ConversationCommand, ConversationError),
    Delivery(DeliveryId, DeliveryCommand, DeliveryError),
}

impl Command {
    /// What a provider tells with this command, told at most once.
    pub fn token(&self) -> Option<DedupeToken> {
        match self {
            Self::Conversation(_, command) => command.token(),
            _ => None,
        }
    }

    /// The refusal of a command that only ever follows from another aggregate's event, for whoever asks it by
    /// itself: `decide` trusts that the event was decided.
    pub fn refused_by_itself(&self) -> Option<Refusal> {
        match self {
            Self::Account(
                _,
                AccountCommand::GrantSettingsAccess { .. } | AccountCommand::RevokeSettingsAccess { .. },
            ) => Some(AccountError::NotPermitted.into()),
            Self::Member(
                _,
                MemberCommand::GainInstallation { .. } | MemberCommand::LoseInstallation { .. },
            ) => Some(MemberError::NotPermitted.into()),
            _ => None,
        }
    }
}

/// The ten lines between an aggregate's `decide` / `evolve` and cqrs-es.
macro_rules! aggregate {
    ($state:ident, $command:ident, $event:ident, $error:ident, $type:literal) => {
        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = $type;
            type Command = $crate::Issued<$command>;
            type Event = $crate::Stamped<$event>;
            type Error = $error;
            type Services = $crate::Surroundings;

            async fn handle(
                &mut self,
                command: Self::Command,
                around: &$crate::Surroundings,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), $error> {
                for event in decide::decide(self, &command, around)? {
                    sink.write($crate::Stamped::new(&command, event), self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                evolve::evolve(self, &event);
            }
        }
    };
}

pub(crate) use aggregate;

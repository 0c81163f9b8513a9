//! All events there are: the one place that knows which aggregate a stream type belongs to.

use crate::{
    DecodeError, Facts, RecordedEvent, StoredEvent, StreamType, account::AccountEvent, channel::ChannelEvent,
    connection::ConnectionEvent, conversation::ConversationEvent, delivery::DeliveryEvent,
    member::MemberEvent, reading::ReadingEvent,
};

macro_rules! catalogue {
    ($($kind:ident($event:ident)),* $(,)?) => {
        /// Any event of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($kind($event)),* }

        impl Event {
            pub(crate) fn decode(row: &RecordedEvent) -> Result<Self, DecodeError> {
                match row.stream.kind { $(StreamType::$kind => row.decode_as::<$event>().map(Self::$kind)),* }
            }

            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$kind(event) => event.event_type()),* }
            }

            /// Clear JSON of the event's fields, as it is stored.
            pub fn payload(&self) -> Vec<u8> {
                match self { $(Self::$kind(event) => event.payload()),* }
            }

            /// What the shell may know of the event besides its fields.
            pub fn facts(&self) -> &dyn Facts {
                match self { $(Self::$kind(event) => event.facts()),* }
            }

            /// The same, to open or seal its personal part.
            pub fn facts_mut(&mut self) -> &mut dyn Facts {
                match self { $(Self::$kind(event) => event.facts_mut()),* }
            }
        }

        /// Every stored name with its stream type and newest schema version.
        pub fn catalogue() -> Vec<(StreamType, &'static str, u16)> {
            let mut all = Vec::new();
            $(all.extend($event::CATALOGUE.iter().map(|(name, version)| (StreamType::$kind, *name, *version)));)*
            all
        }
    };
}

/// The events that destroy a data key ([`Facts::destroys_key`]).
const DESTROYING: [&str; 3] = ["Deleted", "DeliveryReplayed", "DeliverySkipped"];

/// Whether an event of this name may have destroyed a data key; one of a newer release may have.
pub fn destroys_key(event_type: &str) -> bool {
    let known = || catalogue().iter().any(|(_, name, _)| *name == event_type);
    DESTROYING.contains(&event_type) || !known()
}

catalogue! {
    Account(AccountEvent),
    Connection(ConnectionEvent),
    Channel(ChannelEvent),
    Member(MemberEvent),
    Reading(ReadingEvent),
    Conversation(ConversationEvent),
    Delivery(DeliveryEvent),
}

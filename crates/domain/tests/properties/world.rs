//! An account in memory, which keeps to what the domain asks of its shell: a decision sees what it consults,
//! its consequences happen with it or not at all, and what was stored is what is loaded.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use cqrs_es::{Aggregate, event_sink::EventSink};
use parlance_domain::{
    Actor, ChannelId, Command, ConnectionId, ConversationId, Decider, Event, Issued, MemberId, PersonalPart,
    Position, Refusal, Stamped, StampedEvent, StoredEvent, StreamRef, Surroundings, Timestamp,
    account::{Account, AccountCommand},
    channel::{Channel, ChannelCommand},
    connection::{Connection, ConnectionCommand},
    conversation::{Conversation, ConversationCommand},
    delivery::{Delivery, DeliveryCommand},
    member::{Member, MemberCommand},
    reading::{Reading, ReadingCommand},
};
use uuid::Uuid;

/// All streams of one kind: their states, and their events as stored.
#[derive(Clone)]
pub struct Streams<A: Aggregate> {
    pub states: BTreeMap<Uuid, Arc<A>>,
    pub events: BTreeMap<Uuid, Vec<A::Event>>,
}

impl<A: Aggregate> Default for Streams<A> {
    fn default() -> Self {
        Self { states: BTreeMap::new(), events: BTreeMap::new() }
    }
}

/// One event of a step, and who it is stamped with.
#[derive(Clone, Debug)]
pub struct Happened {
    pub stream: StreamRef,
    pub by: Actor,
    pub event: Event,
}

/// An aggregate that the world holds.
pub trait Held:
    Decider<Command = Issued<Self::Order>, Error: Into<Refusal>> + PartialEq + Debug + Send + Sync
{
    type Order: Clone;

    fn streams(world: &World) -> &Streams<Self>;
    fn streams_mut(world: &mut World) -> &mut Streams<Self>;
    fn any(event: &Self::Event) -> Event;
}

macro_rules! world {
    ($($kind:ident($order:ident) in $streams:ident),* $(,)?) => {
        #[derive(Clone, Default)]
        pub struct World {
            pub now: Timestamp,
            pub head: Position,
            $(pub $streams: Streams<$kind>),*
        }

        impl World {
            fn ask_any(&mut self, command: &Command, by: Actor, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
                match command {
                    $(Command::$kind(id, order) => self.ask::<$kind>(id.uuid(), order.clone(), by, happened)),*
                }
            }

            /// Every state comes again from its stored events, and from its stored self.
            pub fn assert_replays(&self) {
                $(replays(&self.$streams);)*
            }
        }

        $(impl Held for $kind {
            type Order = $order;

            fn streams(world: &World) -> &Streams<Self> {
                &world.$streams
            }

            fn streams_mut(world: &mut World) -> &mut Streams<Self> {
                &mut world.$streams
            }

            fn any(event: &Self::Event) -> Event {
                Event::$kind(event.event.clone())
            }
        })*
    };
}

world! {
    Account(AccountCommand) in accounts,
    Connection(ConnectionCommand) in connections,
    Channel(ChannelCommand) in channels,
    Member(MemberCommand) in members,
    Reading(ReadingCommand) in readings,
    Conversation(ConversationCommand) in conversations,
    Delivery(DeliveryCommand) in deliveries,
}

impl World {
    /// One transaction: the command and all that follows from it, or nothing.
    pub fn run(&mut self, command: &Command, by: Actor) -> Result<Vec<Happened>, Refusal> {
        let mut next = self.clone();
        let mut happened = Vec::new();
        next.ask_any(command, by, &mut happened)?;
        *self = next;
        Ok(happened)
    }

    pub fn state<A: Held>(&self, id: impl Into<StreamRef>) -> Arc<A> {
        A::streams(self).states.get(&id.into().id).cloned().unwrap_or_default()
    }

    fn ask<A: Held>(
        &mut self,
        id: Uuid,
        order: A::Order,
        by: Actor,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let stream = StreamRef::new(A::STREAM, id);
        let before: Arc<A> = self.state(stream);
        let issued = Issued { on: id, at: self.now, by, order };
        let consulted = before.consults(&issued);
        let (decided, state) =
            handled::<A>(&before, &issued, &self.around(|stream| consulted.contains(&stream)));
        let all_knowing = handled::<A>(&before, &issued, &self.around(|_| true)).0;
        assert_eq!(decided, all_knowing, "a decision looks at nothing that it does not consult");

        let mut replayed = A::clone(&before);
        let mut follows = Vec::new();
        for event in decided? {
            let stamped = event.clone().take();
            assert_eq!(stamped.at, self.now);
            happened.push(Happened { stream, by: stamped.by, event: A::any(&event) });
            replayed.apply(event.clone());
            follows.extend(replayed.consequences(id, &stamped.event));
            A::streams_mut(self).events.entry(id).or_default().push(stored_and_loaded::<A>(&event));
            self.head = self.head.next();
        }
        assert_eq!(replayed, state, "handling applies exactly what it tells");
        A::streams_mut(self).states.insert(id, Arc::new(state));
        follows.iter().try_for_each(|command| self.ask_any(command, by, happened))
    }

    /// The states of the streams that are `seen`.
    fn around(&self, seen: impl Fn(StreamRef) -> bool) -> Surroundings {
        fn select<A: Held, I>(
            world: &World,
            seen: impl Fn(StreamRef) -> bool,
            id: impl Fn(Uuid) -> I,
        ) -> Vec<(I, Arc<A>)> {
            let states = A::streams(world).states.iter();
            let seen = states.filter(|(uuid, _)| seen(StreamRef::new(A::STREAM, **uuid)));
            seen.map(|(uuid, state)| (id(*uuid), Arc::clone(state))).collect()
        }
        Surroundings {
            head: self.head,
            members: select(self, &seen, MemberId::new),
            channels: select(self, &seen, ChannelId::new),
            connections: select(self, &seen, ConnectionId::new),
            conversations: select(self, &seen, ConversationId::new),
        }
    }
}

/// What an aggregate decides on a copy of itself, and that copy afterwards.
fn handled<A: Held>(
    before: &A,
    issued: &Issued<A::Order>,
    around: &Surroundings,
) -> (Result<Vec<A::Event>, Refusal>, A) {
    let mut state = before.clone();
    let sink = EventSink::default();
    let decided = ready(state.handle(issued.clone(), around, &sink));
    let events = ready(sink.collect());
    if decided.is_err() {
        assert_eq!(&state, before, "a refused command changes nothing");
        assert!(events.is_empty(), "a refused command makes no event");
    }
    (decided.map(|()| events).map_err(Into::into), state)
}

/// The domain waits for nothing, so its futures are ready at once.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a decision waited for something"),
    }
}

/// Through the bytes of a row: the clear payload, and the personal part beside it.
fn stored_and_loaded<A: Held>(event: &A::Event) -> A::Event {
    let Stamped { at, by, event: fact } = event.clone().take();
    let mut loaded =
        <A::Event as StampedEvent>::Fact::from_payload(fact.event_type(), &fact.payload()).expect("loads");
    if let Some(plaintext) = fact.facts().personal().and_then(PersonalPart::plaintext) {
        loaded.facts_mut().personal_mut().expect("as stored").set_plaintext(&plaintext).expect("opens");
    }
    let loaded = A::Event::stamp(at, by, loaded);
    assert_eq!(&loaded, event, "an event is loaded as it was stored");
    loaded
}

fn replays<A: Held>(streams: &Streams<A>) {
    for (id, state) in &streams.states {
        let mut replayed = A::default();
        for event in streams.events.get(id).into_iter().flatten() {
            replayed.apply(event.clone());
        }
        assert_eq!(&replayed, &**state, "a replay ends where the decisions ended");
        let json = serde_json::to_vec(&**state).expect("states are JSON");
        assert_eq!(&serde_json::from_slice::<A>(&json).expect("loads"), &**state);
        seals::<A>(state);
    }
}

/// A snapshot of a state keeps nothing personal open, and what was taken out can be put back.
fn seals<A: Held>(state: &A) {
    let mut snapshot = state.clone();
    let mut plaintexts = Vec::new();
    for (_, part) in snapshot.personal_parts() {
        plaintexts.push(part.plaintext());
        part.erase();
    }
    assert!(!serde_json::to_string(&snapshot).expect("states are JSON").contains("{\"open\":"));
    for ((_, part), plaintext) in snapshot.personal_parts().into_iter().zip(&plaintexts) {
        if let Some(plaintext) = plaintext {
            part.set_plaintext(plaintext).expect("opens");
        }
    }
    assert_eq!(&snapshot, state);
}

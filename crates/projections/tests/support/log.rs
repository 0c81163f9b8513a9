//! A log as the store would give it back: what a world's rules let happen, as rows with clear payloads, and
//! with the plaintext in place of ciphertext where an event has a personal part.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::{
    Actor, Command, CommandId, CorrelationId, DedupeToken, Event, KeyId, Position, RecordedEvent, StreamRef,
    catalogue,
    channel::Channel,
    conversation::{Conversation, ConversationCommand, LossCause},
};
use uuid::Uuid;

use super::{
    asking::{self, Asked, Step},
    world::{Happened, World},
};

/// A log that grows by commands.
pub struct Log {
    pub events: Vec<RecordedEvent>,
    world: World,
    versions: BTreeMap<StreamRef, u64>,
    told: BTreeSet<DedupeToken>,
}

impl Log {
    /// With an account, its first members and its first channels.
    pub fn begun() -> Self {
        let world = World { now: asking::START, ..World::default() };
        let mut log = Self { events: Vec::new(), world, versions: BTreeMap::new(), told: BTreeSet::new() };
        for (by, command) in asking::beginning() {
            assert!(log.run(by, &command), "the beginning is allowed: {command:?}");
        }
        log
    }

    pub fn of(steps: &[Step]) -> Self {
        let mut log = Self::begun();
        for step in steps {
            log.step(step);
        }
        log
    }

    /// Asks; what the rules refuse is not in the log.
    pub fn step(&mut self, Step { minutes, asked }: &Step) {
        self.world.now = self.world.now.plus_micros(minutes * asking::MINUTE_MICROS);
        match asked {
            Asked::By(by, command) => {
                self.run(*by, command);
            }
            Asked::ByInstaller(channel, command) => {
                if let Some(installer) = self.world.state::<Channel>(*channel).installer {
                    self.run(Actor::Member(installer), command);
                }
            }
            Asked::Mark { member, conversation, from_head } => {
                let up_to = Position::new(self.world.head.number().saturating_add_signed(*from_head));
                self.run(Actor::Member(*member), &asking::mark(*member, *conversation, up_to));
            }
            Asked::Release(conversation) => {
                if let Some(member) = self.world.state::<Conversation>(*conversation).assignee() {
                    let order = ConversationCommand::Release { member, cause: LossCause::AccessLost };
                    self.run(asking::ACCESS_LOST, &Command::Conversation(*conversation, order));
                }
            }
        }
    }

    /// Whether it was allowed. As in the store, what was told once is not told again.
    pub fn run(&mut self, by: Actor, command: &Command) -> bool {
        let before = self.world.clone();
        let Ok(happened) = self.world.run(command, by) else { return false };
        if happened.iter().filter_map(|h| h.event.facts().dedupe()).any(|token| self.told.contains(&token)) {
            self.world = before;
            return false;
        }
        for (place, happened) in happened.iter().enumerate() {
            self.record(happened, before.head.number() + 1 + u64::try_from(place).expect("a small number"));
        }
        // The world keeps states for its decisions; the events are kept here.
        self.world.conversations.events.clear();
        self.world.readings.events.clear();
        true
    }

    fn record(&mut self, happened: &Happened, position: u64) {
        let Happened { stream, by, event } = happened;
        let version = self.versions.entry(*stream).or_default();
        *version += 1;
        let facts = event.facts();
        let plaintext = facts.personal().and_then(parlance_domain::PersonalPart::plaintext);
        let key = Uuid::from_u128(stream.id.as_u128() << 16 | u128::from(facts.key_number()));
        self.told.extend(facts.dedupe());
        self.events.push(RecordedEvent {
            account: asking::account(),
            position: Position::new(position),
            stream: *stream,
            version: *version,
            event_type: event.event_type().to_owned(),
            schema_version: newest(event),
            recorded_at: self.world.now,
            actor: *by,
            correlation: CorrelationId::new(Uuid::from_u128(u128::from(position))),
            causation: CommandId::new(Uuid::from_u128(u128::from(position))),
            payload: event.payload(),
            key: plaintext.as_ref().map(|_| KeyId::new(key)),
            sealed: plaintext,
            dedupe: facts.dedupe(),
        });
    }
}

fn newest(event: &Event) -> u16 {
    let known = catalogue().into_iter().find(|(_, name, _)| *name == event.event_type());
    known.expect("every event is in the catalogue").2
}

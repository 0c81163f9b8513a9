//! Deciding within a flush: every command on what its predecessor left, with the streams it rests on noted.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    ops::Range,
    sync::Arc,
};

use cqrs_es::event_sink::EventSink;
use parlance_domain::{
    AccountId, ChannelId, Command, ConnectionId, ConversationId, Decider, DedupeToken, Issued, KeyId,
    MemberId, Position, Refusal, StreamRef, StreamType, Surroundings, Timestamp, account::Account,
    channel::Channel, connection::Connection, conversation::Conversation, delivery::Delivery, member::Member,
    reading::Reading,
};
use parlance_store::{
    Batch, EventLog, Expectation, Head, KeyOp, Keys, Loaded, NewEvent, Snapshot, StoreError,
};

use super::{
    Ask, CommandError,
    load::{SNAPSHOT_EVERY, load, load_from, look_ahead, snapshot, take},
    path::{Shared, Submission},
    state::Entry,
};
use crate::keys::{AccountRing, DataKey, Keyring};

/// Streams that are read in one go: each may come with a page of events, where its snapshot is of another shape.
const AHEAD_MAX: usize = 64;

type TakeSnapshot = fn(&Keyring, &AccountRing, AccountId, StreamRef, &Entry) -> Option<Snapshot>;

/// A stream as the flush sees it.
#[derive(Clone)]
pub(super) struct Slot {
    pub entry: Entry,
    /// The version it had when the flush first looked: what the append must confirm.
    base: u64,
    snapshot: TakeSnapshot,
}

/// What a decided command will be answered, once the batch is in.
pub(super) enum Verdict {
    /// Its events' places in the batch; none: it already was so.
    Events(Range<usize>),
    Refused(CommandError),
    /// Told before, at this position.
    Known(Position),
    /// Told by an earlier command of this flush, by the event at this place in the batch.
    Follows(usize),
}

/// Why one command cannot be decided.
pub(super) enum Stopped {
    /// It alone is answered.
    Command(CommandError),
    /// Nobody in the flush can be decided.
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What holds once the batch is in.
pub(super) struct Settled {
    /// The log's end as the flush knew it.
    pub head: Head,
    /// As of when the first event of the batch was stamped.
    pub first_at: Option<Timestamp>,
    pub entries: Vec<(StreamRef, Entry)>,
    pub made: Vec<Arc<DataKey>>,
    pub destroyed: Vec<KeyId>,
    /// The places in the batch of the events that destroy a key.
    pub deleting: Vec<usize>,
    pub tokens: Vec<(DedupeToken, usize)>,
}

/// A flush under way.
pub(super) struct Flushing<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) ring: Arc<AccountRing>,
    pub(super) account: AccountId,
    head: Head,
    now: Timestamp,
    pub(super) slots: HashMap<StreamRef, Slot>,
    pub(super) events: Vec<NewEvent>,
    pub(super) keys: Vec<KeyOp>,
    pub(super) made: HashMap<KeyId, Arc<DataKey>>,
    pub(super) destroyed: Vec<KeyId>,
    pub(super) deleting: Vec<usize>,
    /// The tokens of this flush, each with its event's place.
    tokens: HashMap<DedupeToken, usize>,
    /// Beginnings of streams that were read before they are looked at.
    ahead: HashMap<StreamRef, Loaded>,
}

/// How to take back one command's part of a flush.
struct Mark {
    events: usize,
    keys: usize,
    destroyed: usize,
    deleting: usize,
    slots: Vec<(StreamRef, Slot)>,
}

impl<S: EventLog + Keys + Clone> Flushing<S> {
    pub fn new(shared: Arc<Shared<S>>, ring: Arc<AccountRing>, account: AccountId, head: Head) -> Self {
        Self {
            shared,
            ring,
            account,
            head,
            now: head.recorded_at,
            slots: HashMap::new(),
            events: Vec::new(),
            keys: Vec::new(),
            made: HashMap::new(),
            destroyed: Vec::new(),
            deleting: Vec::new(),
            tokens: HashMap::new(),
            ahead: HashMap::new(),
        }
    }

    /// Reads the beginnings of all streams that are asked and not known, in one go: of many who write for the first
    /// time each would be a reading of its own.
    pub async fn look_ahead(&mut self, submissions: &[Submission]) -> Result<(), StoreError> {
        let asked =
            submissions.iter().flat_map(|submission| submission.ask.commands.iter().map(Command::stream));
        let unknown: BTreeSet<_> =
            asked.filter(|stream| self.shared.cache.state(self.account, *stream).is_none()).collect();
        if unknown.len() > 1 {
            let unknown: Vec<_> = unknown.into_iter().collect();
            for some in unknown.chunks(AHEAD_MAX) {
                self.ahead.extend(look_ahead(&self.shared.store, self.account, some.to_vec()).await?);
            }
        }
        Ok(())
    }

    /// Every stream looked at.
    pub fn streams(&self) -> Vec<StreamRef> {
        self.slots.keys().copied().collect()
    }

    /// Decides one command and what follows from it. An error is the store's, and concerns the whole flush.
    pub async fn decide(&mut self, submission: &Submission) -> Result<Verdict, StoreError> {
        self.now = self.now.max(submission.at);
        let mut mark = Mark {
            events: self.events.len(),
            keys: self.keys.len(),
            destroyed: self.destroyed.len(),
            deleting: self.deleting.len(),
            slots: Vec::new(),
        };
        let verdict = match self.run(&submission.ask, &mut mark).await {
            Ok(Some(told)) if self.events.len() == mark.events => told,
            Ok(_) => return Ok(Verdict::Events(mark.events..self.events.len())),
            Err(Stopped::Command(error)) => Verdict::Refused(error),
            // What cannot be read is one stream: whoever asks others in this flush is not concerned.
            Err(Stopped::Store(error @ StoreError::Corrupt(_))) => {
                Verdict::Refused(CommandError::Store(error))
            }
            Err(Stopped::Store(error)) => return Err(error),
        };
        self.take_back(mark);
        Ok(verdict)
    }

    /// Whether what a provider tells was told before, as far as the flush and the cache know.
    fn told_before(&self, token: DedupeToken) -> Option<Verdict> {
        let earlier = self.tokens.get(&token).map(|place| Verdict::Follows(*place));
        earlier.or_else(|| self.shared.cache.token(self.account, token).map(Verdict::Known))
    }

    fn take_back(&mut self, mark: Mark) {
        if self.events.len() > mark.events {
            self.tokens.retain(|_, place| *place < mark.events);
        }
        self.events.truncate(mark.events);
        for op in self.keys.drain(mark.keys..) {
            if let KeyOp::Create { key, .. } = op {
                self.made.remove(&key);
            }
        }
        self.destroyed.truncate(mark.destroyed);
        self.deleting.truncate(mark.deleting);
        for (stream, slot) in mark.slots.into_iter().rev() {
            self.slots.insert(stream, slot);
        }
    }

    /// Runs an asking's commands and what follows from them. One whose news was told before is passed over: its
    /// verdict is given back, and is the asking's if nothing else came of it.
    async fn run(&mut self, ask: &Ask, mark: &mut Mark) -> Result<Option<Verdict>, Stopped> {
        let mut told = None;
        let mut waiting: VecDeque<Command> = ask.commands.iter().cloned().collect();
        while let Some(command) = waiting.pop_front() {
            let token = command.token();
            if let Some(verdict) = token.and_then(|token| self.told_before(token)) {
                told = Some(verdict);
                continue;
            }
            let first = self.events.len();
            match (self.run_one(ask, command, &mut waiting, mark).await, token) {
                (Ok(()), _) => {}
                // A redelivery is one, whatever the rules say of it by now.
                (Err(Stopped::Command(refused @ CommandError::Refused(_))), Some(token)) => {
                    match self.shared.store.position_of(self.account, token).await? {
                        Some(position) => told = Some(Verdict::Known(position)),
                        None => return Err(Stopped::Command(refused)),
                    }
                }
                (Err(stopped), _) => return Err(stopped),
            }
            for place in first..self.events.len() {
                if let Some(token) = self.events[place].dedupe {
                    self.tokens.insert(token, place);
                }
            }
        }
        Ok(told)
    }

    async fn run_one(
        &mut self,
        ask: &Ask,
        command: Command,
        waiting: &mut VecDeque<Command>,
        mark: &mut Mark,
    ) -> Result<(), Stopped> {
        let stream = command.stream();
        match command {
            Command::Account(_, order) => self.handle::<Account, _>(ask, stream, order, waiting, mark).await,
            Command::Connection(_, order) => {
                self.handle::<Connection, _>(ask, stream, order, waiting, mark).await
            }
            Command::Channel(_, order) => self.handle::<Channel, _>(ask, stream, order, waiting, mark).await,
            Command::Member(_, order) => self.handle::<Member, _>(ask, stream, order, waiting, mark).await,
            Command::Reading(_, order) => self.handle::<Reading, _>(ask, stream, order, waiting, mark).await,
            Command::Conversation(_, order) => {
                self.handle::<Conversation, _>(ask, stream, order, waiting, mark).await
            }
            Command::Delivery(_, order) => {
                self.handle::<Delivery, _>(ask, stream, order, waiting, mark).await
            }
        }
    }

    /// One command of one aggregate, through `Aggregate::handle`; what follows from it joins `waiting`.
    async fn handle<A, O>(
        &mut self,
        ask: &Ask,
        stream: StreamRef,
        order: O,
        waiting: &mut VecDeque<Command>,
        mark: &mut Mark,
    ) -> Result<(), Stopped>
    where
        A: Decider + cqrs_es::Aggregate<Command = Issued<O>, Error: Into<Refusal>>,
        O: Send,
    {
        self.look::<A>(stream).await?;
        let state = self.slots[&stream].entry.state::<A>();
        let issued = Issued { on: stream.id, at: self.now, by: ask.by, order };
        let around = self.surroundings(state.consults(&issued)).await?;
        let mut new = (*state).clone();
        let sink = EventSink::default();
        new.handle(issued, &around, &sink)
            .await
            .map_err(|error| Stopped::Command(CommandError::Refused(error.into())))?;
        let events = sink.collect().await;
        if events.is_empty() {
            return Ok(());
        }
        mark.slots.push((stream, self.slots[&stream].clone()));
        for event in events {
            let event = take::<A>(event);
            waiting.extend(new.consequences(stream.id, &event.event));
            if stream.kind == StreamType::Account
                && self.slots[&stream].entry.version == 0
                && let Some(keys) = ask.create_account.clone()
            {
                self.keys.push(KeyOp::CreateAccount(keys));
            }
            self.record(ask, stream, event).await?;
        }
        self.slot(stream).entry.set(new);
        Ok(())
    }

    pub(super) fn slot(&mut self, stream: StreamRef) -> &mut Slot {
        self.slots.get_mut(&stream).expect("a stream is looked at before it is changed")
    }

    /// Makes sure that the flush has the stream's state.
    async fn look<A: Decider>(&mut self, stream: StreamRef) -> Result<(), StoreError> {
        if self.slots.contains_key(&stream) {
            return Ok(());
        }
        let (store, keyring) = (&self.shared.store, &self.shared.keyring);
        let entry = match self.shared.cache.state(self.account, stream) {
            Some(entry) => entry,
            None => match self.ahead.remove(&stream) {
                Some(loaded) => load_from::<A>(store, keyring, self.account, stream, loaded).await?,
                None => load::<A>(store, keyring, self.account, stream).await?,
            },
        };
        let base = entry.version;
        self.slots.insert(stream, Slot { entry, base, snapshot: snapshot::<A> });
        Ok(())
    }

    async fn surroundings(&mut self, consulted: Vec<StreamRef>) -> Result<Surroundings, StoreError> {
        let mut around = Surroundings { head: self.head.position, ..Surroundings::default() };
        for stream in consulted {
            match stream.kind {
                StreamType::Member => {
                    self.look::<Member>(stream).await?;
                    around.members.push((MemberId::new(stream.id), self.slots[&stream].entry.state()));
                }
                StreamType::Channel => {
                    self.look::<Channel>(stream).await?;
                    around.channels.push((ChannelId::new(stream.id), self.slots[&stream].entry.state()));
                }
                StreamType::Connection => {
                    self.look::<Connection>(stream).await?;
                    around
                        .connections
                        .push((ConnectionId::new(stream.id), self.slots[&stream].entry.state()));
                }
                StreamType::Conversation => {
                    self.look::<Conversation>(stream).await?;
                    around
                        .conversations
                        .push((ConversationId::new(stream.id), self.slots[&stream].entry.state()));
                }
                // No decision looks at these.
                StreamType::Account | StreamType::Reading | StreamType::Delivery => {}
            }
        }
        Ok(around)
    }

    /// The batch, and what holds once it is in.
    pub fn into_batch(self) -> (Batch, Settled) {
        let mut batch = Batch::new(self.account);
        let mut entries = Vec::with_capacity(self.slots.len());
        for (stream, mut slot) in self.slots {
            batch.expectations.push(Expectation { stream, version: slot.base });
            if slot.entry.version > slot.base
                && slot.entry.version - slot.entry.snapshot_version >= SNAPSHOT_EVERY
            {
                let taken =
                    (slot.snapshot)(&self.shared.keyring, &self.ring, self.account, stream, &slot.entry);
                if let Some(taken) = taken {
                    slot.entry.snapshot_version = taken.version;
                    batch.snapshots.push(taken);
                }
            }
            entries.push((stream, slot.entry));
        }
        batch.events = self.events;
        batch.keys = self.keys;
        let settled = Settled {
            head: self.head,
            first_at: batch.events.first().map(|event| event.recorded_at),
            entries,
            made: self.made.into_values().filter(|key| !self.destroyed.contains(&key.id)).collect(),
            destroyed: self.destroyed,
            deleting: self.deleting,
            tokens: self.tokens.into_iter().collect(),
        };
        (batch, settled)
    }
}

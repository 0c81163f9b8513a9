//! The rows that ours left for a number of messages, as PostgreSQL takes them: arrays for statements, tuples for COPY.

use std::collections::HashSet;

use parlance_domain::{KeyId, RecordedEvent};
use parlance_store::{EventLog as _, Keys as _, NAMED_MAX, StoredKey};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::world::{Place, World};

/// Conversations begin and go on.
pub const MESSAGES_PER_CONTACT: usize = 20;
const PAGE: usize = 1_000;

/// An event's row, with the key that was made for it.
pub struct Row {
    pub event: RecordedEvent,
    pub key: Option<(Uuid, Vec<u8>)>,
}

/// What the command path of the embedded store leaves for `messages` messages, of one account; events are the same on
/// every store, byte for byte.
pub async fn sample(place: &Place, messages: usize) -> anyhow::Result<Vec<Row>> {
    let world = World::create(place, 1).await?;
    let contacts = (messages / MESSAGES_PER_CONTACT).max(1);
    world.run(world.messages(messages, contacts), 64).await?;
    let (store, account) = (&world.parlance.store, world.accounts[0].id);
    let (mut rows, mut known) = (Vec::new(), HashSet::new());
    let mut after = parlance_domain::Position::START;
    loop {
        let page = store.read(account, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = last.position;
        for event in page {
            let new = event.key.filter(|key| known.insert(*key));
            rows.push(Row { event, key: new.map(|key| (key.uuid(), Vec::new())) });
        }
        let missing: Vec<_> = rows.iter_mut().filter_map(|row| row.key.as_mut()).collect();
        let mut missing: Vec<_> = missing.into_iter().filter(|(_, wrapped)| wrapped.is_empty()).collect();
        for some in missing.chunks_mut(NAMED_MAX) {
            let ids = some.iter().map(|(id, _)| KeyId::new(*id)).collect();
            for (key, found) in some.iter_mut().zip(store.data_keys(account, ids).await?) {
                match found {
                    StoredKey::Wrapped(wrapped) => key.1 = wrapped,
                    other => anyhow::bail!("a key that was just made is {other:?}"),
                }
            }
        }
    }
}

/// The columns of `events`, in order, with what they are.
pub const COLUMNS: &str = "account_id, position, stream_type, stream_id, version, event_type, schema_version,
    recorded_at, actor_kind, actor_id, actor_reason, correlation_id, causation_id, payload, sealed, key_id, dedupe";
pub const TYPES: [Type; 17] = [
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::INT4,
    Type::INT8,
    Type::TEXT,
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::UUID,
    Type::BYTEA,
    Type::BYTEA,
    Type::UUID,
    Type::UUID,
];
pub const KEY_COLUMNS: &str = "account_id, key_id, destroyed, wrapped";

/// An event's values, in the order of [`COLUMNS`].
pub struct Values<'a> {
    account: Uuid,
    position: i64,
    stream_type: &'a str,
    stream_id: Uuid,
    version: i64,
    event_type: &'a str,
    schema_version: i32,
    recorded_at: i64,
    actor_kind: &'a str,
    actor_id: Option<Uuid>,
    actor_reason: Option<&'a str>,
    correlation: Uuid,
    causation: Uuid,
    payload: &'a [u8],
    sealed: Option<&'a [u8]>,
    key: Option<Uuid>,
    dedupe: Option<Uuid>,
}

impl<'a> Values<'a> {
    pub fn of(event: &'a RecordedEvent) -> anyhow::Result<Self> {
        let (actor_kind, actor_id, actor_reason) = event.actor.to_columns();
        Ok(Self {
            account: event.account.uuid(),
            position: i64::try_from(event.position.number())?,
            stream_type: event.stream.kind.as_str(),
            stream_id: event.stream.id,
            version: i64::try_from(event.version)?,
            event_type: &event.event_type,
            schema_version: i32::from(event.schema_version),
            recorded_at: event.recorded_at.micros(),
            actor_kind,
            actor_id,
            actor_reason,
            correlation: event.correlation.uuid(),
            causation: event.causation.uuid(),
            payload: &event.payload,
            sealed: event.sealed.as_deref(),
            key: event.key.map(KeyId::uuid),
            dedupe: event.dedupe.map(|token| Uuid::from_bytes(token.bytes())),
        })
    }

    pub fn params(&self) -> [&(dyn ToSql + Sync); 17] {
        [
            &self.account,
            &self.position,
            &self.stream_type,
            &self.stream_id,
            &self.version,
            &self.event_type,
            &self.schema_version,
            &self.recorded_at,
            &self.actor_kind,
            &self.actor_id,
            &self.actor_reason,
            &self.correlation,
            &self.causation,
            &self.payload,
            &self.sealed,
            &self.key,
            &self.dedupe,
        ]
    }
}

/// A multi-row insert's arrays, in the order of [`COLUMNS`].
pub struct Arrays<'a>(Vec<Values<'a>>);

macro_rules! arrays {
    ($rows:expr; $($field:ident),*) => {
        vec![$(Box::new($rows.iter().map(|row| row.$field).collect::<Vec<_>>()) as Box<dyn ToSql + Sync + '_>),*]
    };
}

impl<'a> Arrays<'a> {
    pub fn of(rows: &'a [Row]) -> anyhow::Result<Self> {
        Ok(Self(rows.iter().map(|row| Values::of(&row.event)).collect::<Result<_, _>>()?))
    }

    pub fn boxed(&self) -> Vec<Box<dyn ToSql + Sync + '_>> {
        arrays!(self.0; account, position, stream_type, stream_id, version, event_type, schema_version, recorded_at,
                actor_kind, actor_id, actor_reason, correlation, causation, payload, sealed, key, dedupe)
    }
}

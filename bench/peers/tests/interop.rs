//! Whoever knows postgres-es can read our log with it: its stock repository, event store and replay over the view
//! `events_postgres_es`.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, sync::Mutex};

use cqrs_es::{
    Aggregate, DomainEvent, EventEnvelope, EventStore as _, Query,
    event_sink::EventSink,
    persist::{PersistedEventRepository as _, PersistedEventStore, QueryReplay, SerializedEvent},
};
use parlance_domain::{
    AccountId, Actor, CommandId, ConversationId, CorrelationId, DedupeToken, KeyId, RecordedEvent,
    StoredEvent as _, StreamRef, StreamType, Timestamp, conversation::ConversationEvent,
};
use parlance_private_postgres::{Database, Server};
use parlance_store::{Batch, EventLog as _, Expectation, NewEvent, Outcome};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, Pool, Postgres, Row as _};
use uuid::Uuid;

/// An event as a program of somebody else's would declare it: here with the shapes that we publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Told(ConversationEvent);

impl DomainEvent for Told {
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }

    fn event_version(&self) -> String {
        format!("{}.0.0", self.0.schema_version())
    }
}

/// What somebody else makes of a conversation: how often what happened.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watched(BTreeMap<String, usize>);

impl Aggregate for Watched {
    const TYPE: &'static str = "conversation";
    type Command = ();
    type Event = Told;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, event: Told) {
        *self.0.entry(event.event_type()).or_default() += 1;
    }
}

/// Keeps what a replay brings.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(String, usize)>>>);

#[async_trait::async_trait]
impl Query<Watched> for Kept {
    async fn dispatch(&self, id: &str, events: &[EventEnvelope<Watched>]) {
        let mut kept = self.0.lock().expect("no panic while locked");
        kept.extend(events.iter().map(|event| (id.to_owned(), event.sequence)));
    }
}

/// A migrated database, with its store and with a pool as postgres-es wants it.
async fn opened(server: &Server) -> (Database, PostgresStore, Pool<Postgres>) {
    let database = server.empty_database().await;
    PostgresStore::migrate(&database.url).await.expect("an empty database can be migrated");
    let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await.expect("a store");
    let pool = postgres_es::default_postgress_pool(&database.url).await;
    (database, store, pool)
}

fn repository(pool: &Pool<Postgres>) -> PostgresEventRepository {
    PostgresEventRepository::new(pool.clone()).with_tables("events_postgres_es", "snapshots_postgres_es")
}

/// Every shape a conversation's event was ever stored in, one after the other.
fn events(stream: StreamRef) -> Vec<NewEvent> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/domain/fixtures/conversation");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() > 20, "the fixtures were found");
    let event = |(place, path): (usize, &std::path::PathBuf)| {
        let text = fs::read_to_string(path).expect("a fixture is text");
        let fixture: Value = serde_json::from_str(&text).expect("a fixture is JSON");
        let payload = fixture["payload"].to_string().into_bytes();
        let name = fixture["event_type"].as_str().expect("a type");
        let decoded = ConversationEvent::from_payload(name, &payload).expect("a fixture loads");
        let number = place as u128 + 1;
        NewEvent {
            stream,
            version: place as u64 + 1,
            event_type: decoded.event_type(),
            schema_version: decoded.schema_version(),
            recorded_at: Timestamp::from_micros(1_789_999_997_500_000),
            actor: Actor::Contact(ConversationId::new(stream.id)),
            correlation: CorrelationId::new(Uuid::from_u128(number)),
            causation: CommandId::new(Uuid::from_u128(number << 8)),
            payload,
            sealed: fixture.get("personal").map(|_| [1, 0, 255, 254].repeat(40)),
            key: fixture.get("personal").map(|_| KeyId::new(Uuid::from_u128(77))),
            dedupe: Some(DedupeToken::from_bytes((stream.id.as_u128() ^ number).to_be_bytes())),
        }
    };
    files.iter().enumerate().map(event).collect()
}

async fn append(store: &PostgresStore, account: AccountId, stream: StreamRef) -> Vec<RecordedEvent> {
    let mut batch = Batch::new(account);
    batch.expectations.push(Expectation { stream, version: 0 });
    batch.events = events(stream);
    let outcome = store.append(batch).await.expect("a store that works");
    assert!(matches!(outcome, Outcome::Appended(_)), "{outcome:?}");
    store.read_stream(account, stream, 0, 1_000).await.expect("a store that works")
}

/// What our row has to look like there.
fn shown(row: &RecordedEvent) -> SerializedEvent {
    let payload: Value = serde_json::from_slice(&row.payload).expect("payloads are JSON");
    let mut metadata = serde_json::json!({
        "position": row.position.number().to_string(),
        "recorded_at": row.recorded_at.micros().to_string(),
        "actor_kind": "contact",
        "actor_id": row.stream.id.to_string(),
        "correlation_id": row.correlation.uuid().to_string(),
        "causation_id": row.causation.uuid().to_string(),
    });
    if let Some(token) = row.dedupe {
        metadata["dedupe"] = Uuid::from_bytes(token.bytes()).to_string().into();
    }
    if let (Some(sealed), Some(key)) = (&row.sealed, row.key) {
        use base64::Engine as _;
        metadata["sealed"] = base64::prelude::BASE64_STANDARD.encode(sealed).into();
        metadata["key_id"] = key.uuid().to_string().into();
    }
    SerializedEvent::new(
        id(row.account, row.stream),
        usize::try_from(row.version).expect("few"),
        "conversation".to_owned(),
        row.event_type.clone(),
        format!("{}.0.0", row.schema_version),
        serde_json::json!({ &row.event_type: payload }),
        metadata,
    )
}

fn id(account: AccountId, stream: StreamRef) -> String {
    format!("{}/{}", account.uuid(), stream.id)
}

#[tokio::test]
async fn the_stock_repository_reads_our_log() {
    let Some(server) = Server::shared() else { return };
    let (_database, store, pool) = opened(server).await;
    let [mine, other] = [1, 2].map(|number| AccountId::new(Uuid::from_u128(number)));
    let stream = StreamRef::new(StreamType::Conversation, Uuid::from_u128(0xABCDEF));
    // Somebody else's stream of the same name, and another kind of stream of the same name, are not in it.
    let recorded = append(&store, mine, stream).await;
    append(&store, other, stream).await;
    let reading = StreamRef::new(StreamType::Reading, stream.id);
    let mut batch = Batch::new(mine);
    batch.expectations.push(Expectation { stream: reading, version: 0 });
    batch.events = vec![NewEvent { stream: reading, dedupe: None, ..events(stream).swap_remove(0) }];
    assert!(matches!(store.append(batch).await.unwrap(), Outcome::Appended(_)));

    let id = id(mine, stream);
    let read = repository(&pool).get_events::<Watched>(&id).await.unwrap();
    assert_eq!(read, recorded.iter().map(shown).collect::<Vec<_>>());
    let last = repository(&pool).get_last_events::<Watched>(&id, 20).await.unwrap();
    assert_eq!(last, read[20..]);
    assert!(repository(&pool).get_events::<Watched>("nobody/nothing").await.unwrap().is_empty());
}

#[tokio::test]
async fn its_event_store_loads_an_aggregate_and_its_replay_passes_over_all() {
    let Some(server) = Server::shared() else { return };
    let (_database, store, pool) = opened(server).await;
    let accounts = [1, 2].map(|number| AccountId::new(Uuid::from_u128(number)));
    let stream = StreamRef::new(StreamType::Conversation, Uuid::from_u128(0xABCDEF));
    let recorded = append(&store, accounts[0], stream).await;
    append(&store, accounts[1], stream).await;

    let mut expected = Watched::default();
    for row in &recorded {
        expected.apply(Told(row.decode_as().unwrap()));
    }
    let events = PersistedEventStore::<_, Watched>::new_event_store(repository(&pool));
    let loaded = events.load_aggregate(&id(accounts[0], stream)).await.unwrap();
    assert_eq!(loaded.aggregate, expected);
    assert_eq!(loaded.current_sequence, recorded.len());

    let kept = Kept::default();
    QueryReplay::new(repository(&pool), kept.clone()).replay_all().await.unwrap();
    let mut seen = kept.0.lock().unwrap().clone();
    seen.sort();
    let all = |account| (1..=recorded.len()).map(move |sequence| (id(account, stream), sequence));
    assert_eq!(seen, accounts.into_iter().flat_map(all).collect::<Vec<_>>());
}

#[tokio::test]
async fn it_can_only_read() {
    let Some(server) = Server::shared() else { return };
    let (_database, store, pool) = opened(server).await;
    let account = AccountId::new(Uuid::from_u128(1));
    let stream = StreamRef::new(StreamType::Conversation, Uuid::from_u128(0xABCDEF));
    let recorded = append(&store, account, stream).await;
    let next = SerializedEvent { sequence: recorded.len() + 1, ..shown(&recorded[0]) };
    repository(&pool).persist::<Watched>(&[next], None).await.unwrap_err();
    assert_eq!(store.read_stream(account, stream, 0, 1_000).await.unwrap(), recorded);
}

/// The repository's statements, as its own test pins them, for this view.
const STATEMENTS: [&str; 2] = [
    "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata
       FROM events_postgres_es
       WHERE aggregate_type = $1 AND aggregate_id = $2
       ORDER BY sequence",
    "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata
       FROM events_postgres_es
       WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > 2
       ORDER BY sequence",
];

/// 50,000 events in 10,000 streams of three accounts.
const FILL: &str = "INSERT INTO events
    SELECT md5('account' || n % 3)::uuid, n, 'conversation', md5('stream' || n / 15 || n % 3)::uuid, n / 3 % 5 + 1,
           'Closed', 1, n, 'contact', NULL, NULL, md5('c' || n)::uuid, md5('d' || n)::uuid,
           convert_to('{\"incarnation\":1}', 'UTF8'), NULL, NULL, NULL
    FROM generate_series(0, 49999) AS n";

#[tokio::test]
async fn an_aggregate_is_found_by_index_range_scans() {
    let Some(server) = Server::shared() else { return };
    let (database, _store, _pool) = opened(server).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql(FILL).execute(&mut connection).await.unwrap();
    let id: String = sqlx::query_scalar(
        "SELECT aggregate_id FROM events_postgres_es WHERE aggregate_type = 'conversation' LIMIT 1",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let mut number = 0;
    for statistics in ["", "ANALYZE"] {
        sqlx::raw_sql(statistics).execute(&mut connection).await.unwrap();
        for plan in ["force_custom_plan", "force_generic_plan"] {
            let set = format!("SET plan_cache_mode = {plan}");
            sqlx::raw_sql(&set).execute(&mut connection).await.unwrap();
            for statement in STATEMENTS {
                number += 1;
                let sql = format!(
                    "PREPARE q{number}(text, text) AS {statement};
                     EXPLAIN EXECUTE q{number}('conversation', '{id}')"
                );
                let lines = sqlx::raw_sql(&sql).fetch_all(&mut connection).await.unwrap();
                let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
                let plan = plan.join("\n");
                assert!(!plan.contains("Seq Scan"), "{statistics} {plan}");
                assert!(
                    plan.contains("events_first_by_text") && plan.contains("events_by_version"),
                    "{plan}"
                );
            }
        }
    }
}

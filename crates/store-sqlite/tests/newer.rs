//! What a newer release wrote, read by this one.

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, OperatorId, Position, StreamRef, StreamType, Timestamp,
};
use parlance_store::{Batch, EventLog as _, Expectation, NewEvent, Outcome};
use parlance_store_sqlite::{SqliteOptions, SqliteStore};
use uuid::Uuid;

#[tokio::test]
async fn a_touched_stream_of_an_unknown_type_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let account = AccountId::new(Uuid::from_u128(1));
    let streams = [2, 3].map(|id| StreamRef::new(StreamType::Conversation, Uuid::from_u128(id)));
    let event = |stream, version| NewEvent {
        stream,
        version,
        event_type: "Noted",
        schema_version: 1,
        recorded_at: Timestamp::from_micros(1),
        actor: Actor::Operator(OperatorId::COMMAND_LINE),
        correlation: CorrelationId::default(),
        causation: CommandId::default(),
        payload: vec![b'x'],
        sealed: None,
        key: None,
        dedupe: None,
    };
    let batch = Batch {
        expectations: streams.map(|stream| Expectation { stream, version: 0 }).to_vec(),
        events: vec![event(streams[0], 1), event(streams[1], 1), event(streams[0], 2)],
        ..Batch::new(account)
    };
    assert!(matches!(store.append(batch).await, Ok(Outcome::Appended(_))));
    rusqlite::Connection::open(&path)
        .and_then(|beside| {
            beside.execute("UPDATE streams SET stream_type = 'novelty' WHERE stream_no = 2", [])
        })
        .unwrap();
    let touched = store.touched(account, Position::START, 10).await.unwrap();
    let told: Vec<_> = touched.iter().map(|touched| (touched.position.number(), touched.stream)).collect();
    assert_eq!(told, [(1, streams[0]), (3, streams[0])]);
}

//! One stored event of every shape ever released. All must load for ever: a fixture that was released is
//! never changed or removed, a new shape gets a new file, `<EventType>.v<schema>[.<variant>].json`.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a failed unwrap is a failed assertion, in its helpers too"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DecodeError, DedupeToken, Event, KeyId, OperatorId,
    PersonalPart, Position, RecordedEvent, StreamRef, StreamType, Timestamp, catalogue, destroys_key,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A fixture file, and where it lies.
struct Fixture {
    path: PathBuf,
    kind: StreamType,
    event_type: String,
    schema_version: u16,
    payload: Value,
    personal: Option<Value>,
}

fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let list = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut files: Vec<_> = list(&root).iter().flat_map(|folder| list(folder)).collect();
    files.sort();
    files.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Fixture {
    let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let kind = StreamType::parse(folder).unwrap_or_else(|| panic!("no aggregate is called {folder}"));
    let mut stored: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    Fixture {
        kind,
        event_type: stored["event_type"].as_str().unwrap().to_owned(),
        schema_version: stored["schema_version"].as_u64().unwrap().try_into().unwrap(),
        payload: stored["payload"].take(),
        personal: Some(stored["personal"].take()).filter(|personal| !personal.is_null()),
        path,
    }
}

impl Fixture {
    fn row(&self) -> RecordedEvent {
        RecordedEvent {
            account: AccountId::default(),
            position: Position::new(1),
            stream: StreamRef::new(self.kind, Uuid::from_u128(7)),
            version: 1,
            event_type: self.event_type.clone(),
            schema_version: self.schema_version,
            recorded_at: Timestamp::from_micros(1_790_000_000_000_000),
            actor: Actor::Operator(OperatorId::COMMAND_LINE),
            correlation: CorrelationId::default(),
            causation: CommandId::default(),
            payload: serde_json::to_vec(&self.payload).unwrap(),
            sealed: None,
            key: None,
            dedupe: None,
        }
    }

    /// The event, its personal part opened.
    fn load(&self) -> Event {
        let mut event =
            self.row().decode().unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        if let Some(personal) = &self.personal {
            let part = event.facts_mut().personal_mut();
            let part = part.unwrap_or_else(|| panic!("{} has no personal part", self.path.display()));
            part.set_plaintext(&serde_json::to_vec(personal).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        }
        event
    }

    fn is_newest(&self) -> bool {
        catalogue().contains(&(self.kind, self.event_type.as_str(), self.schema_version))
    }
}

#[test]
fn every_fixture_loads_and_lies_under_its_own_name() {
    for fixture in fixtures() {
        assert_eq!(fixture.load().event_type(), fixture.event_type);
        let name = fixture.path.file_name().unwrap().to_str().unwrap();
        let prefix = format!("{}.v{}.", fixture.event_type, fixture.schema_version);
        assert!(name.starts_with(&prefix) && name.ends_with(".json"), "{name} holds {prefix}");
    }
}

#[test]
fn a_fixture_holds_a_personal_part_exactly_when_its_event_has_one() {
    for fixture in fixtures() {
        let has = fixture.load().facts().personal().is_some();
        assert_eq!(has, fixture.personal.is_some(), "{}", fixture.path.display());
    }
}

#[test]
fn an_event_of_the_newest_shape_is_written_as_it_was_read() {
    for fixture in fixtures().iter().filter(|fixture| fixture.is_newest()) {
        let event = fixture.load();
        let payload: Value = serde_json::from_slice(&event.payload()).unwrap();
        assert_eq!(payload, fixture.payload, "{}", fixture.path.display());
        let plaintext = event.facts().personal().and_then(PersonalPart::plaintext);
        let personal: Option<Value> = plaintext.map(|bytes| serde_json::from_slice(&bytes).unwrap());
        assert_eq!(personal, fixture.personal, "{}", fixture.path.display());
    }
}

#[test]
fn every_shape_in_the_catalogue_has_a_fixture_and_no_fixture_is_of_another() {
    let known: BTreeSet<_> = catalogue()
        .into_iter()
        .flat_map(|(kind, name, newest)| (1..=newest).map(move |version| (kind, name.to_owned(), version)))
        .collect();
    let stored: BTreeSet<_> = fixtures()
        .into_iter()
        .map(|fixture| (fixture.kind, fixture.event_type, fixture.schema_version))
        .collect();
    assert_eq!(known.difference(&stored).collect::<Vec<_>>(), Vec::<&_>::new(), "shapes without a fixture");
    assert_eq!(stored.difference(&known).collect::<Vec<_>>(), Vec::<&_>::new(), "fixtures of no shape");
}

#[test]
fn no_two_streams_have_an_event_of_the_same_name() {
    let names: Vec<_> = catalogue().into_iter().map(|(_, name, _)| name).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), distinct.len());
    let kinds: BTreeSet<_> = catalogue().into_iter().map(|(kind, _, _)| kind).collect();
    assert!(StreamType::ALL.iter().all(|kind| kinds.contains(kind)));
}

#[test]
fn a_field_that_a_later_release_adds_is_ignored() {
    for mut fixture in fixtures() {
        let today = fixture.load();
        fixture.payload["added_in_the_year_2031"] = json!({"ő": [1, null]});
        if let Some(personal) = &mut fixture.personal {
            personal["added_in_the_year_2031"] = json!("ű");
        }
        assert_eq!(fixture.load(), today);
    }
}

#[test]
fn nothing_personal_stands_in_the_clear_part() {
    for fixture in fixtures() {
        let mut event = fixture.load();
        let open = event.payload();
        if let Some(part) = event.facts_mut().personal_mut() {
            part.erase();
        }
        assert_eq!(event.payload(), open, "{}", fixture.path.display());
    }
}

#[test]
fn a_personal_part_stays_sealed_until_it_is_opened() {
    for fixture in fixtures() {
        let key = KeyId::new(Uuid::from_u128(9));
        let row = RecordedEvent { sealed: Some(vec![1, 2, 3]), key: Some(key), ..fixture.row() };
        let event = row.decode().unwrap();
        let part = event.facts().personal();
        assert_eq!(part.is_some(), fixture.personal.is_some());
        if let Some(part) = part {
            assert_eq!(part.plaintext(), None);
            assert_eq!(part.sealed(), row.sealed_part().as_ref());
        }
    }
}

#[test]
fn a_shape_newer_than_this_build_is_refused_by_name() {
    for (_, name, known) in catalogue() {
        let mut fixture = fixtures().into_iter().find(|fixture| fixture.event_type == name).unwrap();
        fixture.schema_version = known + 1;
        let error = DecodeError::TooNew { event_type: name.to_owned(), stored: known + 1, known };
        assert_eq!(fixture.row().decode(), Err(error));
    }
}

#[test]
fn an_event_of_another_stream_or_another_shape_is_refused() {
    let mut fixture = fixtures().into_iter().find(|fixture| fixture.event_type == "Assigned").unwrap();
    fixture.payload["assignee"] = json!("conv_7");
    assert!(matches!(fixture.row().decode(), Err(DecodeError::Payload { .. })));
    fixture.kind = StreamType::Member;
    let unknown = DecodeError::UnknownType { stream: "member", event_type: "Assigned".to_owned() };
    assert_eq!(fixture.row().decode(), Err(unknown));
}

#[test]
fn what_a_provider_told_carries_its_token() {
    let told_once = [
        "MessageReceived",
        "MessageEchoed",
        "MessageReacted",
        "MessageEdited",
        "MessageUnsent",
        "MessageSkipped",
        "MessageDelivered",
        "MessageRead",
    ];
    for fixture in fixtures() {
        let token: Option<DedupeToken> = fixture.load().facts().dedupe();
        let expected = told_once.contains(&fixture.event_type.as_str());
        assert_eq!(token.is_some(), expected, "{}", fixture.path.display());
    }
}

#[test]
fn what_destroys_a_key_is_known_by_its_name() {
    for fixture in fixtures() {
        let destroys = fixture.load().facts().destroys_key().is_some();
        assert_eq!(destroys_key(&fixture.event_type), destroys, "{}", fixture.event_type);
    }
    assert!(destroys_key("OfANewerRelease"));
}

//! The file itself: full, held, foreign, damaged, opened again.

use std::{fs, path::Path};

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, OperatorId, Position, StreamRef, StreamType,
};
use parlance_store::{
    Batch, EventLog as _, Expectation, Head, KeyOp, Keys as _, NewEvent, Outcome, StoreError, StoredKey,
};
use parlance_store_sqlite::{SqliteOptions, SqliteStore};
use uuid::Uuid;

const ACCOUNT: AccountId = AccountId::new(Uuid::from_u128(1));
const STREAM: StreamRef = StreamRef::new(StreamType::Conversation, Uuid::from_u128(2));

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, SqliteOptions::default())
}

/// One event of `bytes` bytes after `version`.
fn batch(version: u64, bytes: usize) -> Batch {
    let event = NewEvent {
        stream: STREAM,
        version: version + 1,
        event_type: "Noted",
        schema_version: 1,
        recorded_at: parlance_domain::Timestamp::from_micros(1),
        actor: Actor::Operator(OperatorId::COMMAND_LINE),
        correlation: CorrelationId::default(),
        causation: CommandId::default(),
        payload: vec![b'x'; bytes],
        sealed: None,
        key: None,
        dedupe: None,
    };
    let expectations = vec![Expectation { stream: STREAM, version }];
    Batch { expectations, events: vec![event], ..Batch::new(ACCOUNT) }
}

async fn append(store: &SqliteStore, version: u64, bytes: usize) {
    let outcome = store.append(batch(version, bytes)).await;
    assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{outcome:?}");
}

async fn head(store: &SqliteStore) -> Head {
    store.head(ACCOUNT).await.expect("a head can be read")
}

#[tokio::test]
async fn a_full_disk_takes_nothing_by_halves_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let store =
        SqliteStore::open(&path, SqliteOptions { max_pages: Some(200), ..SqliteOptions::default() }).unwrap();
    let key = parlance_domain::KeyId::new(Uuid::from_u128(9));
    let mut version = 0;
    let full = loop {
        match store.append(batch(version, 40_000)).await {
            Ok(Outcome::Appended(_)) => version += 1,
            other => break other,
        }
        assert!(version < 200, "the disk never was full");
    };
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    assert!(version > 3);
    let mut with_key = batch(version, 1_000_000);
    with_key.keys.push(KeyOp::Create { key, wrapped: vec![1] });
    let again = store.append(with_key).await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    assert_eq!(store.data_key(ACCOUNT, key).await, Ok(StoredKey::Absent));
    assert_eq!(store.stopped(), None, "a full disk is no reason to stop");
    assert_eq!(head(&store).await.position, Position::new(version));
    let read = store.read(ACCOUNT, Position::START, usize::MAX).await.unwrap();
    assert_eq!(u64::try_from(read.len()).unwrap(), version);
    // What still fits is taken, at the next position.
    append(&store, version, 10).await;
    drop(store);
    let store = open(&path).unwrap();
    append(&store, version + 1, 40_000).await;
    assert_eq!(head(&store).await.position, Position::new(version + 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_each_or_none_of_the_events_of_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { max_pages: Some(150), ..SqliteOptions::default() };
    let store = SqliteStore::open(&folder.path().join("parlance.db"), options).unwrap();
    let tasks: Vec<_> = (10..40)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let account = AccountId::new(Uuid::from_u128(number));
                let first = batch(0, 9_000);
                let second = NewEvent { version: 2, ..first.events[0].clone() };
                let events = vec![first.events[0].clone(), second];
                let outcome = store.append(Batch { account, events, ..first }).await;
                let count = match &outcome {
                    Ok(Outcome::Appended(_)) => 2,
                    Err(StoreError::Unavailable(_)) => 0,
                    other => panic!("{other:?}"),
                };
                (account, count)
            })
        })
        .collect();
    let mut counts = Vec::new();
    for task in tasks {
        let (account, count) = task.await.unwrap();
        assert_eq!(store.read(account, Position::START, 10).await.unwrap().len(), count);
        assert_eq!(store.head(account).await.unwrap().position.number(), u64::try_from(count).unwrap());
        counts.push(count);
    }
    assert!(counts.contains(&0), "the disk never was full");
}

#[tokio::test]
async fn a_second_open_is_refused_by_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let store = open(&path).unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link, &folder.path().join(".").join("parlance.db")] {
        let second = open(name).map(|_| ());
        assert!(matches!(second, Err(StoreError::Unavailable(_))), "{second:?}");
    }
    append(&store, 0, 10).await;
    let clone = store.clone();
    drop(store);
    assert!(open(&path).is_err(), "a clone holds it still");
    drop(clone);
    open(&path).unwrap();
}

#[tokio::test]
async fn what_was_stored_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let mut written = Vec::new();
    for round in 0..4 {
        let store = open(&path).unwrap();
        assert_eq!(store.read(ACCOUNT, Position::START, 100).await.unwrap(), written);
        append(&store, round, 10).await;
        written = store.read(ACCOUNT, Position::START, 100).await.unwrap();
    }
    let store = open(&path).unwrap();
    assert_eq!(head(&store).await.position, Position::new(4));
}

/// What a crash leaves: the files as they lie, without an orderly end.
#[tokio::test]
async fn what_was_answered_is_there_after_a_crash() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder.path().join("parlance.db")).unwrap();
    for version in 0..20 {
        append(&store, version, 3_000).await;
    }
    for file in ["parlance.db", "parlance.db-wal"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let crashed = open(&copy.path().join("parlance.db")).unwrap();
    assert_eq!(head(&crashed).await.position, Position::new(20));
    append(&crashed, 20, 10).await;
}

/// That the file is refused, and not a byte of it changed.
fn refused(path: &Path) {
    let before = fs::read(path).expect("a file can be read");
    let opened = open(path).map(|_| ());
    assert!(matches!(opened, Err(StoreError::Corrupt(_))), "{opened:?}");
    assert!(fs::read(path).is_ok_and(|after| after == before), "the file was changed");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    fs::write(&path, "Dear customer, ".repeat(1_000)).unwrap();
    refused(&path);
    fs::write(&path, "short").unwrap();
    refused(&path);
}

#[tokio::test]
async fn somebody_else_s_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    let theirs = rusqlite::Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE letters (text TEXT); INSERT INTO letters VALUES ('dear');").unwrap();
    drop(theirs);
    refused(&path);
}

#[tokio::test]
async fn half_a_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let store = open(&path).unwrap();
    for version in 0..20 {
        append(&store, version, 50_000).await;
    }
    drop(store);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused(&path);
}

#[tokio::test]
async fn a_path_that_cannot_be_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("absent").join("parlance.db"), folder.path().to_owned()] {
        let opened = open(&path).map(|_| ());
        assert!(matches!(opened, Err(StoreError::Unavailable(_))), "{opened:?}");
    }
}

/// SQLite knows by its locks who else has the file open: another program that closes it would otherwise take
/// itself for the last one, and remove the write-ahead log under the server.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn sqlite_keeps_its_locks_on_the_file_as_long_as_the_store_is_open() {
    use std::os::unix::fs::MetadataExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let locked = || {
        let inode = fs::metadata(&path).unwrap().ino();
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|lock| {
            let mut words = lock.split_whitespace();
            words.any(|word| word.rsplit_once(':').is_some_and(|(_, number)| number == inode.to_string()))
        })
    };
    for _ in 0..2 {
        let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
        assert!(locked(), "a lock is held on the database");
        drop(store);
        assert!(!locked(), "the check tells the difference");
    }
}

//! The write-ahead log: it stays short, and a destroyed key does not live on in it.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, KeyId, OperatorId, Position, StreamRef, StreamType, Timestamp,
};
use parlance_store::{
    Batch, EventLog as _, Expectation, KeyOp, Keys as _, NewEvent, Outcome, StoreError, StoredKey,
};
use parlance_store_sqlite::{SqliteOptions, SqliteStore};
use uuid::Uuid;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).expect("the store opens")
}

/// `count` events of `bytes` bytes after `version` of the account's one stream.
fn batch(account: AccountId, version: u64, count: u64, bytes: usize) -> Batch {
    let stream = StreamRef::new(StreamType::Conversation, Uuid::from_u128(2));
    let event = |next| NewEvent {
        stream,
        version: version + next,
        event_type: "Noted",
        schema_version: 1,
        recorded_at: Timestamp::from_micros(1),
        actor: Actor::Operator(OperatorId::COMMAND_LINE),
        correlation: CorrelationId::default(),
        causation: CommandId::default(),
        payload: vec![b'x'; bytes],
        sealed: None,
        key: None,
        dedupe: None,
    };
    let expectations = vec![Expectation { stream, version }];
    Batch { expectations, events: (1..=count).map(event).collect(), ..Batch::new(account) }
}

async fn append(store: &SqliteStore, batch: Batch) {
    let outcome = store.append(batch).await;
    assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{outcome:?}");
}

/// Readers that read without a pause until they are told to stop.
fn read_on(
    store: &SqliteStore,
    account: AccountId,
    stop: &Arc<AtomicBool>,
) -> Vec<tokio::task::JoinHandle<()>> {
    (0..4)
        .map(|_| {
            let (store, stop) = (store.clone(), Arc::clone(stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    store.read(account, Position::START, 500).await.expect("a log can be read");
                }
            })
        })
        .collect()
}

/// Confirms what is pending, as whoever keeps the list of erasures does.
async fn confirm(store: &SqliteStore) {
    let pending = store.pending_erasures(10).await.expect("pending erasures are read");
    assert!(!pending.is_empty());
    store.confirm_erasures(pending).await.expect("readers are not in the way for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_stays_short_under_appends_and_reads() {
    /// Each about 1 MiB of frames and more.
    const BATCHES: u64 = 200;
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlance.db");
    let store = open(&path);
    let (account, stop) = (AccountId::new(Uuid::from_u128(1)), Arc::new(AtomicBool::new(false)));
    let readers = read_on(&store, account, &stop);
    let mut longest = 0;
    for number in 0..BATCHES {
        append(&store, batch(account, number * 100, 100, 10_000)).await;
        longest = longest.max(fs::metadata(path.with_extension("db-wal")).unwrap().len());
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    let whole = fs::metadata(&path).unwrap().len();
    println!("{} MiB of log at most, {} MiB of file", longest / MIB, whole / MIB);
    assert!(longest < 128 * MIB, "{} MiB of log", longest / MIB);
    drop(store);
    let left = fs::metadata(path.with_extension("db-wal")).map_or(0, |file| file.len());
    assert_eq!(left, 0, "an orderly end leaves no log");
}

/// Bytes that occur nowhere else, as those of a wrapped key.
fn secret(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    };
    (0..72).map(|_| next()).collect()
}

/// How many of the secrets' pieces lie in any file of the store. A piece is a third: moved or torn rows count.
fn found(folder: &Path, secrets: &[Vec<u8>]) -> usize {
    let mut pieces = std::collections::HashSet::new();
    for secret in secrets {
        pieces.extend(secret.chunks(24).map(<[u8]>::to_vec));
    }
    let mut met = std::collections::HashSet::new();
    for file in fs::read_dir(folder).expect("a folder can be read") {
        let bytes = fs::read(file.expect("a file of it").path()).expect("a file can be read");
        met.extend(bytes.windows(24).filter(|window| pieces.contains(*window)).map(<[u8]>::to_vec));
    }
    met.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_destroyed_key_is_in_no_file() {
    const KEYS: u64 = 600;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("parlance.db"));
    let secrets: Vec<_> = (0..KEYS).map(secret).collect();
    let key =
        |number: u64| KeyId::new(Uuid::from_u64_pair(number.wrapping_mul(0x9E37_79B9_7F4A_7C15), number));
    let account = |number: u64| AccountId::new(Uuid::from_u64_pair(number % 7, 1));
    for number in 0..KEYS {
        let create =
            KeyOp::Create { key: key(number), wrapped: secrets[usize::try_from(number).unwrap()].clone() };
        append(&store, Batch { keys: vec![create], ..batch(account(number), number / 7, 1, 300) }).await;
    }
    assert_eq!(found(folder.path(), &secrets), 3 * secrets.len(), "the search finds what is there");
    let (stop, one) = (Arc::new(AtomicBool::new(false)), account(0));
    let readers = read_on(&store, one, &stop);
    let gone = KEYS / 2;
    for number in 0..gone {
        append(
            &store,
            Batch { keys: vec![KeyOp::Destroy { key: key(number) }], ..Batch::new(account(number)) },
        )
        .await;
        confirm(&store).await;
        let first = &secrets[usize::try_from(number).unwrap()..][..1];
        if number % 50 == 0 {
            assert_eq!(found(folder.path(), first), 0, "key {number} is gone when its erasure is confirmed");
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    let (gone, kept) = secrets.split_at(usize::try_from(gone).unwrap());
    assert_eq!(found(folder.path(), gone), 0);
    assert_eq!(found(folder.path(), kept), 3 * kept.len());
    assert_eq!(store.data_key(account(0), key(0)).await, Ok(StoredKey::Destroyed));
    drop(store);
    assert_eq!(found(folder.path(), gone), 0);
}

#[tokio::test]
async fn a_key_of_a_refused_batch_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("parlance.db"));
    let account = AccountId::new(Uuid::from_u128(1));
    let create = |number| KeyOp::Create {
        key: KeyId::new(Uuid::from_u128(u128::from(number))),
        wrapped: secret(number),
    };
    append(&store, Batch { keys: vec![create(0)], ..batch(account, 0, 1, 10) }).await;
    let keys = (1..200).chain([0]).map(create).collect();
    let refused = store.append(Batch { keys, ..batch(account, 1, 1, 10) }).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    append(&store, batch(account, 1, 1, 10)).await;
    let secrets: Vec<_> = (0..200).map(secret).collect();
    assert_eq!(found(folder.path(), &secrets[1..]), 0);
    assert_eq!(found(folder.path(), &secrets[..1]), 3);
    drop(store);
    assert_eq!(found(folder.path(), &secrets[1..]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_destroyed_while_others_write_and_read() {
    const ROUNDS: u64 = 10;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("parlance.db"));
    let stop = Arc::new(AtomicBool::new(false));
    let busy = AccountId::new(Uuid::from_u128(1));
    let mut others = read_on(&store, busy, &stop);
    others.extend((1..5).map(|number| {
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut version = 0;
            while !stop.load(Ordering::Relaxed) {
                append(&store, batch(AccountId::new(Uuid::from_u128(number)), version, 50, 10_000)).await;
                version += 50;
            }
        })
    }));
    let account = AccountId::new(Uuid::from_u128(99));
    for round in 0..ROUNDS {
        let key = KeyId::new(Uuid::from_u128(u128::from(round)));
        let create = KeyOp::Create { key, wrapped: secret(round) };
        append(&store, Batch { keys: vec![create], ..batch(account, round * 2, 1, 10) }).await;
        // The log grows until it is being copied back, for that is when a deletion comes at a bad time.
        let filler = AccountId::new(Uuid::from_u128(98));
        for part in 0..8 {
            append(&store, batch(filler, (round * 8 + part) * 50, 50, 10_000)).await;
        }
        let destroy = KeyOp::Destroy { key };
        append(&store, Batch { keys: vec![destroy], ..batch(account, round * 2 + 1, 1, 10) }).await;
        confirm(&store).await;
    }
    stop.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
}

//! The master key: without the right one nothing starts, and its file is read with care and never overwritten.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use parlance_app::{
    OpenError, Parlance, Settings,
    clock::ManualClock,
    entropy::Entropy,
    keys::{MasterKey, MasterKeyError, UnlockError},
};
use parlance_stores::{AnyStore, OpenOptions};
use parlance_tests::{Home, START, Team, TestApp, home::database_url};

async fn open(
    store: AnyStore,
    folder: &Path,
    master_key: MasterKey,
) -> Result<Parlance<AnyStore>, OpenError> {
    let clock = Arc::new(ManualClock::at(START));
    Parlance::open(store, Settings::new(master_key, folder, clock, Entropy::seeded(3))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn parlance_does_not_start_with_another_master_key() {
    let app = TestApp::start().await;
    let account = Team::create(&app).await.account;
    let store = || app.parlance.store.clone();
    let other = open(store(), app.path(), MasterKey::from_bytes([8; 32])).await;
    assert!(
        matches!(other, Err(OpenError::Unlock(UnlockError::MasterKey(MasterKeyError::Wrong)))),
        "{:?}",
        other.err()
    );
    let right = open(store(), app.path(), MasterKey::from_bytes([7; 32])).await.unwrap();
    assert!(right.keyring.account(&right.store, account).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_takes_the_first_master_key_as_its_own() {
    let folder = Home::new();
    let path = folder.path().join("master.key");
    let store = AnyStore::open(&database_url(folder.path()), OpenOptions::default()).await.unwrap();
    let created = MasterKey::create(&path, &Entropy::seeded(4)).unwrap();
    assert!(open(store.clone(), folder.path(), created).await.is_ok());
    assert!(open(store.clone(), folder.path(), MasterKey::read(&path).unwrap()).await.is_ok());
    let other = open(store, folder.path(), MasterKey::from_bytes([7; 32])).await;
    assert!(matches!(other, Err(OpenError::Unlock(UnlockError::MasterKey(MasterKeyError::Wrong)))));
}

#[test]
fn a_master_key_file_is_read_only_if_it_is_whole_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    assert!(matches!(MasterKey::read(&path), Err(MasterKeyError::Missing(missing)) if missing == path));
    let hex = "0123456789abcdef".repeat(4);
    let write = |text: &str, mode: u32| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        MasterKey::read(&path)
    };
    let long = format!("{hex}00");
    let malformed = [
        "",
        "\n",
        &hex[..63],
        &long,
        &hex.replacen('0', "g", 1),
        &hex.replacen("01", "+1", 1),
        &format!(" {hex}"),
    ];
    for text in malformed {
        assert!(matches!(write(text, 0o600), Err(MasterKeyError::Malformed(_))), "{text:?}");
    }
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o777] {
        let read = write(&hex, mode);
        assert!(
            matches!(read, Err(MasterKeyError::TooOpen { mode: found, .. }) if found == mode),
            "{mode:o}"
        );
    }
    for text in [hex.clone(), format!("{hex}\n"), hex.to_uppercase()] {
        assert!(write(&text, 0o600).is_ok(), "{text:?}");
    }
}

#[test]
fn a_new_master_key_is_private_and_never_replaces_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    MasterKey::create(&path, &Entropy::seeded(5)).unwrap();
    let first = fs::read(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(first.len(), 65, "64 digits and a line's end");
    assert!(matches!(MasterKey::create(&path, &Entropy::seeded(6)), Err(MasterKeyError::Io { .. })));
    assert_eq!(fs::read(&path).unwrap(), first);
    assert!(MasterKey::read(&path).is_ok());
}

//! From the embedded store to PostgreSQL: everything arrives as it was, however often the way is broken off, and what
//! belongs to somebody else is left alone.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use parlance_app::{
    OpenError, Parlance, Settings, clock::ManualClock, entropy::Entropy, keys::MasterKey,
    projections::verify, tokens,
};
use parlance_domain::{
    AccountId, Position, RecordedEvent, conversation::ConversationCommand, member::Member,
};
use parlance_private_postgres::{Database, Server};
use parlance_store::{EventLog as _, Keys as _, PAGE_MAX, StoredKey, canonical};
use parlance_stores::{AnyStore, CopyError, DatabaseUrl, OpenOptions, Progress, copy};
use parlance_tests::{START, Team, TestApp};
use tempfile::TempDir;

/// Conversations of each account; one of them is deleted.
const CONTACTS: usize = 7;

/// A store in a file with some accounts, and what is in it.
struct Source {
    folder: TempDir,
    /// No other process and no other opening of it may hold the file.
    store: AnyStore,
    accounts: Vec<AccountId>,
    token: String,
    deleted: parlance_domain::KeyId,
}

impl Source {
    async fn make(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let app = TestApp::over(sqlite(&folder).await, folder.path(), seed).await;
        let (mut accounts, mut token, mut deleted) = (Vec::new(), None, None);
        for _ in 0..3 {
            let team = Team::create(&app).await;
            for number in 0..CONTACTS {
                let contact = format!("contact-{number}");
                for message in 0..3 {
                    let mid = format!("mid-{number}-{message}");
                    team.receive(&contact, &mid, "árvíztűrő tükörfúrógép").await.expect("it is taken");
                }
            }
            team.act(team.admin, "contact-0", ConversationCommand::Delete).await.expect("it is deleted");
            deleted = Some(team.ring.key_id(
                parlance_domain::StreamRef::new(
                    parlance_domain::StreamType::Conversation,
                    team.conversation("contact-0").uuid(),
                ),
                1,
            ));
            let state = app.parlance.commands.peek::<Member>(team.account, team.admin.uuid()).await;
            let admin = (team.admin, &*state.expect("a state"));
            let issued =
                tokens::issue_api(&app.parlance.store, &app.entropy, team.account, admin, START).await;
            token = Some(issued.expect("a token"));
            accounts.push(team.account);
        }
        accounts.sort();
        Self {
            store: app.parlance.store.clone(),
            folder,
            accounts,
            token: token.expect("an account has one"),
            deleted: deleted.expect("an account has one"),
        }
    }
}

async fn sqlite(folder: &TempDir) -> AnyStore {
    let url = DatabaseUrl::Sqlite(folder.path().join("parlance.db"));
    AnyStore::open(&url, OpenOptions::default()).await.expect("the file opens")
}

/// An empty database with our tables.
async fn target() -> Option<(Database, AnyStore)> {
    let database = Server::shared()?.empty_database().await;
    let url = DatabaseUrl::read(&database.url).expect("an address");
    AnyStore::migrate(&url).await.expect("it is migrated");
    let store = AnyStore::open(&url, OpenOptions::default()).await.expect("it opens");
    Some((database, store))
}

async fn open(store: &AnyStore, folder: &TempDir) -> Result<Parlance<AnyStore>, OpenError> {
    let (key, clock) = (MasterKey::from_bytes([7; 32]), Arc::new(ManualClock::at(START)));
    Parlance::open(store.clone(), Settings::new(key, folder.path(), clock, Entropy::seeded(9))).await
}

async fn log(store: &AnyStore, account: AccountId) -> Vec<RecordedEvent> {
    store.read(account, Position::START, PAGE_MAX).await.expect("the log is read")
}

/// Runs a copy until it has told of its progress so often, and gives it up there.
async fn broken_off(from: &AnyStore, to: &AnyStore, after: usize) -> Option<Progress> {
    let mut told = 0;
    let seen = std::cell::Cell::new(0);
    let mut copying = pin!(copy(from, to, |_| {
        told += 1;
        seen.set(told);
    }));
    poll_fn(|context| match copying.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done.expect("it copies"))),
        Poll::Pending if seen.get() >= after => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_the_same_however_often_it_was_broken_off() {
    let Some((_database, to)) = target().await else { return };
    let source = Source::make(5).await;
    let from = source.store.clone();
    for after in 1..=3 {
        assert_eq!(broken_off(&from, &to, after).await, None, "it is given up");
        let refused = open(&to, &source.folder).await.map(|_| ());
        assert!(matches!(refused, Err(OpenError::Unfinished)), "half a copy is no store: {refused:?}");
    }
    for _ in 0..2 {
        let copied = copy(&from, &to, |_| {}).await.expect("it copies");
        assert_eq!((copied.accounts, copied.accounts_done), (3, 3));
        assert_eq!(copied.events_done, copied.events);
    }
    assert_eq!(to.accounts(None, 10).await, Ok(source.accounts.clone()));
    for account in &source.accounts {
        let (there, here) = (log(&from, *account).await, log(&to, *account).await);
        assert!(there.iter().map(canonical::encode).eq(here.iter().map(canonical::encode)));
        assert_eq!(from.head(*account).await, to.head(*account).await);
    }
    let parlance = open(&to, &source.folder).await.expect("the same master key fits");
    for account in &source.accounts {
        parlance.projections.catch_up(&to, *account).await.expect("read models are folded");
        assert_eq!(verify(&to, *account).await, Ok(vec![]));
    }
    let last = *source.accounts.iter().max_by_key(|account| account.bytes()).expect("an account");
    let known = parlance.sign_in.authenticate(&source.token).await;
    assert!(known.is_ok(), "the token is known");
    let mut found = Vec::new();
    for account in &source.accounts {
        found.push(to.data_key(*account, source.deleted).await.expect("it can be asked"));
    }
    assert!(found.contains(&StoredKey::Destroyed) && last == source.accounts[2], "what was erased stays so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_with_something_else_in_it_is_left_alone() {
    let Some((_database, to)) = target().await else { return };
    let source = Source::make(5).await;
    let from = source.store.clone();
    // Somebody else's accounts.
    let stranger = Source::make(6).await;
    copy(&stranger.store, &to, |_| {}).await.expect("it copies into an empty store");
    let refused = copy(&from, &to, |_| {}).await;
    assert!(matches!(refused, Err(CopyError::AnotherInstallation)), "{refused:?}");
    assert_eq!(to.accounts(None, 10).await, Ok(stranger.accounts.clone()));
    // A server that works on it.
    let mut running = open(&to, &stranger.folder).await.expect("it opens");
    running.start();
    let held = async {
        while !running.leased.holds(stranger.accounts[0]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), held).await.expect("it works for its accounts");
    let refused = copy(&stranger.store, &to, |_| {}).await;
    assert!(matches!(refused, Err(CopyError::InUse(1, "second"))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_wrote_into_a_copy_is_found() {
    let Some((database, to)) = target().await else { return };
    let source = Source::make(5).await;
    let from = source.store.clone();
    copy(&from, &to, |_| {}).await.expect("it copies");
    let (client, connection) =
        tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.expect("the server lets us in");
    tokio::spawn(connection);
    let account = source.accounts[1];
    let spoil = "UPDATE events SET payload = payload || ' '::bytea WHERE account_id = $1 AND position = 5";
    client.execute(spoil, &[&account.uuid()]).await.expect("it is spoilt");
    let found = copy(&from, &to, |_| {}).await;
    let told = matches!(&found, Err(CopyError::Differs { account: of, position })
        if *of == account && *position == Position::new(5));
    assert!(told, "{found:?}");
    let mend = "UPDATE events SET payload = substr(payload, 1, length(payload) - 1)
                WHERE account_id = $1 AND position = 5";
    client.execute(mend, &[&account.uuid()]).await.expect("it is mended");
    client
        .execute("UPDATE data_keys SET wrapped = wrapped || ' '::bytea WHERE NOT destroyed", &[])
        .await
        .expect("keys");
    let found = copy(&from, &to, |_| {}).await;
    assert!(matches!(found, Err(CopyError::TableDiffers("data_keys"))), "{found:?}");
}

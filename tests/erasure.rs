//! Erasing: what a contact wrote is in no file of the data folder in any spelling, before a deletion because it
//! is sealed, and after it for good, because the key is gone from every file, too.

use std::{fs, path::Path, sync::Arc};

use parlance_app::{
    Parlance, Settings,
    command::{CommandError, CommandPath, PathOptions, Receipt},
    entropy::Entropy,
    erasures::ErasureList,
    keys::{MasterKey, Opened},
    projections::verify,
};
use parlance_domain::{
    Actor, Command, KeyId, RecordedEvent, StreamRef,
    conversation::{
        Attachment, ContactProfile, ConversationCommand, EditedContent, Incoming, MessageContent,
        ReactionContent,
    },
};
use parlance_projections::{
    inbox::{CONVERSATIONS, InboxRow},
    thread::MESSAGES,
};
use parlance_store::{FIRST_GENERATION, Keys as _, ReadModels as _, StoreError};
use parlance_tests::{
    Checker, Team, TestApp, WatchedStore, files_among, files_with, home::server, on_postgres, spellings,
};

const FIELDS: [&str; 14] = [
    "text", "kind", "type", "url", "file", "postback", "mid", "contact", "reply", "name", "picture", "phone",
    "wa", "edited",
];

fn mark(field: &str) -> String {
    format!("árvíztűrő-tükörfúrógép-{field}")
}

/// Every personal field of a conversation's events holds a mark.
fn marked(team: &Team<'_>) -> Incoming {
    let mark = |field| Some(mark(field));
    Incoming {
        content: MessageContent {
            text: mark("text"),
            attachments: vec![Attachment {
                kind: self::mark("kind"),
                content_type: mark("type"),
                url: mark("url"),
                name: mark("file"),
            }],
            postback: mark("postback"),
            provider_message_id: self::mark("mid"),
            provider_contact_id: self::mark("contact"),
            reply_to: mark("reply"),
        },
        profile: Some(ContactProfile {
            name: mark("name"),
            picture_url: mark("picture"),
            phone: mark("phone"),
            wa_id: mark("wa"),
        }),
        ..team.incoming(&self::mark("contact"), &self::mark("mid"), "")
    }
}

/// A marked conversation with enough events for a snapshot.
async fn plant(team: &Team<'_>) {
    let contact = mark("contact");
    let conversation = team.conversation(&contact);
    let (channel, message) = (team.channel, team.ring.ids.message(team.channel, &mark("mid")));
    team.receive_incoming(&contact, marked(team)).await.expect("the message is taken");
    let token = |what| team.ring.ids.token(channel, what, &[]);
    let edit = ConversationCommand::Edit {
        channel,
        message,
        provider_at: None,
        token: token("edit"),
        content: EditedContent { text: mark("edited") },
    };
    let react = ConversationCommand::React {
        channel,
        message,
        provider_at: None,
        token: token("react"),
        content: ReactionContent { emoji: Some(mark("emoji")) },
    };
    let mut echo = marked(team);
    echo.message = team.ring.ids.message(channel, "echo");
    for command in [edit, react, ConversationCommand::Echo(echo)] {
        let command = Command::Conversation(conversation, command);
        team.app.ask(team.account, Actor::Contact(conversation), command).await.expect("it is taken");
    }
    let mut last = None;
    for n in 0..20 {
        last = Some(
            team.receive(&contact, &format!("{}-{n}", mark("mid")), &mark("text")).await.expect("taken"),
        );
    }
    team.app.visible(team.account, last.expect("some").position()).await;
}

fn nowhere(folder: &Path, when: &str) {
    for field in FIELDS.into_iter().chain(["emoji"]) {
        for (spelling, bytes) in spellings(&mark(field)) {
            assert_eq!(files_with(folder, &bytes), Vec::<String>::new(), "{field} as {spelling} {when}");
        }
    }
}

fn wrapped(app: &TestApp, team: &Team<'_>, key: KeyId) -> Vec<u8> {
    let beside = app.beside();
    let (account, key) = (beside.account(team.account), beside.id(key.bytes()));
    beside.bytes(&format!("SELECT wrapped FROM data_keys WHERE account_id = {account} AND key_id = {key}"))
}

fn listed(folder: &Path) -> String {
    fs::read_to_string(folder.join("erasures.log")).unwrap_or_default()
}

#[test]
fn every_spelling_is_found_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("somewhere");
    for prefix in ["", "a", "ab"] {
        let text = format!("{prefix}{} and more", mark("text"));
        for (spelling, _) in spellings(&text) {
            let whole = spellings(&text).into_iter().find(|(name, _)| *name == spelling).unwrap().1;
            fs::write(&file, whole).unwrap();
            let found = spellings(&mark("text"))
                .iter()
                .any(|(_, bytes)| files_with(folder.path(), bytes) == ["somewhere"]);
            assert!(found, "{spelling} behind {prefix:?}");
        }
    }
    fs::write(&file, mark("something else")).unwrap();
    assert!(spellings(&mark("text")).iter().all(|(_, bytes)| files_with(folder.path(), bytes).is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_in_no_file_and_opens_for_nobody() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    plant(&team).await;
    team.receive("Anna", "mid.kept", "Marad").await.unwrap();
    let contact = mark("contact");
    let stream: StreamRef = team.conversation(&contact).into();
    let key = team.ring.key_id(stream, 1);
    let kept = wrapped(&app, &team, team.ring.key_id(team.conversation("Anna").into(), 1));
    let dying = wrapped(&app, &team, key);
    nowhere(app.path(), "before the deletion");
    assert!(!files_with(app.path(), &dying).is_empty(), "the key is there before");
    assert!(app.beside().number("SELECT count(*) FROM snapshots") > 0, "a snapshot is searched, too");

    let deleted = team.act(team.admin, &contact, ConversationCommand::Delete).await.unwrap();
    assert_eq!(files_with(app.path(), &dying), Vec::<String>::new(), "the key is gone when it is answered");
    assert!(!files_with(app.path(), &kept).is_empty(), "another key is found in the same way");
    assert!(listed(app.path()).contains(&key.to_string()), "the erasure is on the list");
    app.visible(team.account, deleted.position()).await;
    nowhere(app.path(), "after the deletion");

    let revived = team.receive(&contact, "mid.new", "Új élet").await.unwrap();
    app.visible(team.account, revived.position()).await;
    let log = app.log(team.account).await;
    Checker::check(&log);
    let store = &app.parlance.store;
    let mut opened = (0, 0);
    for sealed in log.iter().filter(|event| event.stream == stream).filter_map(RecordedEvent::sealed_part) {
        match app.parlance.keyring.open(store, team.account, &sealed).await.unwrap() {
            Opened::Erased => opened.0 += 1,
            Opened::Plain(bytes) => {
                assert!(!String::from_utf8(bytes).unwrap().contains("árvíztűrő-tükörfúrógép-text"));
                assert_ne!(sealed.key, key);
                opened.1 += 1;
            }
        }
    }
    // Old: the message, its profile, an edit, a reaction, an echo, 20 messages and two of their profiles.
    assert!(opened.0 >= 25 && opened.1 == 2, "{opened:?}: new are one message and its profile");
    let rows = store.scan_rows(team.account, FIRST_GENERATION, &MESSAGES, None, 100).await.unwrap();
    assert_eq!(rows.len(), 2, "one message of each conversation");
    let rows = store.scan_rows(team.account, FIRST_GENERATION, &CONVERSATIONS, None, 10).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| InboxRow::from_row(row).unwrap()).collect();
    let row = rows.iter().find(|row| row.conversation == team.conversation(&contact)).unwrap();
    assert_eq!((row.incarnation, row.messages), (2, 1));
    assert_eq!(verify(store, team.account).await.unwrap(), Vec::new());

    // The search does fail where the row is kept: put back, its bytes are found.
    let beside = app.beside();
    let (bytes, id) = (beside.blob(&dying), beside.id(key.bytes()));
    assert_eq!(beside.execute(&format!("UPDATE data_keys SET wrapped = {bytes} WHERE key_id = {id}")), 1);
    assert!(!files_with(app.path(), &dying).is_empty(), "a kept row is found");
}

/// The folder of a server's whole cluster, its own log and everything.
fn everywhere(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    found.push(folder.to_owned());
    for entry in fs::read_dir(folder).expect("the folder is read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            everywhere(&path, found);
        }
    }
}

/// On PostgreSQL, what the test above shows of the embedded store, but for the bytes of the key itself: that they leave
/// the database's files is tested with the adapter, and its own log keeps them for a while, wrapped.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_in_no_file_of_a_database_server() {
    if !on_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    plant(&team).await;
    let contact = mark("contact");
    let key = team.ring.key_id(team.conversation(&contact).into(), 1);
    let id = key.bytes();
    let mut deleted = false;
    for when in ["before the deletion", "after it"] {
        app.beside().execute("CHECKPOINT");
        let mut folders = Vec::new();
        let cluster = server().folder().join("data");
        everywhere(&cluster.join("base"), &mut folders);
        everywhere(&cluster.join("pg_wal"), &mut folders);
        // What every mark begins with.
        for (spelling, bytes) in spellings(&mark("")) {
            for folder in &folders {
                assert_eq!(files_among(folder, &bytes), Vec::<String>::new(), "{spelling} {when}");
            }
        }
        let known = folders.iter().any(|folder| !files_among(folder, &id).is_empty());
        assert!(known, "what is stored in the clear is found in the same way {when}");
        if !deleted {
            let gone = team.act(team.admin, &contact, ConversationCommand::Delete).await.unwrap();
            app.visible(team.account, gone.position()).await;
            deleted = true;
        }
    }
    assert!(wrapped(&app, &team, key).iter().all(|byte| *byte == 0));
    assert!(listed(app.path()).contains(&key.to_string()), "the erasure is on the list");
    let log = app.log(team.account).await;
    let stream = team.conversation(&contact).into();
    for sealed in log.iter().filter(|event| event.stream == stream).filter_map(RecordedEvent::sealed_part) {
        let opened = app.parlance.keyring.open(&app.parlance.store, team.account, &sealed).await.unwrap();
        assert!(matches!(opened, Opened::Erased));
    }
    assert_eq!(verify(&app.parlance.store, team.account).await.unwrap(), Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_while_the_list_of_erasures_cannot_be_written() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    team.receive("Anna", "mid.1", "Jó napot!").await.unwrap();
    let list = app.path().join("erasures.log");
    fs::remove_file(&list).unwrap();
    fs::create_dir(&list).unwrap();
    // A Parlance that starts so works in all but this.
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let team = team.by_way_of(&other).await;
    let before = app.log(team.account).await;
    let key = team.ring.key_id(team.conversation("Anna").into(), 1);
    let refused = team.act(team.admin, "Anna", ConversationCommand::Delete).await;
    assert!(matches!(refused, Err(CommandError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    assert_eq!(app.log(team.account).await, before);
    assert!(wrapped(&app, &team, key).iter().any(|byte| *byte != 0));
    team.receive("Anna", "mid.2", "Halló?").await.unwrap();
    fs::remove_dir(&list).unwrap();
    team.act(team.admin, "Anna", ConversationCommand::Delete).await.unwrap();
    assert!(listed(app.path()).contains(&key.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_deletion_is_confirmed_before_it_is_on_the_list() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let store = WatchedStore::over(app.parlance.store.clone());
    let erasures = ErasureList::at(&app.path().join("erasures.log"));
    erasures.drain(&store).await.unwrap();
    let (keyring, clock) = (Arc::clone(&app.parlance.keyring), Arc::new(app.clock.clone()));
    let path = CommandPath::new(store.clone(), keyring, erasures, clock, PathOptions::default(), |_, _| {});
    for contact in ["Anna", "Béla"] {
        team.receive(contact, contact, "Jó napot!").await.unwrap();
        let on = |order| Command::Conversation(team.conversation(contact), order);
        let delete = |commands| {
            let ask = app.asking(team.account, Actor::Member(team.admin), commands);
            path.submit(ask)
        };
        let first = if contact == "Anna" {
            vec![on(ConversationCommand::Delete)]
        } else {
            vec![on(ConversationCommand::Close), on(ConversationCommand::Delete)]
        };
        store.fail_erasures(true);
        let unknown = delete(first).await;
        assert!(matches!(unknown, Err(CommandError::Store(StoreError::Unknown(_)))), "{unknown:?}");
        let again = delete(vec![on(ConversationCommand::Delete)]).await;
        assert!(again.is_err(), "deleted, but still not on the list: {again:?}");
        store.fail_erasures(false);
        let again = delete(vec![on(ConversationCommand::Delete)]).await;
        assert!(matches!(again, Ok(Receipt::Unchanged { .. })), "{again:?}");
        let key = team.ring.key_id(team.conversation(contact).into(), 1);
        assert!(listed(app.path()).contains(&key.to_string()), "{contact}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_off_the_list_is_on_it_after_the_start() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let key = KeyId::new(uuid::Uuid::from_u128(0xE1));
    let beside = app.beside();
    let (account, pending) = (beside.account(team.account), beside.id(key.bytes()));
    // PostgreSQL also knows the page in which the key was.
    let (column, page) = beside.either(("", ""), (", block", ", 0"));
    beside.execute(&format!(
        "INSERT INTO erasures_pending (account_id, key_id, recorded_at{column}) VALUES ({account}, {pending}, 7{page})"
    ));
    let master = MasterKey::from_bytes([7; 32]);
    let settings = Settings::new(master, app.path(), Arc::new(app.clock.clone()), Entropy::seeded(9));
    let restarted = Parlance::open(app.parlance.store.clone(), settings).await.unwrap();
    let line = listed(app.path()).lines().find(|line| line.contains(&key.to_string())).map(str::to_owned);
    assert!(line.is_some_and(|line| line.contains(&team.account.to_string())));
    assert!(restarted.store.pending_erasures(10).await.unwrap().is_empty());
}

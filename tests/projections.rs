//! Read models: they show what was answered, they can be verified against the log down to a column, and an
//! event that cannot be folded holds up its own stream alone.

use std::sync::Arc;

use parlance_app::{
    Parlance, Settings,
    entropy::Entropy,
    keys::MasterKey,
    projections::{Finding, Problem, status, verify},
};
use parlance_domain::{AccountId, Position, conversation::Expected};
use parlance_projections::{
    FoldError, Folded, PROJECTORS, Projector, Rows, TABLES, Table, Touch,
    inbox::{CONVERSATIONS, InboxRow},
};
use parlance_store::{FIRST_GENERATION, ReadModels as _};
use parlance_tests::{Team, TestApp};

/// Three conversations, one assigned, all folded.
async fn folded(team: &Team<'_>) {
    for contact in ["Anna", "Béla", "Csilla"] {
        for n in 0..3 {
            team.receive(contact, &format!("{contact}.{n}"), "Halló?").await.expect("taken");
        }
    }
    let assigned = team.assign(team.admin, "Anna", team.admin, Expected::Nobody).await.expect("assigned");
    team.app.visible(team.account, assigned.position()).await;
}

async fn row(app: &TestApp, team: &Team<'_>, contact: &str) -> InboxRow {
    let rows = app.parlance.store.scan_rows(team.account, FIRST_GENERATION, &CONVERSATIONS, None, 100).await;
    let rows = rows.expect("the rows are read");
    let rows = rows.iter().map(|row| InboxRow::from_row(row).expect("a row"));
    rows.into_iter().find(|row| row.conversation == team.conversation(contact)).expect("the row is there")
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nothing but the live rows is left.
fn no_scratch_rows(app: &TestApp) {
    for table in TABLES.iter().map(|table| table.name).chain(["checkpoints", "parked_streams"]) {
        let sql = format!("SELECT count(*) FROM {table} WHERE generation <> {}", FIRST_GENERATION.0);
        assert_eq!(app.beside().number(&sql), 0, "{table}");
    }
}

/// Tampers with the database, expects exactly one finding, and puts everything back.
async fn tampered(team: &Team<'_>, change: &str, back: &str, wanted: Finding) {
    let execute = |sql: &str| team.app.beside().execute(sql);
    assert_eq!(execute(change), 1, "{change}");
    let found = verify(&team.app.parlance.store, team.account).await.expect("it is verified");
    assert_eq!(found, vec![wanted], "{change}");
    no_scratch_rows(team.app);
    assert_eq!(execute(back), 1, "{back}");
    assert_eq!(verify(&team.app.parlance.store, team.account).await, Ok(Vec::new()), "{back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_shown() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    for n in 1..=50 {
        let receipt = team.receive("Anna", &format!("mid.{n}"), "Halló?").await.unwrap();
        app.visible(team.account, receipt.position()).await;
        let row = row(&app, &team, "Anna").await;
        assert_eq!(row.messages, n);
        assert!(row.last_message_position <= receipt.position());
    }
    let status = status(&app.parlance.store, team.account).await.unwrap();
    let log = app.log(team.account).await;
    assert_eq!(status.head, log.last().unwrap().position);
    assert_eq!(status.projections.len(), PROJECTORS.len());
    for (name, checkpoint) in status.projections {
        let checkpoint = checkpoint.unwrap();
        assert_eq!((checkpoint.position, checkpoint.taken), (status.head, status.head.number()), "{name}");
    }
    assert!(status.parked.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_what_is_wrong_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    folded(&team).await;
    let store = &app.parlance.store;
    assert_eq!(verify(store, team.account).await, Ok(Vec::new()), "a healthy account");
    no_scratch_rows(&app);
    let anna = hex(team.conversation("Anna").bytes());
    let (channel, admin) = (hex(team.channel.bytes()), hex(team.admin.bytes()));
    // The same, as statements write them.
    let beside = app.beside();
    let (in_anna, in_nobody) = (beside.blob(&team.conversation("Anna").bytes()), beside.blob(&[]));
    let (in_channel, in_admin) = (beside.blob(&team.channel.bytes()), beside.blob(&team.admin.bytes()));
    let elsewhere = beside.account(AccountId::default());
    let finding = |projection, table, key: String, problem| Finding {
        account: team.account,
        projection,
        table,
        key,
        problem,
    };
    let differs = |columns: &[&'static str]| Problem::Differs { columns: columns.to_vec() };

    tampered(
        &team,
        &format!(
            "UPDATE inbox_conversations SET state = 'closed', messages = 9 WHERE conversation_id = {in_anna}"
        ),
        &format!(
            "UPDATE inbox_conversations SET state = 'open', messages = 3 WHERE conversation_id = {in_anna}"
        ),
        finding("inbox", "inbox_conversations", anna.clone(), differs(&["state", "messages"])),
    )
    .await;
    tampered(
        &team,
        &format!("UPDATE inbox_counts SET conversations = conversations + 1 WHERE assignee = {in_nobody}"),
        &format!("UPDATE inbox_counts SET conversations = conversations - 1 WHERE assignee = {in_nobody}"),
        finding("inbox", "inbox_counts", format!("{channel}, open, "), differs(&["conversations"])),
    )
    .await;
    let account = beside.account(team.account);
    let unexpected = format!("{account}, 1, {in_channel}, {in_channel}, 7");
    tampered(
        &team,
        &format!(
            "INSERT INTO inbox_access (account_id, generation, channel_id, member_id, since) VALUES ({unexpected})"
        ),
        "DELETE FROM inbox_access WHERE channel_id = member_id",
        finding("inbox", "inbox_access", format!("{channel}, {channel}"), Problem::Unexpected),
    )
    .await;
    // A missing row, put away in another account for as long.
    tampered(
        &team,
        &format!("UPDATE members SET account_id = {elsewhere} WHERE member_id = {in_admin}"),
        &format!("UPDATE members SET account_id = {account} WHERE member_id = {in_admin}"),
        finding("members", "members", admin, Problem::Missing),
    )
    .await;
    let head = app.log(team.account).await.last().unwrap().position;
    for by in ["- 2", "+ 2"] {
        let moved = if by == "- 2" { head.number() - 2 } else { head.number() + 2 };
        let problem = Problem::Checkpoint { position: Position::new(moved), taken: head.number(), head };
        tampered(
            &team,
            &format!("UPDATE checkpoints SET position = position {by} WHERE projection = 'thread'"),
            "UPDATE checkpoints SET position = taken WHERE projection = 'thread'",
            finding("thread", "", String::new(), problem),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nobody_knows_parks_its_stream_alone() {
    // Nothing folds by itself, so that the row can be spoilt before it is read.
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    for n in 0..3 {
        team.receive("Anna", &format!("a.{n}"), "?").await.unwrap();
        team.receive("Béla", &format!("b.{n}"), "?").await.unwrap();
    }
    let second = team.ring.ids.message(team.channel, "a.1");
    let log = app.log(team.account).await;
    let poison = log.iter().find(|event| event.dedupe == Some(second.into())).unwrap();
    let position = poison.position;
    app.beside().execute(&format!("UPDATE events SET event_type = 'Unheard' WHERE position = {position}"));

    let store = &app.parlance.store;
    let head = app.parlance.projections.catch_up(store, team.account).await.unwrap();
    assert_eq!(head, log.last().unwrap().position, "the runner goes on");
    assert_eq!(row(&app, &team, "Anna").await.messages, 1, "up to the poison event");
    assert_eq!(row(&app, &team, "Béla").await.messages, 3);
    let found = status(store, team.account).await.unwrap();
    assert_eq!(found.parked.len(), PROJECTORS.len(), "{:?}", found.parked);
    for parked in &found.parked {
        assert_eq!((parked.stream, parked.position), (poison.stream, poison.position));
        assert_eq!(parked.events, 2, "itself and the message after it");
        assert!(parked.reason.contains("Unheard"), "{}", parked.reason);
    }
    // What comes later waits too, and is counted; the rest goes on.
    team.receive("Béla", "b.3", "?").await.unwrap();
    app.parlance.projections.catch_up(store, team.account).await.unwrap();
    assert_eq!(row(&app, &team, "Béla").await.messages, 4);
    assert_eq!(verify(store, team.account).await, Ok(Vec::new()), "the replay parks the same");
    no_scratch_rows(&app);
}

/// Refuses one conversation's events from the third on.
struct Picky;

impl Projector for Picky {
    fn name(&self) -> &'static str {
        "picky"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        &[]
    }

    fn touches(&self, _rows: &Rows, _event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        Ok(Vec::new())
    }

    fn fold(&self, _rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let poison = event.recorded.event_type == "Assigned";
        if poison { Err(FoldError::Refused("not to its taste".to_owned())) } else { Ok(()) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_fails_parks_the_stream_for_itself_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    folded(&team).await;
    let master = MasterKey::from_bytes([7; 32]);
    let mut settings = Settings::new(master, app.path(), Arc::new(app.clock.clone()), Entropy::seeded(9));
    settings.projectors = vec![&Picky];
    let picky = Parlance::open(app.parlance.store.clone(), settings).await.unwrap();
    picky.projections.catch_up(&picky.store, team.account).await.unwrap();
    let parked = status(&picky.store, team.account).await.unwrap().parked;
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!((parked[0].projection.as_str(), parked[0].events), ("picky", 1));
    assert_eq!(parked[0].stream, team.conversation("Anna").into());
    assert!(parked[0].reason.contains("not to its taste"));
    let receipt = team.receive("Anna", "mid.later", "?").await.unwrap();
    app.visible(team.account, receipt.position()).await;
    assert_eq!(row(&app, &team, "Anna").await.messages, 4, "the other projections go on with it");
    picky.projections.catch_up(&picky.store, team.account).await.unwrap();
    let parked = status(&picky.store, team.account).await.unwrap().parked;
    assert_eq!((parked.len(), parked[0].events), (1, 2), "the stream waits");
    let checkpoint = picky.store.checkpoint(team.account, "picky", FIRST_GENERATION).await.unwrap();
    assert_eq!(checkpoint.unwrap().position, receipt.position());
}

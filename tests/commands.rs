//! The command path: one bad command never fails its neighbours, what is refused leaves nothing behind, a full
//! queue says so, and a cold start reads little.

use std::{
    future::{Future as _, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use parlance_app::{
    command::{Ask, CommandError, CommandPath, PathOptions, Receipt},
    erasures::ErasureList,
};
use parlance_domain::{
    AccountId, Actor, Command, Position, Refusal,
    account::{AccountCommand, AccountError},
    channel::{ChannelCommand, ChannelError, Visibility},
    connection::ChannelKind,
    conversation::{ConversationCommand, ConversationError, Expected},
    member::{MemberCommand, MemberError},
};
use parlance_store::{EVENT_BYTES_MAX, RefusedBecause, StoreError};
use parlance_tests::{Checker, START, Team, TestApp, WatchedStore, at_once};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A command path of its own over a watched store.
fn watched(app: &TestApp, options: PathOptions) -> (WatchedStore, CommandPath<WatchedStore>) {
    let store = WatchedStore::over(app.parlance.store.clone());
    let erasures = ErasureList::at(&app.path().join("erasures.log"));
    let (keyring, clock) = (Arc::clone(&app.parlance.keyring), Arc::new(app.clock.clone()));
    let path = CommandPath::new(store.clone(), keyring, erasures, clock, options, |_, _| {});
    (store, path)
}

/// Submits everything so that one flush takes it all: the flush before it is held up until all wait.
async fn in_one_flush(app: &TestApp, team: &Team<'_>, asks: Vec<Ask>) -> Vec<Result<Receipt, CommandError>> {
    let (store, path) = watched(app, PathOptions::default());
    store.close();
    let first = team.availability_asking(team.admin, true);
    let mut gathered = vec![tokio::spawn({
        let path = path.clone();
        async move { path.submit(first).await }
    })];
    store.asked_for(1).await;
    for ask in asks {
        gathered.push(waiting(&path, ask).await);
    }
    store.open();
    let mut answers = Vec::new();
    for answer in gathered {
        answers.push(answer.await.expect("no task panics"));
    }
    answers.remove(0).expect("asking for what holds is no error");
    answers
}

/// Puts a command into its queue, where it stays behind a flush that is held up.
async fn waiting(path: &CommandPath<WatchedStore>, ask: Ask) -> JoinHandle<Result<Receipt, CommandError>> {
    let path = path.clone();
    let mut submitted = Box::pin(async move { path.submit(ask).await });
    // Polled once, it is in the queue; only its answer is left to be awaited.
    let polled = poll_fn(|context| Poll::Ready(submitted.as_mut().poll(context)));
    assert!(polled.await.is_pending(), "it waits behind the flush that is held up");
    tokio::spawn(submitted)
}

fn refused(refusal: impl Into<Refusal>) -> CommandError {
    CommandError::Refused(refusal.into())
}

async fn length(team: &Team<'_>) -> usize {
    team.app.log(team.account).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_never_was_takes_no_command() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let nobody = AccountId::new(Uuid::from_u128(0xBAD));
    let join = Command::Member(team.admin, MemberCommand::Join);
    assert_eq!(app.ask(nobody, Actor::Member(team.admin), join).await, Err(CommandError::NoSuchAccount));
    assert!(app.log(nobody).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_channels_conversation_does_not_exist_for_outsiders() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let member = team.member("eva@example.hu").await;
    team.receive("Anna", "mid.1", "Jó napot!").await.unwrap();
    let visibility = ChannelCommand::SetVisibility { visibility: Visibility::Private };
    team.by(team.admin, Command::Channel(team.channel, visibility)).await.unwrap();
    let commands = [
        ConversationCommand::Assign { to: member, expect: Expected::Nobody },
        ConversationCommand::Unassign { expect: Expected::Anybody },
        ConversationCommand::Close,
        ConversationCommand::Reopen,
        ConversationCommand::Delete,
    ];
    let before = length(&team).await;
    for command in commands {
        let there = team.act(member, "Anna", command.clone()).await;
        let never = team.act(member, "who never wrote", command.clone()).await;
        assert_eq!(there, Err(refused(ConversationError::NotFound)), "{command:?}");
        assert_eq!(there, never, "{command:?}");
    }
    let seen = team.seen(member, "Anna", Position::new(1)).await;
    assert_eq!(seen, team.seen(member, "who never wrote", Position::new(1)).await);
    assert!(matches!(seen, Err(CommandError::Refused(Refusal::Reading(_)))), "{seen:?}");
    assert_eq!(length(&team).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_does_not_fail_those_in_its_flush() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let mut asks: Vec<_> = (0..100).map(|n| team.receiving("Anna", &format!("mid.{n}"), "?").1).collect();
    let stranger = ConversationCommand::Assign { to: team.admin, expect: Expected::Nobody };
    asks.insert(50, team.acting(team.admin, "who never wrote", stranger).1);
    let before = length(&team).await;
    let answers = in_one_flush(&app, &team, asks).await;
    for (place, answer) in answers.iter().enumerate() {
        match place {
            50 => assert_eq!(*answer, Err(refused(ConversationError::NotFound))),
            _ => assert!(matches!(answer, Ok(Receipt::Recorded { .. })), "{place}: {answer:?}"),
        }
    }
    let log = app.log(team.account).await;
    assert_eq!(log.len(), before + 101, "100 messages and a profile");
    Checker::check(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_large_is_refused_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let mut asks: Vec<_> =
        (0..100).map(|n| team.receiving(&format!("contact {n}"), &format!("mid.{n}"), "?").1).collect();
    asks.insert(50, team.receiving("Anna", "mid.large", &"x".repeat(EVENT_BYTES_MAX)).1);
    let answers = in_one_flush(&app, &team, asks).await;
    let large = StoreError::Refused(RefusedBecause::TooLarge { limit: EVENT_BYTES_MAX });
    for (place, answer) in answers.iter().enumerate() {
        match place {
            50 => assert_eq!(*answer, Err(CommandError::Store(large.clone()))),
            _ => assert!(matches!(answer, Ok(Receipt::Recorded { .. })), "{place}: {answer:?}"),
        }
    }
    Checker::check(&app.log(team.account).await);
    // Nothing of it stays: the contact begins as one who never wrote.
    assert!(team.receive("Anna", "mid.large", "kicsi").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_be_read_fails_its_own_commands_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    team.receive("Anna", "mid.0", "?").await.unwrap();
    app.beside().execute("UPDATE events SET event_type = 'Unheard' WHERE event_type = 'MessageReceived'");
    let asks = vec![
        team.receiving("Béla", "mid.1", "?").1,
        team.receiving("Anna", "mid.2", "?").1,
        team.receiving("Csilla", "mid.3", "?").1,
    ];
    let answers = in_one_flush(&app, &team, asks).await;
    assert!(matches!(answers[0], Ok(Receipt::Recorded { .. })), "{answers:?}");
    assert!(matches!(answers[1], Err(CommandError::Store(StoreError::Corrupt(_)))), "{answers:?}");
    assert!(matches!(answers[2], Ok(Receipt::Recorded { .. })), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_in_a_flush_names_the_message_and_not_what_came_with_it() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    team.receive("Anna", "mid.1", "Jó napot!").await.unwrap();
    team.act(team.admin, "Anna", ConversationCommand::Close).await.unwrap();
    let asks = (0..64).map(|_| team.receiving("Anna", "mid.2", "Halló?").1).collect();
    let answers = in_one_flush(&app, &team, asks).await;
    let log = app.log(team.account).await;
    let message = team.ring.ids.message(team.channel, "mid.2");
    let original = log.iter().find(|event| event.dedupe == Some(message.into())).unwrap();
    assert_eq!(original.event_type, "MessageReceived");
    assert!(matches!(answers[0], Ok(Receipt::Recorded { .. })));
    let duplicate = Ok(Receipt::Duplicate { original: original.position });
    assert!(answers[1..].iter().all(|answer| *answer == duplicate), "{duplicate:?}: {answers:?}");
    assert_eq!(team.receive("Anna", "mid.2", "Halló?").await, duplicate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so_and_keeps_nothing() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let room_wait = Duration::from_millis(20);
    let (store, path) = watched(&app, PathOptions { queue_max: 1, room_wait, ..PathOptions::default() });
    let before = length(&team).await;
    store.close();
    let asking = |n: usize| (path.clone(), team.receiving("Anna", &format!("mid.{n}"), "?").1);
    let under_way = tokio::spawn(at_once(vec![asking(0)]));
    store.asked_for(1).await;
    // One is being appended, and one has the only place.
    let waiting = waiting(&path, asking(1).1).await;
    let crowd = at_once((2..=201).map(asking).collect()).await;
    assert!(crowd.iter().all(|answer| *answer == Err(CommandError::Busy)), "{crowd:?}");
    assert_eq!(store.asked(), 1, "nothing passes while the store is held up");
    store.open();
    assert!(matches!(under_way.await.unwrap()[0], Ok(Receipt::Recorded { .. })));
    assert!(matches!(waiting.await.unwrap(), Ok(Receipt::Recorded { .. })));
    let log = app.log(team.account).await;
    let told = log.iter().filter(|event| event.event_type == "MessageReceived").count();
    assert_eq!(
        (told, log.len()),
        (2, before + 3),
        "two messages and a profile: who was turned away left nothing"
    );
    assert!(team.receive("Anna", "mid.later", "?").await.is_ok(), "there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_over_several_streams_is_all_or_nothing() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let member = team.member("eva@example.hu").await;
    team.receive("Anna", "mid.1", "Jó napot!").await.unwrap();
    let before = length(&team).await;

    // The channel would be connected, and the member would gain its installation.
    let connect = ChannelCommand::Connect {
        connection: team.connection,
        kind: ChannelKind::Messenger,
        provider_id: "page-2".to_owned(),
        name: parlance_domain::Name::new("Második oldal").unwrap(),
        access: None,
        visibility: Visibility::Shared,
    };
    let second = team.ring.ids.channel(ChannelKind::Messenger, "page-2");
    let connected = team.by(member, Command::Channel(second, connect)).await;
    assert_eq!(connected, Err(refused(ChannelError::NotPermitted)));

    // An installer stays until the channel is handed over.
    let removed = team.by(team.admin, Command::Member(team.admin, MemberCommand::Remove)).await;
    assert_eq!(removed, Err(refused(MemberError::StillInstaller)));

    // Whoever loses the last settings access would have lost it already when the account says no.
    let permissions = MemberCommand::SetPermissions { settings_access: false };
    let last = team.by(team.admin, Command::Member(team.admin, permissions)).await;
    assert_eq!(last, Err(refused(AccountError::LastWithSettingsAccess)));

    // Several commands, the last of which is refused.
    let anna = team.conversation("Anna");
    let together = vec![
        Command::Conversation(anna, ConversationCommand::Close),
        Command::Member(team.admin, MemberCommand::SetAvailability { available: false }),
        Command::Conversation(team.conversation("nobody"), ConversationCommand::Close),
    ];
    let together = app.ask_all(team.account, Actor::Member(team.admin), together).await;
    assert_eq!(together, Err(refused(ConversationError::NotFound)));
    assert_eq!(length(&team).await, before, "nothing was recorded");

    // And nothing was kept in memory: the admin is here, available, and may do everything.
    assert!(team.assign(team.admin, "Anna", team.admin, Expected::Nobody).await.is_ok());
    team.connect("page-2", Visibility::Shared).await;
    Checker::check(&app.log(team.account).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_cannot_be_removed_even_without_channels() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let member = team.member("eva@example.hu").await;
    let hand_over = ChannelCommand::HandOver { to: member };
    team.by(team.admin, Command::Channel(team.channel, hand_over)).await.unwrap();
    let before = length(&team).await;
    let removed = team.by(team.admin, Command::Member(team.admin, MemberCommand::Remove)).await;
    assert_eq!(removed, Err(refused(AccountError::LastWithSettingsAccess)));
    assert_eq!(length(&team).await, before);
    let rename = ChannelCommand::Rename { name: parlance_domain::Name::new("Új név").unwrap() };
    team.by(team.admin, Command::Channel(team.channel, rename)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_start_reads_the_last_few_events_of_a_long_conversation() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let member = team.member("eva@example.hu").await;
    for thousand in 0..2 {
        let told = (0..1_000).map(|n| team.receiving("Anna", &format!("mid.{}", thousand * 1_000 + n), "?"));
        assert!(at_once(told.collect()).await.iter().all(Result::is_ok));
    }
    team.assign(team.admin, "Anna", member, Expected::Nobody).await.unwrap();
    let version = app
        .log(team.account)
        .await
        .iter()
        .filter(|event| event.stream == team.conversation("Anna").into())
        .count() as u64;
    assert_eq!(version, 2_002, "2,000 messages, a profile, an assignment");

    let take = |store: &WatchedStore, path: &CommandPath<WatchedStore>| {
        let (store, path) = (store.clone(), path.clone());
        let expect = ConversationCommand::Assign { to: team.admin, expect: Expected::Nobody };
        let ask = team.acting(team.admin, "Anna", expect).1;
        async move { (path.submit(ask).await, store.events_read()) }
    };
    let taken =
        ConversationError::AlreadyAssigned { assignee: member, by: Actor::Member(team.admin), at: START };
    let (store, path) = watched(&app, PathOptions::default());
    let (answer, read) = take(&store, &path).await;
    assert_eq!(answer, Err(refused(taken)));
    // Besides the conversation: its channel, and two members with a handful of events each.
    assert!(read < 16 + 10, "{read} events were read");

    // A snapshot is disposable: without a readable one everything is read, and decided alike.
    let beside = app.beside();
    let garbage = beside.blob(b"\x00\xff{");
    assert!(beside.execute(&format!("UPDATE snapshots SET state = {garbage}")) >= 1);
    let (store, path) = watched(&app, PathOptions::default());
    let (answer, read) = take(&store, &path).await;
    assert_eq!(answer, Err(refused(taken)));
    assert!(read > version, "{read} events were read");
    let again = path.submit(team.receiving("Anna", "mid.1500", "?").1).await;
    assert!(matches!(again, Ok(Receipt::Duplicate { .. })), "{again:?}");
    assert!(path.submit(team.receiving("Anna", "mid.new", "?").1).await.is_ok());
    Checker::check(&app.log(team.account).await);
    let stored = beside.number(&format!("SELECT max(version) FROM snapshots WHERE state <> {garbage}"));
    assert_eq!(stored, 2_003, "a readable snapshot replaces the garbled one");
}

#[tokio::test]
async fn what_only_follows_from_elsewhere_cannot_be_asked_by_itself() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let member = team.member("eva@example.hu").await;
    let asked = [
        Command::Account(team.account, AccountCommand::GrantSettingsAccess { member }),
        Command::Account(team.account, AccountCommand::RevokeSettingsAccess { member: team.admin }),
        Command::Member(member, MemberCommand::GainInstallation { channel: team.channel }),
        Command::Member(team.admin, MemberCommand::LoseInstallation { channel: team.channel }),
    ];
    let before = app.log(team.account).await.len();
    for command in asked {
        let answer = team.by(team.admin, command.clone()).await;
        assert!(matches!(answer, Err(CommandError::Refused(_))), "{command:?}: {answer:?}");
    }
    assert_eq!(app.log(team.account).await.len(), before);
}

#[tokio::test]
async fn of_several_messages_in_one_asking_only_those_told_before_are_passed_over() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let known = team.receive("Anna", "mid.1", "Jó napot!").await.unwrap().position();
    let conversation = team.conversation("Anna");
    let receive = |mid| {
        Command::Conversation(
            conversation,
            ConversationCommand::Receive(team.incoming("Anna", mid, "Halló?")),
        )
    };
    let ask = |commands| app.ask_all(team.account, Actor::Contact(conversation), commands);
    let some = ask(vec![receive("mid.1"), receive("mid.2"), receive("mid.2")]).await.unwrap();
    let Receipt::Recorded { first, last } = some else { panic!("{some:?}") };
    assert_eq!((first, last), (known.next(), known.next()), "one event: mid.2, once");
    let none = ask(vec![receive("mid.1"), receive("mid.2")]).await.unwrap();
    assert_eq!(none, Receipt::Duplicate { original: last });
}

#[tokio::test]
async fn a_redelivery_is_one_whatever_the_rules_say_by_now() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let original = team.receive("Anna", "mid.1", "Jó napot!").await.unwrap();
    let Receipt::Recorded { first, .. } = original else { panic!("{original:?}") };
    team.by(team.admin, Command::Channel(team.channel, ChannelCommand::Disconnect)).await.unwrap();
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    for team in [&team, &team.by_way_of(&other).await] {
        let again = team.receive("Anna", "mid.1", "Jó napot!").await;
        assert_eq!(again, Ok(Receipt::Duplicate { original: first }));
        let new = team.receive("Anna", "mid.2", "Halló?").await;
        let refused = Refusal::Conversation(ConversationError::ChannelNotConnected);
        assert_eq!(new, Err(CommandError::Refused(refused)));
    }
}

#[tokio::test]
async fn a_snapshot_that_nobody_can_read_is_passed_over_even_at_the_head() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    for number in 0..40 {
        team.receive("Anna", &format!("mid.{number}"), "Halló?").await.unwrap();
    }
    let beside = app.beside();
    let spoiled = beside.execute(&format!("UPDATE snapshots SET state = {}", beside.blob(b"\x00\xff{")));
    assert!(spoiled > 0);
    // Every stream's newest snapshot is made to stand at its head.
    let same_stream = beside.either(
        "events.stream_no = snapshots.stream_no",
        "events.stream_type = snapshots.stream_type AND events.stream_id = snapshots.stream_id",
    );
    let moved = format!(
        "UPDATE snapshots SET version = (SELECT max(version) FROM events
         WHERE events.account_id = snapshots.account_id AND {same_stream})"
    );
    assert_eq!(beside.execute(&moved), spoiled);
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let again = team.by_way_of(&other).await;
    let closed = again.act(team.admin, "Anna", ConversationCommand::Close).await;
    assert!(matches!(closed, Ok(Receipt::Recorded { .. })), "{closed:?}");
}

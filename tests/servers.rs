//! Several servers on one database, each with caches, projections and policies of its own: whatever happens on one holds
//! on the others. On PostgreSQL only: the embedded store is one process's.

use std::time::Duration;

use parlance_app::{front::Section, keys::Opened, projections::verify};
use parlance_domain::{
    AccountId, Command, Event, Position, Sealed,
    conversation::{Conversation, ConversationCommand, Expected, Phase},
    member::{Member, MemberCommand},
    reading::ReadingEvent,
};
use parlance_store::{
    AccountBucket, EventLog as _, FIRST_GENERATION, Leases as _, PageWrite, ReadModels as _, StoreError,
};
use parlance_tests::{
    Team, TestApp, at_once,
    home::{Home, on_postgres},
};

/// What a lost hint delays; only a broken build needs it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two servers on one new database; the first one works already.
async fn two() -> Option<(Home, TestApp, TestApp)> {
    if !on_postgres() {
        return None;
    }
    let home = Home::new();
    let mut one = TestApp::open(home.path(), 1).await;
    one.parlance.start();
    let two = TestApp::open(home.path(), 2).await;
    Some((home, one, two))
}

/// Waits, bounded, until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("{what}"));
}

/// Which of them works for the account; waits until one does.
async fn holder(apps: [&TestApp; 2], account: AccountId) -> usize {
    let mut found = 0;
    until("somebody holds the account", async || {
        apps.iter().position(|app| app.parlance.leased.holds(account)).map(|place| found = place).is_some()
    })
    .await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_takes_every_server_shows() {
    let Some((_home, one, mut two)) = two().await else { return };
    two.parlance.start();
    let team = Team::create(&one).await;
    let there = team.by_way_of(&two).await;
    let asker = team.asker(team.admin);
    for round in 0..10 {
        let (at, other) = if round % 2 == 0 { (&team, &there) } else { (&there, &team) };
        let contact = format!("contact-{round}");
        let receipt = at.receive(&contact, &format!("m{round}"), "Jó napot!").await.expect("it is taken");
        let queries = other.app.queries();
        queries.shown(team.account, receipt.position()).await.expect("it is shown on the other server");
        let page = queries.conversations(asker, Section::Unassigned, None, None, 100).await.expect("a page");
        assert_eq!(page.items.len(), round + 1);
        assert_eq!(page.items[0].id, team.conversation(&contact));
        at.receive(&contact, &format!("m{round}"), "Jó napot!").await.expect("a redelivery is taken");
        other.receive(&contact, &format!("m{round}"), "Jó napot!").await.expect("anywhere");
    }
    team.settled().await;
    assert_eq!(verify(&one.parlance.store, team.account).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_is_nobody_on_any_server() {
    let Some((_home, one, two)) = two().await else { return };
    let team = Team::create(&one).await;
    let there = team.by_way_of(&two).await;
    let member = team.member("eva@example.hu").await;
    let is_active = async || {
        let state = two.parlance.commands.peek::<Member>(team.account, member.uuid()).await;
        state.expect("a state").is_active()
    };
    assert!(is_active().await);
    // The other server hears nothing: it is not started. The log's end tells it all the same.
    let removed = team.by(team.admin, Command::Member(member, MemberCommand::Remove)).await;
    let removed = removed.expect("the member is removed");
    until("the state goes with time", async || !is_active().await).await;

    // Whoever has seen a position is never answered by less.
    let other = team.member("bela@example.hu").await;
    let asker = team.asker(other);
    assert!(two.queries().sections(asker, None).await.is_ok());
    let gone = team.by(team.admin, Command::Member(other, MemberCommand::Remove)).await.expect("removed");
    assert!(gone.position() > removed.position());
    two.parlance.commands.appended_elsewhere(team.account, gone.position());
    assert!(two.queries().sections(asker, None).await.is_err(), "at once");
    drop(there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_on_one_server_opens_on_none() {
    let Some((_home, one, mut two)) = two().await else { return };
    two.parlance.start();
    let team = Team::create(&one).await;
    team.receive("contact", "m1", "titok").await.expect("it is taken");
    let log = one.log(team.account).await;
    let message = log.last().expect("an event");
    let sealed = Sealed {
        key: message.key.expect("a key"),
        stream: message.stream,
        version: message.version,
        kind: message.event_type.clone(),
        bytes: message.sealed.clone().expect("a sealed part"),
    };
    let opened = async || {
        two.parlance.commands.peek::<Conversation>(team.account, message.stream.id).await.expect("a state");
        two.parlance.keyring.open(&two.parlance.store, team.account, &sealed).await.expect("it can be asked")
    };
    assert!(matches!(opened().await, Opened::Plain(_)));
    team.act(team.admin, "contact", ConversationCommand::Delete).await.expect("it is deleted");
    until("the key is gone from the other server's memory", async || opened().await == Opened::Erased).await;
    let state = two.parlance.commands.peek::<Conversation>(team.account, message.stream.id).await;
    assert_eq!(state.expect("a state").phase, Phase::Deleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_on_two_servers_are_decided_once_each() {
    let Some((_home, one, mut two)) = two().await else { return };
    two.parlance.start();
    let team = Team::create(&one).await;
    let there = team.by_way_of(&two).await;
    let eva = team.member("eva@example.hu").await;
    let bela = team.member("bela@example.hu").await;
    team.availability(eva, true).await.expect("eva is available");
    team.availability(bela, true).await.expect("bela is available");
    let mut asks = Vec::new();
    for number in 0..60 {
        let contact = format!("contact-{}", number % 6);
        for team in [&team, &there] {
            asks.push(team.receiving(&contact, &format!("mid-{number}"), "hány óra van?"));
        }
    }
    let answers = at_once(asks).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let mut takes = Vec::new();
    for contact in 0..6 {
        let contact = format!("contact-{contact}");
        for (team, member) in [(&team, eva), (&there, bela)] {
            let take = ConversationCommand::Assign { to: member, expect: Expected::Nobody };
            takes.push(team.acting(member, &contact, take));
        }
    }
    let taken = at_once(takes).await;
    assert_eq!(taken.iter().filter(|answer| answer.is_ok()).count(), 6, "each has one taker: {taken:?}");
    let log = one.log(team.account).await;
    let count = |name: &str| log.iter().filter(|event| event.event_type == name).count();
    assert_eq!((count("MessageReceived"), count("Assigned")), (60, 6));
    team.settled().await;
    assert_eq!(verify(&one.parlance.store, team.account).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_taken_over_and_one_that_wakes_writes_nothing() {
    let Some((home, one, mut two)) = two().await else { return };
    let team = Team::create(&one).await;
    assert_eq!(holder([&one, &two], team.account).await, 0, "nobody else works yet");
    let eva = team.member("eva@example.hu").await;
    team.availability(eva, true).await.expect("she is available");
    team.receive("contact", "m1", "egy").await.expect("it is taken");
    team.assign(team.admin, "contact", eva, Expected::Nobody).await.expect("it is hers");
    team.settled().await;
    let (account, admin, store) = (team.account, team.admin, two.parlance.store.clone());
    let old = one.parlance.leased.fence(account).expect("it holds the account");

    // As by SIGKILL: nothing is given back. Its leases end.
    drop(team);
    drop(one);
    home.beside().execute("UPDATE leases SET expires_at = 0");
    home.beside().execute("UPDATE servers SET expires_at = 0");
    two.parlance.start();
    let there = Team::of(&two, account, admin, false).await;
    holder([&two, &two], account).await;
    let new = two.parlance.leased.fence(account).expect("it is taken over");
    assert!(new > old);

    // What is there to do is done, by the heir, once.
    there.by(there.admin, Command::Member(eva, MemberCommand::Remove)).await.expect("she is removed");
    let log = two.until(account, |log| log.iter().any(|event| event.event_type == "Unassigned")).await;
    assert_eq!(log.iter().filter(|event| event.event_type == "Unassigned").count(), 1);
    there.settled().await;

    // Whoever wakes up with the old fence writes nothing.
    let from = store.checkpoint(account, "inbox", FIRST_GENERATION).await.expect("a checkpoint");
    let to = from.expect("it has begun");
    let stale = PageWrite {
        account,
        generation: FIRST_GENERATION,
        projection: "inbox",
        fence: Some(old),
        from,
        to,
        changes: Vec::new(),
        parked: Vec::new(),
    };
    let refused = store.write_pages(vec![stale]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(verify(&store, account).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_hands_over_at_once_and_shares_are_even() {
    let Some((_home, one, mut two)) = two().await else { return };
    let team = Team::create(&one).await;
    holder([&one, &one], team.account).await;
    two.parlance.start();
    let held = async |app: &TestApp| {
        let all = two.parlance.store.holdings().await.expect("holdings");
        all.iter().filter(|holding| holding.server == Some(app.parlance.server)).count()
    };
    until("each has its half", async || held(&one).await == 32 && held(&two).await == 32).await;
    one.parlance.leave().await;
    until("what was left is taken", async || held(&two).await == 64).await;
    assert_eq!(held(&one).await, 0);
    assert!(!one.parlance.leased.holds(team.account));
    let receipt = team.receive("contact", "m1", "egy").await.expect("who has left still takes commands");
    two.visible(team.account, receipt.position()).await;
    one.visible(team.account, receipt.position()).await;
    let bucket = AccountBucket::of(team.account);
    let holding = two.parlance.store.holdings().await.expect("holdings")[usize::from(bucket.0)];
    assert_eq!(holding.server, Some(two.parlance.server));
    assert!(receipt.position() > Position::START);
    assert_eq!(one.parlance.store.head(team.account).await.expect("a head").position, receipt.position());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_server_recorded_can_be_seen_here() {
    let Some((_home, one, two)) = two().await else { return };
    let team = Team::create(&one).await;
    let there = team.by_way_of(&two).await;
    there.receive("contact", "m1", "egy").await.expect("this server knows where the log ends");
    let newer = team.receive("contact", "m2", "kettő").await.expect("and now it ends elsewhere");
    there.seen(team.admin, "contact", newer.position()).await.expect("it is marked");
    let log = one.log(team.account).await;
    let seen = log.last().expect("an event").decode().expect("it is ours");
    let Event::Reading(ReadingEvent::ConversationSeen(seen)) = seen else { panic!("{seen:?}") };
    assert_eq!(seen.up_to, newer.position());
}

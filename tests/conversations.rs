//! Conversations under many hands at once: one message is one event, one conversation has one holder, and
//! nobody is given work after they said that they are away.

use parlance_app::command::{CommandError, Receipt};
use parlance_domain::{
    Actor, Command, Refusal,
    conversation::{ConversationCommand, ConversationError, Expected},
    member::MemberCommand,
};
use parlance_projections::{
    inbox::{CONVERSATIONS, InboxRow},
    thread::MESSAGES,
};
use parlance_store::{FIRST_GENERATION, ReadModels as _};
use parlance_tests::{Checker, START, Team, TestApp, at_once};

/// How many rounds availability and assignment race.
const ROUNDS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_a_row_of_the_inbox() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let receipt = team.receive("Kovács Éva", "mid.1", "Jó napot!").await.unwrap();
    assert!(matches!(receipt, Receipt::Recorded { .. }));
    app.visible(team.account, receipt.position()).await;
    let rows =
        app.parlance.store.scan_rows(team.account, FIRST_GENERATION, &CONVERSATIONS, None, 10).await.unwrap();
    let row = InboxRow::from_row(&rows[0]).unwrap();
    assert_eq!((rows.len(), row.conversation, row.messages), (1, team.conversation("Kovács Éva"), 1));
    let again = team.receive("Kovács Éva", "mid.1", "Jó napot!").await.unwrap();
    assert!(matches!(again, Receipt::Duplicate { .. }), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_does_not_rest_on_what_another_server_has_changed_since() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let elsewhere = Team::of(&other, team.account, team.admin, false).await;
    team.receive("Kovács Éva", "mid.1", "Jó napot!").await.unwrap();
    team.act(team.admin, "Kovács Éva", ConversationCommand::Delete).await.unwrap();
    let again = elsewhere.receive("Kovács Éva", "mid.2", "Itt vagyok újra.").await.unwrap();
    // Here the conversation is still known as deleted.
    let seen = team.seen(team.admin, "Kovács Éva", again.position()).await;
    assert!(matches!(seen, Ok(Receipt::Recorded { .. })), "{seen:?}");
}

/// 64 tasks tell the same message; the doors take turns. Returns how many events the log got for it.
async fn one_message_64_times(team: &Team<'_>, doors: &[&Team<'_>], mid: &str) -> usize {
    let before = team.app.log(team.account).await.len();
    let asks = (0..64).map(|n| doors[n % doors.len()].receiving("Anna", mid, "Halló?")).collect();
    let answers = at_once(asks).await;
    let log = team.app.log(team.account).await;
    let message = team.ring.ids.message(team.channel, mid);
    let told: Vec<_> = log.iter().filter(|event| event.dedupe == Some(message.into())).collect();
    assert_eq!(told.len(), 1, "one event");
    let count = |wanted: fn(&Receipt) -> bool| {
        answers.iter().filter(|answer| answer.as_ref().is_ok_and(wanted)).count()
    };
    assert_eq!(count(|receipt| matches!(receipt, Receipt::Recorded { .. })), 1, "{answers:?}");
    let duplicate = Ok(Receipt::Duplicate { original: told[0].position });
    assert_eq!(answers.iter().filter(|answer| **answer == duplicate).count(), 63, "{answers:?}");
    Checker::check(&log);
    log.len() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_told_64_times_at_once_is_recorded_once() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    // The message and the profile that came with it.
    assert_eq!(one_message_64_times(&team, &[&team], "mid.1").await, 2);
    let head = app.log(team.account).await.last().unwrap().position;
    app.visible(team.account, head).await;
    let store = &app.parlance.store;
    let thread = store.scan_rows(team.account, FIRST_GENERATION, &MESSAGES, None, 10).await.unwrap();
    assert_eq!(thread.len(), 1, "one message in the thread");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_told_64_times_by_two_ways_is_recorded_once() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let second = team.by_way_of(&other).await;
    assert_eq!(one_message_64_times(&team, &[&team, &second], "mid.1").await, 2);
    assert_eq!(one_message_64_times(&team, &[&team, &second], "mid.2").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_first_messages_of_a_contact_make_one_conversation() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let asks = (0..500).map(|n| team.receiving("Béla", &format!("mid.{n}"), "Halló?")).collect();
    let answers = at_once(asks).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Receipt::Recorded { .. }))), "no refusal");
    let log = app.log(team.account).await;
    Checker::check(&log);
    let received = log.iter().filter(|event| event.event_type == "MessageReceived");
    assert!(received.clone().all(|event| event.stream == team.conversation("Béla").into()));
    assert_eq!(received.count(), 500);
    app.visible(team.account, log.last().unwrap().position).await;
    let store = &app.parlance.store;
    let rows = store.scan_rows(team.account, FIRST_GENERATION, &CONVERSATIONS, None, 10).await.unwrap();
    assert_eq!(rows.len(), 1, "one conversation");
    assert_eq!(InboxRow::from_row(&rows[0]).unwrap().messages, 500);
    let thread = store.scan_rows(team.account, FIRST_GENERATION, &MESSAGES, None, 1_000).await.unwrap();
    assert_eq!(thread.len(), 500);
}

/// 32 members take one conversation for themselves.
async fn one_takes_it(team: &Team<'_>, doors: &[&Team<'_>]) {
    team.receive("Csilla", "mid.1", "Jó napot!").await.expect("it is taken");
    let mut members = Vec::new();
    for n in 0..32 {
        members.push(team.member(&format!("m{n}@example.hu")).await);
    }
    let asks = members.iter().enumerate().map(|(n, member)| {
        let take = ConversationCommand::Assign { to: *member, expect: Expected::Nobody };
        doors[n % doors.len()].acting(*member, "Csilla", take)
    });
    let answers = at_once(asks.collect()).await;
    let winners: Vec<_> =
        members.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let taken =
        ConversationError::AlreadyAssigned { assignee: winners[0], by: Actor::Member(winners[0]), at: START };
    let lost = Err(CommandError::Refused(Refusal::Conversation(taken)));
    assert_eq!(answers.iter().filter(|answer| **answer == lost).count(), 31, "{answers:?}");
    let log = team.app.log(team.account).await;
    assert_eq!(log.iter().filter(|event| event.event_type == "Assigned").count(), 1);
    Checker::check(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_members_who_take_a_conversation_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    one_takes_it(&team, &[&team]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_members_who_take_a_conversation_by_two_ways_one_gets_it() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let second = team.by_way_of(&other).await;
    one_takes_it(&team, &[&team, &second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_assigned_to_after_they_went_away() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let second = team.by_way_of(&other).await;
    let member = team.member("eva@example.hu").await;
    team.receive("Dénes", "mid.1", "Jó napot!").await.unwrap();
    let (mut before, mut after) = (0, 0);
    for round in 0..ROUNDS {
        let (one, two) = if round % 2 == 0 { (&team, &second) } else { (&second, &team) };
        // Both ways know everything as it is, so that neither begins the race with a stale state.
        two.availability(member, true).await.unwrap();
        two.act(team.admin, "Dénes", ConversationCommand::Unassign { expect: Expected::Anybody })
            .await
            .unwrap();
        one.availability(member, true).await.unwrap();
        let away = Command::Member(member, MemberCommand::SetAvailability { available: false });
        let assign = ConversationCommand::Assign { to: member, expect: Expected::Nobody };
        let mut asks = vec![one.asking(member, away), two.acting(team.admin, "Dénes", assign)];
        if round % 4 < 2 {
            asks.reverse();
        }
        let answers = at_once(asks).await;
        let (gone, assigned) =
            if round % 4 < 2 { (&answers[1], &answers[0]) } else { (&answers[0], &answers[1]) };
        assert!(gone.is_ok(), "{gone:?}");
        match assigned {
            Ok(_) => before += 1,
            Err(CommandError::Refused(Refusal::Conversation(ConversationError::AssigneeUnavailable))) => {
                after += 1;
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    let log = app.log(team.account).await;
    Checker::check(&log);
    assert_eq!(log.iter().filter(|event| event.event_type == "Assigned").count(), before);
    assert_eq!(log.iter().filter(|event| event.event_type == "AvailabilityChanged").count(), 2 * ROUNDS - 1);
    println!("assigned before going away: {before}, refused after it: {after}");
    assert!(before > 0 && after > 0, "a race that only one side wins shows nothing: {before}, {after}");
}

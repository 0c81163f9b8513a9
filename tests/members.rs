//! Coming and going: who loses access holds nothing any more, closed conversations included, and the log says
//! why. The policy that sees to it runs by itself.

use parlance_app::command::Receipt;
use parlance_domain::{
    Actor, Command, MemberId, RecordedEvent, SystemReason,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, Expected},
    member::MemberCommand,
};
use parlance_projections::{
    inbox::{CONVERSATIONS, InboxRow},
    members::{MEMBERS, MemberRow},
};
use parlance_store::{FIRST_GENERATION, ReadModels as _};
use parlance_tests::{Checker, Team, TestApp, at_once};

/// More than a page of the policy.
const CONVERSATIONS_HELD: usize = 300;

/// Contacts `names` write, all are assigned to `to`, and every third conversation is closed.
async fn give(team: &Team<'_>, names: &[String], to: MemberId) {
    let told = names.iter().map(|name| team.receiving(name, &format!("mid of {name}"), "Halló?"));
    assert!(at_once(told.collect()).await.iter().all(Result::is_ok));
    let assign = ConversationCommand::Assign { to, expect: Expected::Nobody };
    let given = names.iter().map(|name| team.acting(team.admin, name, assign.clone()));
    assert!(at_once(given.collect()).await.iter().all(Result::is_ok));
    let closed =
        names.iter().step_by(3).map(|name| team.acting(team.admin, name, ConversationCommand::Close));
    assert!(at_once(closed.collect()).await.iter().all(Result::is_ok));
}

fn contacts(of: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{of} {n}")).collect()
}

fn unassigned(log: &[RecordedEvent]) -> Vec<&RecordedEvent> {
    log.iter().filter(|event| event.event_type == "Unassigned").collect()
}

/// Waits for the policy and checks what it recorded: `count` conversations taken from `from`, for `cause`.
async fn released(
    team: &Team<'_>,
    after: Receipt,
    count: usize,
    from: MemberId,
    cause: &str,
) -> Vec<RecordedEvent> {
    let log = team.app.until(team.account, |log| unassigned(log).len() >= count).await;
    Checker::check(&log);
    let taking = &log[usize::try_from(after.position().number()).expect("a small log") - 1];
    for event in unassigned(&log) {
        let fields: serde_json::Value = serde_json::from_slice(&event.payload).expect("JSON");
        assert_eq!(event.actor, Actor::System(SystemReason::AccessLost));
        assert_eq!(fields["cause"], cause);
        assert_eq!(fields["previous"], from.uuid().simple().to_string());
        assert_eq!(event.correlation, taking.correlation, "it followed from what took the access");
    }
    assert_eq!(unassigned(&log).len(), count);
    log
}

async fn held(team: &Team<'_>, by: MemberId) -> usize {
    let store = &team.app.parlance.store;
    let head = team.app.log(team.account).await.last().expect("a log").position;
    team.app.visible(team.account, head).await;
    let rows = store.scan_rows(team.account, FIRST_GENERATION, &CONVERSATIONS, None, 1_000).await;
    let rows = rows.expect("the rows are read");
    let assignee = |row| InboxRow::from_row(row).expect("a row").assignee;
    rows.iter().filter(|row| assignee(row) == Some(by)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_removed_holds_nothing_any_more() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = team.member("eva@example.hu").await;
    let pal = team.member("pal@example.hu").await;
    give(&team, &contacts("Éváé", CONVERSATIONS_HELD), eva).await;
    give(&team, &contacts("Pálé", 5), pal).await;
    assert_eq!(held(&team, eva).await, CONVERSATIONS_HELD);
    let removed = team.by(team.admin, Command::Member(eva, MemberCommand::Remove)).await.unwrap();
    let log = released(&team, removed, CONVERSATIONS_HELD, eva, "assignee_removed").await;
    assert!(log.iter().all(|event| event.event_type != "Reopened"), "closed ones stay closed");
    assert_eq!((held(&team, eva).await, held(&team, pal).await), (0, 5));
    // Whoever comes back begins with nothing, and what they are given stays theirs.
    team.member("eva@example.hu").await;
    team.assign(team.admin, "Éváé 1", eva, Expected::Nobody).await.unwrap();
    app.parlance.release_policy().drain(team.account).await.unwrap();
    assert_eq!(held(&team, eva).await, 1);
    let rows =
        app.parlance.store.scan_rows(team.account, FIRST_GENERATION, &MEMBERS, None, 10).await.unwrap();
    let standing = |row| MemberRow::from_row(row).unwrap().standing;
    assert!(rows.iter().all(|row| standing(row) == "active"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_becomes_private_is_its_installers_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = team.member("eva@example.hu").await;
    give(&team, &contacts("Éváé", CONVERSATIONS_HELD), eva).await;
    give(&team, &contacts("Ádámé", 5), team.admin).await;
    let private = ChannelCommand::SetVisibility { visibility: Visibility::Private };
    let hidden = team.by(team.admin, Command::Channel(team.channel, private)).await.unwrap();
    released(&team, hidden, CONVERSATIONS_HELD, eva, "access_lost").await;
    assert_eq!((held(&team, eva).await, held(&team, team.admin).await), (0, 5), "the installer keeps theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hands_a_private_channel_over_holds_nothing_of_it() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = team.member("eva@example.hu").await;
    // Private from its beginning: nothing but the hand-over takes access away.
    let channel = team.connect("page-2", Visibility::Private).await;
    let team = Team { channel, ..team };
    give(&team, &contacts("Ádámé", CONVERSATIONS_HELD), team.admin).await;
    let hand_over = ChannelCommand::HandOver { to: eva };
    let handed = team.by(team.admin, Command::Channel(channel, hand_over)).await.unwrap();
    released(&team, handed, CONVERSATIONS_HELD, team.admin, "access_lost").await;
    assert_eq!(held(&team, team.admin).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hands_a_shared_channel_over_keeps_what_they_hold() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let eva = team.member("eva@example.hu").await;
    give(&team, &contacts("Ádámé", 10), team.admin).await;
    let hand_over = ChannelCommand::HandOver { to: eva };
    team.by(team.admin, Command::Channel(team.channel, hand_over)).await.unwrap();
    app.parlance.release_policy().drain(team.account).await.unwrap();
    assert!(unassigned(&app.log(team.account).await).is_empty());
    assert_eq!(held(&team, team.admin).await, 10);
}

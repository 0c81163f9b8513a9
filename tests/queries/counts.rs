//! What sections count is what their rows say, for every member, whatever happens.

use std::collections::BTreeMap;

use parlance_app::front::{FrontError, Section};
use parlance_domain::{
    Command, MemberId,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, Expected},
    member::MemberCommand,
    reading::ReadingCommand,
};
use parlance_store::EventLog as _;
use parlance_tests::{START, Team, TestApp};

use super::{Asking, Dice, whole, write};

/// What the sections say, and what their rows add up to, which must be the same.
async fn counted(queries: &Asking, team: &Team<'_>, member: MemberId) -> BTreeMap<&'static str, (u64, u64)> {
    let mut counted = BTreeMap::new();
    for view in queries.sections(team.asker(member), None).await.expect("the sections are answered") {
        let rows = whole(queries, team, member, view.section).await;
        assert!(rows.iter().all(|row| row.section == view.section));
        let unread = rows.iter().filter(|row| row.unread).count();
        assert_eq!((rows.len() as u64, unread as u64), (view.conversations, view.unread), "{view:?}");
        let name = match view.section {
            Section::Unassigned => "unassigned",
            Section::AssignedToMe => "mine",
            Section::AssignedToOthers => "others",
            Section::Closed => "closed",
        };
        counted.insert(name, (view.conversations, view.unread));
    }
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_is_what_the_contact_wrote_after_the_mark_and_after_access() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let receipt = team.receive("a", "mid.1", "?").await.unwrap();
    let béla = team.member("bela@example.hu").await;
    team.settled().await;
    let unassigned = async |member| counted(&queries, &team, member).await["unassigned"];
    assert_eq!(unassigned(team.admin).await, (1, 1));
    assert_eq!(unassigned(béla).await, (1, 0), "from before he came");
    team.seen(team.admin, "a", receipt.position()).await.unwrap();
    team.settled().await;
    assert_eq!(unassigned(team.admin).await, (1, 0));
    team.receive("a", "mid.2", "?").await.unwrap();
    team.settled().await;
    assert_eq!((unassigned(team.admin).await, unassigned(béla).await), ((1, 1), (1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sections_count_what_their_rows_say_whatever_happens() {
    // Nothing runs by itself, so that counts and rows are of the same moment.
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let (queries, dice) = (app.queries(), Dice::of(17));
    let channels = [team.channel, team.connect("page-2", Visibility::Shared).await];
    let mut members = vec![team.admin];
    for address in ["bela@example.hu", "cili@example.hu"] {
        members.push(team.member(address).await);
    }
    let mut unread = 0;
    for round in 0..24 {
        for step in 0..16 {
            let channel = *dice.one_of(&channels);
            let contact = format!("contact {}", dice.below(6));
            let conversation = team.ring.ids.conversation(channel, &contact);
            let by = *dice.one_of(&members);
            let order = match dice.below(10) {
                0..4 => {
                    write(&team, channel, &contact, &format!("mid.{round}.{step}"), START).await;
                    continue;
                }
                4 | 5 => {
                    let head = app.parlance.store.head(team.account).await.unwrap();
                    let mark = ReadingCommand::MarkSeen { conversation, channel, up_to: head.position };
                    Command::Reading(team.ring.ids.reading(by, conversation), mark)
                }
                6 | 7 => {
                    let to = *dice.one_of(&members);
                    let assign = ConversationCommand::Assign { to, expect: Expected::Anybody };
                    Command::Conversation(conversation, assign)
                }
                8 => Command::Conversation(conversation, ConversationCommand::Close),
                _ if dice.below(2) == 0 => Command::Conversation(conversation, ConversationCommand::Delete),
                _ => {
                    let visibility = *dice.one_of(&[Visibility::Private, Visibility::Shared]);
                    Command::Channel(channel, ChannelCommand::SetVisibility { visibility })
                }
            };
            // What the rules refuse changes nothing.
            let _ = team.by(by, order).await;
        }
        let store = &app.parlance.store;
        app.parlance.projections.catch_up(store, team.account).await.unwrap();
        for member in &members {
            let counted = counted(&queries, &team, *member).await;
            unread += counted.values().map(|(_, unread)| unread).sum::<u64>();
        }
    }
    assert!(unread > 50, "the rounds say something: {unread}");
    team.by(team.admin, Command::Member(members[2], MemberCommand::Remove)).await.unwrap();
    let removed = queries.sections(team.asker(members[2]), None).await;
    assert_eq!(removed, Err(FrontError::NotFound));
}

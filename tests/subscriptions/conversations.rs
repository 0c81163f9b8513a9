//! One conversation, followed.

use parlance_app::front::{ConversationChange, FrontError};
use parlance_domain::{
    Command, ConversationId, DedupeToken, MessageId,
    channel::Visibility,
    conversation::{ConversationCommand, EditedContent, Expected},
};
use parlance_tests::{Team, TestApp};
use uuid::Uuid;

use super::{hand_over, head, next, set, told};

fn messages(change: &ConversationChange) -> Vec<MessageId> {
    let mut ids: Vec<_> = change.messages.iter().map(|view| view.id).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_told_as_they_come_and_change() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    team.settled().await;
    let (asker, id) = (team.asker(team.admin), team.conversation("a"));
    let mut following = queries.conversation_changes(asker, id, None);
    let first = told(&mut following).await;
    assert_eq!((first.conversation.as_ref().map(|view| view.id), first.messages.len()), (Some(id), 0));
    let mid = |mid: &str| team.ring.ids.message(team.channel, mid);
    team.receive("b", "mid.of.another", "Nem ide").await.unwrap();
    team.receive("a", "mid.2", "Itt vagy?").await.unwrap();
    let change = told(&mut following).await;
    assert_eq!((messages(&change), change.reload_messages), (vec![mid("mid.2")], false));
    let edit = ConversationCommand::Edit {
        channel: team.channel,
        message: mid("mid.1"),
        provider_at: None,
        token: DedupeToken::from_bytes([9; 16]),
        content: EditedContent { text: "Hahó!".to_owned() },
    };
    let command = Command::Conversation(id, edit);
    app.ask(team.account, parlance_domain::Actor::Contact(id), command).await.unwrap();
    let change = told(&mut following).await;
    assert_eq!(change.messages[0].text.as_deref(), Some("Hahó!"));
    team.assign(team.admin, "a", team.admin, Expected::Nobody).await.unwrap();
    let change = told(&mut following).await;
    let assignee = change.conversation.as_ref().and_then(|view| view.assignee);
    assert_eq!((messages(&change), assignee), (vec![], Some(team.admin)));
    let resumed = told(&mut queries.conversation_changes(asker, id, Some(first.position))).await;
    let mut both = vec![mid("mid.1"), mid("mid.2")];
    both.sort();
    assert_eq!((messages(&resumed), resumed.position), (both, change.position));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_conversation_is_gone_until_it_begins_again() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    let before = head(&team).await;
    let (asker, id) = (team.asker(team.admin), team.conversation("a"));
    let mut following = queries.conversation_changes(asker, id, Some(before));
    told(&mut following).await;
    team.receive("a", "mid.2", "Törlendő").await.unwrap();
    team.act(team.admin, "a", ConversationCommand::Delete).await.unwrap();
    team.settled().await;
    let resumed = told(&mut queries.conversation_changes(asker, id, Some(before))).await;
    assert_eq!((resumed.conversation, resumed.gone, resumed.messages.len()), (None, true, 0));
    let mut change = told(&mut following).await;
    if !change.gone {
        change = told(&mut following).await;
    }
    assert_eq!((change.conversation, change.gone), (None, true));
    team.receive("a", "mid.3", "Megint én").await.unwrap();
    let change = told(&mut following).await;
    assert_eq!(change.conversation.as_ref().map(|view| view.incarnation), Some(2));
    assert_eq!((change.gone, change.messages.len()), (false, 1));
    let resumed = told(&mut queries.conversation_changes(asker, id, Some(before))).await;
    assert!(resumed.reload_messages, "what is held is of an earlier life");
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_sight_and_never_there_look_the_same() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    let (asker, id) = (team.asker(béla), team.conversation("a"));
    let mut following = queries.conversation_changes(asker, id, None);
    told(&mut following).await;
    set(&team, team.admin, team.channel, Visibility::Private).await;
    let change = told(&mut following).await;
    assert_eq!((change.conversation, change.gone), (None, false));
    let nothing = ConversationId::new(Uuid::from_u128(1));
    for unseen in [id, nothing] {
        for after in [None, Some(change.position)] {
            let mut refused = queries.conversation_changes(asker, unseen, after);
            assert_eq!(next(&mut refused).await, Some(Err(FrontError::NotFound)));
            assert_eq!(next(&mut refused).await, None);
        }
    }
    team.receive("a", "mid.2", "Csak neked").await.unwrap();
    team.act(team.admin, "a", ConversationCommand::Delete).await.unwrap();
    team.receive("a", "mid.3", "Megint én").await.unwrap();
    hand_over(&team, team.admin, team.channel, béla).await;
    team.settled().await;
    let change = told(&mut following).await;
    assert!(change.reload_messages, "it is in sight again, and the first that is told since");
    assert_eq!(change.conversation.map(|view| (view.incarnation, view.may_delete)), Some((2, true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_members_mark_and_another_conversation_are_not_told_of() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let at = team.receive("a", "mid.1", "Halló?").await.unwrap().position();
    let (asker, id) = (team.asker(béla), team.conversation("a"));
    let mut following = queries.conversation_changes(asker, id, Some(head(&team).await));
    told(&mut following).await;
    team.seen(team.admin, "a", at).await.unwrap();
    team.receive("b", "mid.2", "Halló?").await.unwrap();
    team.availability(team.admin, false).await.unwrap();
    let own = team.seen(béla, "a", at).await.unwrap().position();
    let change = told(&mut following).await;
    assert_eq!((change.position, change.conversation.map(|view| view.unread)), (own, Some(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_hundred_messages_are_to_be_loaded() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    team.receive("a", "mid.0", "Halló?").await.unwrap();
    let before = head(&team).await;
    for n in 1..=100 {
        team.receive("a", &format!("mid.{n}"), "Halló?").await.unwrap();
    }
    team.settled().await;
    let (asker, id) = (team.asker(team.admin), team.conversation("a"));
    let change = told(&mut queries.conversation_changes(asker, id, Some(before))).await;
    assert_eq!((change.messages.len(), change.reload_messages), (100, false));
    team.receive("a", "mid.101", "Halló?").await.unwrap();
    team.settled().await;
    let change = told(&mut queries.conversation_changes(asker, id, Some(before))).await;
    assert_eq!((change.messages.len(), change.reload_messages), (0, true));
}

//! Who is told what, as access comes and goes. Expectations are written by hand.

use parlance_app::front::FrontError;
use parlance_domain::{
    ChannelId, Command, Email, MemberId,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, Expected},
    member::MemberCommand,
};
use parlance_tests::{Team, TestApp};

use super::{channels, hand_over, head, ids, mark, next, permit, set, since, told, up_to_now};

const NONE: [ChannelId; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_becomes_private_goes_out_of_sight_for_all_but_its_installer() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    let before = head(&team).await;
    team.receive("a", "mid.2", "Halló?").await.unwrap();
    set(&team, team.admin, team.channel, Visibility::Private).await;
    team.receive("b", "mid.3", "Csak neked").await.unwrap();
    let change = since(&queries, &team, béla, before).await;
    assert_eq!(change.channels_gone, [team.channel]);
    assert_eq!((ids(&change), &change.gone, &change.channels_to_load), (vec![], &vec![], &vec![]));
    assert!(change.channels.is_empty(), "Béla does not manage channels");
    let change = since(&queries, &team, team.admin, before).await;
    assert_eq!((&change.channels_gone, &change.channels_to_load), (&vec![], &vec![]));
    assert_eq!(change.channels[0].visibility, Visibility::Private);
    let mut told = ids(&change);
    told.sort();
    let mut wanted = vec![team.conversation("a"), team.conversation("b")];
    wanted.sort();
    assert_eq!(told, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_becomes_shared_is_to_be_loaded_by_all_but_its_installer() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    set(&team, team.admin, team.channel, Visibility::Private).await;
    let before = head(&team).await;
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    set(&team, team.admin, team.channel, Visibility::Shared).await;
    let change = since(&queries, &team, béla, before).await;
    assert_eq!((&change.channels_to_load, &change.channels_gone), (&vec![team.channel], &vec![]));
    assert_eq!(change.channels.len(), 1);
    assert_eq!(ids(&change), [], "they are loaded with the channel");
    let change = since(&queries, &team, team.admin, before).await;
    assert_eq!((&change.channels_to_load, &change.channels_gone), (&vec![], &vec![]));
    assert_eq!(ids(&change), [team.conversation("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_channel_that_is_handed_over_concerns_the_two_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (béla, csilla) = (team.member("bela@example.hu").await, team.member("csilla@example.hu").await);
    let queries = app.queries();
    set(&team, team.admin, team.channel, Visibility::Private).await;
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    let before = head(&team).await;
    hand_over(&team, team.admin, team.channel, béla).await;
    team.receive("a", "mid.2", "Itt vagy?").await.unwrap();
    let change = since(&queries, &team, team.admin, before).await;
    assert_eq!((&change.channels_gone, &change.channels_to_load), (&vec![team.channel], &vec![]));
    assert_eq!(ids(&change), []);
    assert_eq!(change.channels[0].installer, béla, "the admin manages channels, and sees whose it is");
    let change = since(&queries, &team, béla, before).await;
    assert_eq!((&change.channels_to_load, &change.channels_gone), (&vec![team.channel], &vec![]));
    let change = since(&queries, &team, csilla, before).await;
    assert_eq!(channels(&change), NONE);
    assert_eq!((ids(&change), change.gone), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_channel_that_is_handed_over_changes_what_the_two_may_delete() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (béla, csilla) = (team.member("bela@example.hu").await, team.member("csilla@example.hu").await);
    let queries = app.queries();
    let before = head(&team).await;
    hand_over(&team, team.admin, team.channel, béla).await;
    for (member, to_load) in [(team.admin, vec![team.channel]), (béla, vec![team.channel]), (csilla, vec![])]
    {
        let change = since(&queries, &team, member, before).await;
        assert_eq!((change.channels_to_load, change.channels_gone), (to_load, vec![]));
        assert_eq!(change.channels[0].installer, béla);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_channel_is_found_by_whom_it_is_for() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let before = head(&team).await;
    let (private, shared) =
        (team.connect("page-2", Visibility::Private).await, team.connect("page-3", Visibility::Shared).await);
    let change = since(&queries, &team, béla, before).await;
    assert_eq!((&change.channels_to_load, &change.channels_gone), (&vec![shared], &vec![]));
    assert_eq!(channels(&change), [shared, shared]);
    let mut found = since(&queries, &team, team.admin, before).await.channels_to_load;
    found.sort();
    let mut wanted = vec![private, shared];
    wanted.sort();
    assert_eq!(found, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_disconnected_and_connected_again_stays_where_it_is() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let mut following = queries.inbox_changes(team.asker(béla), None);
    told(&mut following).await;
    team.by(team.admin, Command::Channel(team.channel, ChannelCommand::Disconnect)).await.unwrap();
    let change = up_to_now(&team, &mut following).await;
    assert_eq!((&change.channels_gone, &change.channels_to_load), (&vec![], &vec![]));
    assert_eq!(change.channels[0].health, parlance_app::front::ChannelHealth::Disconnected);
    team.connect("page-1", Visibility::Private).await;
    let change = up_to_now(&team, &mut following).await;
    assert_eq!((&change.channels_gone, &change.channels_to_load), (&vec![], &vec![]));
    assert_eq!(change.channels[0].health, parlance_app::front::ChannelHealth::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_is_shown_where_the_conversation_was() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let delete = || ConversationCommand::Delete;
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    team.receive("b", "mid.2", "Halló?").await.unwrap();
    let before = head(&team).await;
    team.act(team.admin, "a", delete()).await.unwrap();
    let shared = since(&queries, &team, béla, before).await;
    assert_eq!((ids(&shared), &shared.gone), (vec![], &vec![team.conversation("a")]));
    set(&team, team.admin, team.channel, Visibility::Private).await;
    team.act(team.admin, "b", delete()).await.unwrap();
    let private = since(&queries, &team, béla, before).await;
    assert_eq!((ids(&private), private.gone, private.channels_gone), (vec![], vec![], vec![team.channel]));
    let mut own = since(&queries, &team, team.admin, before).await.gone;
    own.sort();
    let mut wanted = vec![team.conversation("a"), team.conversation("b")];
    wanted.sort();
    assert_eq!(own, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_and_began_again_is_told_as_what_it_is_now() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    let before = head(&team).await;
    team.assign(béla, "a", béla, Expected::Nobody).await.unwrap();
    team.act(team.admin, "a", ConversationCommand::Delete).await.unwrap();
    team.receive("a", "mid.2", "Megint én").await.unwrap();
    let change = since(&queries, &team, béla, before).await;
    assert_eq!((ids(&change), change.gone), (vec![team.conversation("a")], vec![]));
    let row = &change.conversations[0];
    assert_eq!((row.incarnation, row.messages, row.assignee), (2, 1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_mark_is_told_to_its_member_alone() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let at = team.receive("a", "mid.1", "Halló?").await.unwrap().position();
    let before = head(&team).await;
    let mut admins = queries.inbox_changes(team.asker(team.admin), Some(before));
    assert!(told(&mut admins).await.conversations.is_empty());
    team.seen(béla, "a", at).await.unwrap();
    team.settled().await;
    let own = since(&queries, &team, béla, before).await;
    assert_eq!(ids(&own), [team.conversation("a")]);
    assert!(!own.conversations[0].unread);
    let others = told(&mut admins).await;
    assert_eq!(
        (ids(&others), others.members.len()),
        (vec![], 1),
        "the first that is told is the availability"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn availability_is_told_to_everybody_at_once() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (béla, csilla) = (team.member("bela@example.hu").await, team.member("csilla@example.hu").await);
    let queries = app.queries();
    let mut all = [team.admin, béla, csilla].map(|member| queries.inbox_changes(team.asker(member), None));
    for following in &mut all {
        told(following).await;
    }
    team.availability(béla, false).await.unwrap();
    for following in &mut all {
        let change = told(following).await;
        assert_eq!((change.members[0].id, change.members[0].available), (béla, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_settings_access_is_told_of_all_channels_and_loses_them_with_it() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let private = team.connect("page-2", Visibility::Private).await;
    let mut following = queries.inbox_changes(team.asker(béla), None);
    told(&mut following).await;
    permit(&team, béla, true).await;
    let change = up_to_now(&team, &mut following).await;
    assert_eq!(change.channels.len(), 2, "both channels exist for Béla now");
    assert_eq!((&change.channels_gone, &change.channels_to_load), (&vec![], &vec![]));
    let managing = head(&team).await;
    permit(&team, béla, false).await;
    let later = team.connect("page-3", Visibility::Private).await;
    for change in [up_to_now(&team, &mut following).await, since(&queries, &team, béla, managing).await] {
        assert_eq!(change.channels_gone, [private], "not {later}, which came after");
        let listed: Vec<_> = change.channels.iter().map(|view| view.id).collect();
        assert_eq!(listed, [team.channel]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_ends_with_the_membership_and_cannot_be_gone_on_with_after_it() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let mut following = queries.inbox_changes(team.asker(béla), None);
    let before = told(&mut following).await.position;
    team.by(team.admin, Command::Member(béla, MemberCommand::Remove)).await.unwrap();
    assert_eq!(next(&mut following).await, None);
    let mut again = queries.inbox_changes(team.asker(béla), Some(before));
    assert_eq!(next(&mut again).await, Some(Err(FrontError::NotFound)));
    assert_eq!(next(&mut again).await, None);
    team.member("bela@example.hu").await;
    let mut again = queries.inbox_changes(team.asker(béla), Some(before));
    assert_eq!(next(&mut again).await, Some(Err(FrontError::Reload)), "everything is different for them");
    assert_eq!(next(&mut again).await, None);
    let mut anew = queries.inbox_changes(team.asker(béla), Some(head(&team).await));
    told(&mut anew).await;
    let nobody = team.ring.ids.member(&Email::new("nobody@example.hu").unwrap());
    let mut stranger = queries.inbox_changes(team.asker(nobody), None);
    assert_eq!(next(&mut stranger).await, Some(Err(FrontError::NotFound)));
}

/// The store's read models stand still; states and log go on.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_that_is_not_permitted_any_more_however_far_behind_the_read_models_are() {
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let catch_up = async || {
        let caught = app.parlance.projections.catch_up(&app.parlance.store, team.account).await;
        caught.expect("everything folds");
    };
    let invite = async |address: &str| {
        let member = team.member(address).await;
        catch_up().await;
        member
    };
    let (béla, csilla): (MemberId, MemberId) =
        (invite("bela@example.hu").await, invite("csilla@example.hu").await);
    let queries = app.queries();
    let mut following = queries.inbox_changes(team.asker(béla), None);
    told(&mut following).await;
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    team.receive("b", "mid.2", "Halló?").await.unwrap();
    team.act(team.admin, "b", ConversationCommand::Delete).await.unwrap();
    team.availability(csilla, false).await.unwrap();
    catch_up().await;
    set(&team, team.admin, team.channel, Visibility::Private).await;
    let change = told(&mut following).await;
    assert_eq!((ids(&change), change.gone.len(), change.members.len()), (vec![], 0, 1));
    assert_eq!(channels(&change), NONE, "that it is private is not shown yet");
    mark(&team).await;
    catch_up().await;
    let change = told(&mut following).await;
    assert_eq!((change.channels_gone, change.channels_to_load), (vec![team.channel], vec![]));
}

/// The same of a deletion, which no mark in the read models shows yet.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_while_a_change_is_built_is_not_told_of() {
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let catch_up = async || {
        let caught = app.parlance.projections.catch_up(&app.parlance.store, team.account).await;
        caught.expect("everything folds");
    };
    catch_up().await;
    let queries = app.queries();
    let asker = team.asker(team.admin);
    let mut following = queries.inbox_changes(asker, None);
    let before = told(&mut following).await.position;
    for contact in ["a", "b", "c"] {
        team.receive(contact, &format!("mid.{contact}"), "Halló?").await.unwrap();
    }
    catch_up().await;
    team.act(team.admin, "a", ConversationCommand::Delete).await.unwrap();
    team.act(team.admin, "b", ConversationCommand::Delete).await.unwrap();
    team.receive("b", "mid.b.2", "Megint én").await.unwrap();
    let change = told(&mut following).await;
    assert_eq!((ids(&change), change.gone.len()), (vec![team.conversation("c")], 0));
    let a = queries.conversation_changes(asker, team.conversation("a"), Some(before));
    let watched = told(&mut { a }).await;
    assert_eq!((watched.conversation, watched.messages.len(), watched.gone), (None, 0, true));
    catch_up().await;
    let change = told(&mut following).await;
    assert_eq!((ids(&change), change.gone), (vec![team.conversation("b")], vec![team.conversation("a")]));
}

/// Another process's changes are known here by the log alone.
#[tokio::test(flavor = "multi_thread")]
async fn states_that_the_log_is_ahead_of_are_not_judged_by() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let mut following = queries.inbox_changes(team.asker(béla), None);
    told(&mut following).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let there = team.by_way_of(&other).await;
    set(&there, team.admin, team.channel, Visibility::Private).await;
    app.parlance.projections.wake(team.account);
    let change = told(&mut following).await;
    assert_eq!((change.channels_gone, change.channels_to_load), (vec![team.channel], vec![]));
    set(&there, team.admin, team.channel, Visibility::Shared).await;
    app.parlance.projections.wake(team.account);
    let change = told(&mut following).await;
    assert_eq!((change.channels_gone, change.channels_to_load), (vec![], vec![team.channel]));
    there.receive("a", "mid.1", "Halló?").await.unwrap();
    app.parlance.projections.wake(team.account);
    assert_eq!(ids(&told(&mut following).await), [team.conversation("a")]);
    there.act(team.admin, "a", ConversationCommand::Delete).await.unwrap();
    there.receive("a", "mid.2", "Megint én").await.unwrap();
    app.parlance.projections.wake(team.account);
    let mut change = told(&mut following).await;
    while change.conversations.is_empty() {
        change = told(&mut following).await;
    }
    assert_eq!(change.conversations[0].incarnation, 2);
    there.by(team.admin, Command::Member(béla, MemberCommand::Remove)).await.unwrap();
    app.parlance.projections.wake(team.account);
    assert_eq!(next(&mut following).await, None);
}

//! What interfaces are answered: sections, threads and settings as each member may see them.

use std::collections::BTreeMap;

use parlance_app::{
    front::{ConversationView, FrontError, Page, Section},
    queries::Queries,
};
use parlance_domain::{
    ChannelId, Command, ConversationId, MemberId,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, Expected},
    member::MemberCommand,
};
use parlance_store_sqlite::SqliteStore;
use parlance_tests::{Team, TestApp};

type Asking = Queries<SqliteStore>;

/// A whole section as one member sees it.
async fn whole(
    queries: &Asking,
    team: &Team<'_>,
    member: MemberId,
    section: Section,
) -> Vec<ConversationView> {
    let page = queries.conversations(team.asker(member), section, None, None, Page::<()>::ITEMS_MAX).await;
    let page = page.expect("the section is answered");
    assert!(!page.more, "a section of this test is one page");
    page.items
}

async fn ids(queries: &Asking, team: &Team<'_>, member: MemberId, section: Section) -> Vec<ConversationId> {
    whole(queries, team, member, section).await.into_iter().map(|view| view.id).collect()
}

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
async fn a_conversation_stands_in_exactly_one_section_newest_message_first() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    for contact in ["a", "b", "c", "d", "e"] {
        team.receive(contact, &format!("mid.{contact}"), "Halló?").await.unwrap();
    }
    let id = |contact| team.conversation(contact);
    team.assign(team.admin, "b", team.admin, Expected::Nobody).await.unwrap();
    team.assign(team.admin, "c", béla, Expected::Nobody).await.unwrap();
    team.assign(team.admin, "d", béla, Expected::Nobody).await.unwrap();
    team.act(béla, "d", ConversationCommand::Close).await.unwrap();
    team.settled().await;
    let admin = team.admin;
    assert_eq!(ids(&queries, &team, admin, Section::Unassigned).await, [id("e"), id("a")]);
    assert_eq!(ids(&queries, &team, admin, Section::AssignedToMe).await, [id("b")]);
    assert_eq!(ids(&queries, &team, admin, Section::AssignedToOthers).await, [id("c")]);
    assert_eq!(ids(&queries, &team, admin, Section::Closed).await, [id("d")]);
    assert_eq!(ids(&queries, &team, béla, Section::AssignedToMe).await, [id("c")]);
    assert_eq!(ids(&queries, &team, béla, Section::AssignedToOthers).await, [id("b")]);
    team.receive("a", "mid.later", "Van itt valaki?").await.unwrap();
    team.settled().await;
    let rows = whole(&queries, &team, béla, Section::Unassigned).await;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id("a"), id("e")]);
    assert_eq!(rows[0].contact.as_ref().unwrap().name.as_deref(), Some("a"));
    assert_eq!((rows[0].messages, rows[0].unread, rows[0].may_delete), (2, true, false));
    let expected =
        BTreeMap::from([("unassigned", (2, 2)), ("mine", (1, 1)), ("others", (1, 1)), ("closed", (1, 1))]);
    assert_eq!(counted(&queries, &team, béla).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_access_sees_nothing_at_once_however_far_behind_the_read_models_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = TestApp::open(folder.path(), 1).await;
    app.folder = Some(folder);
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    app.parlance.projections.catch_up(&app.parlance.store, team.account).await.unwrap();
    let asker = team.asker(béla);
    let sees = async || {
        let page = queries.conversations(asker, Section::Unassigned, None, None, 10).await;
        page.map(|page| page.items.len())
    };
    assert_eq!(sees().await, Ok(1));
    let set = |visibility| Command::Channel(team.channel, ChannelCommand::SetVisibility { visibility });
    team.by(team.admin, set(Visibility::Private)).await.unwrap();
    assert_eq!(sees().await, Ok(0), "nothing was folded meanwhile");
    assert_eq!(queries.sections(asker, Some(team.channel)).await, Err(FrontError::NotFound));
    let found = queries.conversations_by_id(asker, vec![team.conversation("a")]).await;
    assert_eq!(found, Ok(vec![]));
    assert_eq!(queries.channels(asker).await, Ok(vec![]));
    team.by(team.admin, set(Visibility::Shared)).await.unwrap();
    assert_eq!(sees().await, Ok(1));
    team.by(team.admin, Command::Member(béla, MemberCommand::Remove)).await.unwrap();
    assert_eq!(sees().await, Err(FrontError::NotFound));
    assert_eq!(queries.account(asker).await, Err(FrontError::NotFound));
    assert_eq!(queries.members(asker, None, 10).await, Err(FrontError::NotFound));
    assert_eq!(queries.channels(asker).await, Err(FrontError::NotFound));
    let nobody = team.asker(MemberId::default());
    assert_eq!(queries.sections(nobody, None).await, Err(FrontError::NotFound));
    let unknown = Some(ChannelId::default());
    assert_eq!(queries.sections(team.asker(team.admin), unknown).await, Err(FrontError::NotFound));
}

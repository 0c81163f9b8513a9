//! Sections: where conversations stand, in which order, page by page, and who may see them.

use parlance_app::front::{ConversationView, FrontError, Section};
use parlance_domain::{
    Actor, ChannelId, Command, ConversationId, MemberId,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, Expected},
    member::MemberCommand,
};
use parlance_tests::{START, Team, TestApp};

use super::{Asking, Dice, whole, write};

async fn ids(queries: &Asking, team: &Team<'_>, member: MemberId, section: Section) -> Vec<ConversationId> {
    whole(queries, team, member, section).await.into_iter().map(|view| view.id).collect()
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
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_access_sees_nothing_at_once_however_far_behind_the_read_models_are() {
    let app = TestApp::still().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_section_read_in_pages_of_any_length_is_the_whole_section() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, dice) = (app.queries(), Dice::of(5));
    let mut members = vec![team.admin];
    for address in ["bela@example.hu", "cili@example.hu", "dora@example.hu"] {
        members.push(team.member(address).await);
    }
    let channels = [
        team.channel,
        team.connect("page-2", Visibility::Shared).await,
        team.connect("page-3", Visibility::Private).await,
    ];
    for number in 0..90 {
        let channel = *dice.one_of(&channels);
        // Many share a minute; the messages come out of order.
        let at = START.plus_micros(-60_000_000 * i64::try_from(dice.below(20)).unwrap());
        let contact = format!("contact {number}");
        let conversation = write(&team, channel, &contact, &contact, at).await;
        let asked = |order| team.by(team.admin, Command::Conversation(conversation, order));
        let to = if channel == channels[2] { team.admin } else { *dice.one_of(&members) };
        if dice.below(3) > 0 {
            asked(ConversationCommand::Assign { to, expect: Expected::Nobody }).await.unwrap();
        }
        if dice.below(4) == 0 {
            asked(ConversationCommand::Close).await.unwrap();
        }
    }
    team.settled().await;
    let mut shown = 0;
    for member in &members {
        for section in Section::ALL {
            for channel in [None, Some(channels[0]), Some(channels[1])] {
                let asked =
                    |after, limit| queries.conversations(team.asker(*member), section, channel, after, limit);
                let all = asked(None, usize::MAX).await.unwrap();
                assert!(!all.more && all.items.is_sorted_by(|a, b| a.place > b.place));
                assert!(all.items.iter().all(|view| view.section == section));
                let (mut items, mut more) = (Vec::<ConversationView>::new(), true);
                while more {
                    let after = items.last().map(|view| view.place);
                    let page = asked(after, 1 + dice.below(9)).await.unwrap();
                    more = page.more;
                    items.extend(page.items);
                }
                assert_eq!(items, all.items);
                shown += if channel.is_none() { items.len() } else { 0 };
            }
        }
    }
    let private = queries.sections(team.asker(team.admin), Some(channels[2])).await.unwrap();
    let private: u64 = private.iter().map(|view| view.conversations).sum();
    assert_eq!(shown as u64, 4 * 90 - 3 * private, "each stands in one section of whoever has access");
    let refused =
        queries.conversations(team.asker(members[1]), Section::Closed, Some(channels[2]), None, 5).await;
    assert_eq!(refused, Err(FrontError::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_came_since_the_last_page_is_on_the_next_one() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (paged, counted) = (app.queries(), app.queries());
    let asker = team.asker(team.admin);
    let a = write(&team, team.channel, "a", "mid.a", START).await;
    team.settled().await;
    assert_eq!(ids(&paged, &team, team.admin, Section::Unassigned).await, [a]);
    assert_eq!(counted.sections(asker, None).await.unwrap()[0].conversations, 1);
    let other = team.connect("another page", Visibility::Shared).await;
    let b = write(&team, other, "b", "mid.b", START.plus_micros(1)).await;
    team.settled().await;
    assert_eq!(ids(&paged, &team, team.admin, Section::Unassigned).await, [b, a]);
    assert_eq!(counted.sections(asker, None).await.unwrap()[0].conversations, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_conversation_is_gone_until_the_contact_writes_again() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    for mid in ["mid.1", "mid.2"] {
        team.receive("a", mid, "Halló?").await.unwrap();
    }
    team.receive("b", "mid.b", "Halló?").await.unwrap();
    team.settled().await;
    let (asker, a) = (team.asker(team.admin), team.conversation("a"));
    let before = queries.conversations_by_id(asker, vec![a]).await.unwrap();
    assert!(before[0].may_delete);
    let message = before[0].last_message;
    team.act(team.admin, "a", ConversationCommand::Delete).await.unwrap();
    team.settled().await;
    assert_eq!(ids(&queries, &team, team.admin, Section::Unassigned).await, [team.conversation("b")]);
    assert_eq!(queries.conversations_by_id(asker, vec![a]).await, Ok(vec![]));
    assert_eq!(queries.messages_by_id(asker, vec![(a, message)]).await, Ok(vec![]));
    assert_eq!(queries.sections(asker, None).await.unwrap()[0].conversations, 1);
    team.receive("a", "mid.3", "Mégis").await.unwrap();
    team.settled().await;
    let again = queries.conversations_by_id(asker, vec![a]).await.unwrap();
    assert_eq!((again[0].incarnation, again[0].messages), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reply_window_ends_a_day_after_the_contact_s_last_message() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let a = write(&team, team.channel, "a", "mid.1", START.plus_micros(-5)).await;
    write(&team, team.channel, "a", "mid.0", START.plus_micros(-9)).await;
    let echo = ConversationCommand::Echo(team.incoming("b", "mid.echo", "?"));
    let b = team.conversation("b");
    app.ask(team.account, Actor::Contact(b), Command::Conversation(b, echo)).await.unwrap();
    team.settled().await;
    let rows = whole(&queries, &team, team.admin, Section::Unassigned).await;
    let ends = |id| rows.iter().find(|row| row.id == id).unwrap().reply_window_ends_at;
    assert_eq!(ends(a), Some(START.plus_micros(86_400_000_000 - 5)));
    assert_eq!(ends(b), None, "the contact has not written");
}

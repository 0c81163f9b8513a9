//! Threads: from either end, of many conversations at once, with edits, reactions and answers.

use parlance_app::front::{MessageView, Page, Place, ThreadPage, Towards};
use parlance_domain::{
    Actor, Command, ConversationId, DedupeToken,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, EditedContent, ReactionContent},
};
use parlance_tests::{START, Team, TestApp};

use super::{Asking, Dice, write};

async fn thread(
    queries: &Asking,
    team: &Team<'_>,
    of: ConversationId,
    towards: Towards,
    from: Option<Place>,
    limit: usize,
) -> Page<MessageView> {
    let page = ThreadPage { towards, from, limit };
    let mut threads = queries.threads(team.asker(team.admin), vec![of], page).await.expect("it is answered");
    assert_eq!((threads.len(), threads[0].0), (1, of));
    threads.remove(0).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_read_from_either_end_is_the_whole_thread() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, dice) = (app.queries(), Dice::of(3));
    let mut a = team.conversation("a");
    for number in 0..60 {
        let at = START.plus_micros(-1_000 * i64::try_from(dice.below(15)).unwrap());
        a = write(&team, team.channel, "a", &format!("mid.{number}"), at).await;
    }
    team.settled().await;
    let all = thread(&queries, &team, a, Towards::Newer, None, usize::MAX).await;
    assert_eq!((all.items.len(), all.more), (60, false));
    assert!(all.items.is_sorted_by(|a, b| a.place < b.place));
    assert!(all.items.iter().all(|message| message.text.is_some()));
    let newest = thread(&queries, &team, a, Towards::Older, None, 10).await;
    assert_eq!((newest.items, newest.more), (all.items[50..].to_vec(), true), "oldest first all the same");
    for towards in [Towards::Newer, Towards::Older] {
        let (mut items, mut more) = (Vec::<MessageView>::new(), true);
        while more {
            let end = if towards == Towards::Newer { items.last() } else { items.first() };
            let from = end.map(|message| message.place);
            let page = thread(&queries, &team, a, towards, from, 1 + dice.below(9)).await;
            more = page.more;
            match towards {
                Towards::Newer => items.extend(page.items),
                Towards::Older => drop(items.splice(0..0, page.items)),
            }
        }
        assert!(items == all.items, "{towards:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_of_many_conversations_are_read_at_once_and_only_those_that_exist_for_the_asker() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let private = team.connect("page-2", Visibility::Private).await;
    let mut wanted = Vec::new();
    for (contact, messages) in [("a", 1), ("b", 3), ("c", 5)] {
        for number in 0..messages {
            write(&team, team.channel, contact, &format!("{contact}.{number}"), START).await;
        }
        wanted.push(team.conversation(contact));
    }
    let hidden = write(&team, private, "d", "d.0", START).await;
    wanted.extend([hidden, team.conversation("nobody"), wanted[0]]);
    team.settled().await;
    let page = ThreadPage { towards: Towards::Newer, from: None, limit: 3 };
    let threads = queries.threads(team.asker(béla), wanted.clone(), page).await.unwrap();
    let mut found: Vec<_> = threads
        .iter()
        .map(|(id, page)| {
            assert!(page.items.iter().all(|message| message.conversation == *id));
            (*id, page.items.len(), page.more)
        })
        .collect();
    found.sort();
    let mut expected = vec![(wanted[0], 1, false), (wanted[1], 3, false), (wanted[2], 3, true)];
    expected.sort();
    assert_eq!(found, expected);
    let message = team.ring.ids.message(private, "d.0");
    assert_eq!(queries.messages_by_id(team.asker(béla), vec![(hidden, message)]).await, Ok(vec![]));
    let shown = queries.messages_by_id(team.asker(team.admin), vec![(hidden, message)]).await.unwrap();
    assert_eq!(shown[0].text.as_deref(), Some("d.0"));
    // A message is found in its own conversation alone.
    assert_eq!(queries.messages_by_id(team.asker(team.admin), vec![(wanted[0], message)]).await, Ok(vec![]));
    let set = ChannelCommand::SetVisibility { visibility: Visibility::Shared };
    team.by(team.admin, Command::Channel(private, set)).await.unwrap();
    assert_eq!(queries.messages_by_id(team.asker(béla), vec![(hidden, message)]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_as_last_edited_and_empty_once_it_was_taken_back() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let a = team.conversation("a");
    let message = |mid| team.ring.ids.message(team.channel, mid);
    let token = |number: u8| DedupeToken::from_bytes([number; 16]);
    let tell = async |order| {
        app.ask(team.account, Actor::Contact(a), Command::Conversation(a, order)).await.unwrap();
    };
    let (channel, provider_at) = (team.channel, None);
    // The reaction comes before its message: nothing is shown of it until the message is there.
    let content = ReactionContent { emoji: Some("❤".to_owned()) };
    team.receive("a", "mid.1", "elöször").await.unwrap();
    tell(ConversationCommand::React {
        channel,
        message: message("mid.2"),
        provider_at,
        token: token(1),
        content,
    })
    .await;
    team.settled().await;
    let ids = vec![(a, message("mid.1")), (a, message("mid.2"))];
    let asker = team.asker(team.admin);
    assert_eq!(queries.messages_by_id(asker, ids.clone()).await.unwrap().len(), 1);
    let mut answer = team.incoming("a", "mid.2", "válasz");
    answer.content.reply_to = Some("mid.1".to_owned());
    team.receive_incoming("a", answer).await.unwrap();
    let content = EditedContent { text: "először".to_owned() };
    tell(ConversationCommand::Edit {
        channel,
        message: message("mid.1"),
        provider_at,
        token: token(2),
        content,
    })
    .await;
    team.settled().await;
    let thread = thread(&queries, &team, a, Towards::Newer, None, 10).await.items;
    assert_eq!(thread[0].text.as_deref(), Some("először"));
    assert_eq!(thread[0].edited_at, Some(START));
    assert_eq!(thread[1].reaction.as_deref(), Some("❤"));
    assert_eq!(thread[1].reply_to, Some(message("mid.1")));
    tell(ConversationCommand::Unsend { channel, message: message("mid.1"), provider_at, token: token(3) })
        .await;
    team.settled().await;
    let shown = queries.messages_by_id(asker, vec![ids[0]]).await.unwrap();
    assert_eq!((shown[0].text.clone(), shown[0].unsent_at), (None, Some(START)));
}

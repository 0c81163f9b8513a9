//! What an answer costs: as many statements for a long page as for a short one, in a full inbox as in an
//! empty one, with cold caches.

use parlance_app::front::{Asker, Section, ThreadPage, Towards};
use parlance_domain::{ConversationId, Position};
use parlance_tests::{START, Team, TestApp};

use super::{Asking, tokens, write};

/// The statements of one answer of a Parlance that has just started over the same store.
async fn cost(app: &TestApp, ask: impl AsyncFn(Asking)) -> u64 {
    let cold = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let before = app.parlance.store.statements_run();
    ask(cold.queries()).await;
    app.parlance.store.statements_run() - before
}

async fn costs(app: &TestApp, by: Asker, ids: &[ConversationId], length: usize) -> [u64; 5] {
    let page = ThreadPage { towards: Towards::Older, from: None, limit: length };
    let ids = &ids[..length.min(ids.len())];
    [
        cost(app, async |queries| {
            let page = queries.conversations(by, Section::Unassigned, None, None, length).await;
            let items = page.expect("the page is answered").items;
            assert_eq!(items.len(), length);
            assert!(items.iter().all(|item| item.contact.is_some()));
        })
        .await,
        cost(app, async |queries| {
            queries.sections(by, None).await.expect("the sections are answered");
        })
        .await,
        cost(app, async |queries| {
            let found = queries.conversations_by_id(by, ids.to_vec()).await.expect("they are answered");
            assert_eq!(found.len(), length);
        })
        .await,
        cost(app, async |queries| {
            let threads = queries.threads(by, ids.to_vec(), page).await.expect("they are answered");
            assert!(threads.len() == length && threads.iter().all(|(_, page)| page.items.len() == 2));
        })
        .await,
        cost(app, async |queries| {
            let found = queries.conversations_by_id(by, ids.to_vec()).await.expect("they are answered");
            let wanted = found.iter().map(|view| (view.id, view.last_message)).collect();
            let messages = queries.messages_by_id(by, wanted).await.expect("they are answered");
            assert_eq!(messages.len(), length);
        })
        .await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_takes_as_many_statements_whatever_is_asked_for_and_there() {
    // Nothing runs by itself, so that nobody else's statements are counted.
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let catch_up = || app.parlance.projections.catch_up(&app.parlance.store, team.account);
    let by = team.asker(team.admin);
    catch_up().await.unwrap();
    let mut ids = Vec::new();
    for range in [0..5, 5..60] {
        for number in range {
            let contact = format!("contact {number}");
            let at = START.plus_micros(number - 1_000);
            for message in 0..2 {
                let mid = format!("mid.{number}.{message}");
                ids.push(write(&team, team.channel, &contact, &mid, at).await);
            }
        }
        ids.dedup();
        let head = catch_up().await.unwrap();
        assert!(head > Position::START);
    }
    let short = costs(&app, by, &ids, 5).await;
    let long = costs(&app, by, &ids, 50).await;
    assert_eq!(short, long, "a page of 5 and one of 50");
    // Beginning and end of each reading are among them.
    assert!(long.iter().all(|cost| (1..60).contains(cost)), "{long:?}");
    for number in 60..160 {
        write(&team, team.channel, &format!("contact {number}"), &format!("mid.{number}"), START).await;
    }
    catch_up().await.unwrap();
    let [page, sections, ..] = long;
    let many = [
        cost(&app, async |queries| {
            let page = queries.conversations(by, Section::Unassigned, None, None, 50).await;
            assert!(page.expect("the page is answered").more);
        })
        .await,
        cost(&app, async |queries| {
            assert_eq!(queries.sections(by, None).await.expect("they are answered")[0].conversations, 160);
        })
        .await,
    ];
    assert_eq!(many, [page, sections], "among 60 conversations and among 160");
    println!("statements, of cold caches, each reading's beginning and end included: {long:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_use_and_the_epoch_are_asked_for_once() {
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let token = tokens::token(&team, team.admin).await;
    let store = &app.parlance.store;
    let cold = TestApp::over(store.clone(), app.path(), 2).await;
    let queries = cold.queries();
    let ask = async || {
        let before = store.statements_run();
        queries.authenticate(&token).await.expect("it counts");
        let named = store.statements_run() - before;
        queries.epoch(team.account).await.expect("there is one");
        [named, store.statements_run() - before - named]
    };
    assert!(ask().await.iter().all(|cost| *cost > 0));
    assert_eq!(ask().await, [0, 0]);
}

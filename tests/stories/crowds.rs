//! Many at once: customers who write while members work, and the same told in many orders; the inbox adds up at
//! any time.

use std::sync::Arc;

use parlance_tests::served::{Office, Person, SECTIONS, at, word};
use serde_json::{Value, json};

use super::open;

/// What the sections' counts say must be what their conversations add up to.
async fn adds_up(office: &Office, person: &Person) {
    let counts = office.sections(person).await;
    for (section, (held, unread)) in SECTIONS.into_iter().zip(counts) {
        let shown = office.section(person, section).await;
        let of = shown.iter().filter(|conversation| conversation["unread"] == true).count();
        assert_eq!((shown.len() as u64, of as u64), (held, unread), "{section}");
        assert!(shown.iter().all(|conversation| conversation["section"] == section));
        let times: Vec<_> = shown.iter().map(|conversation| word(&conversation["lastMessageAt"])).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{section}: {times:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_add_up_while_customers_write_and_members_work() {
    let (office, anna, bela) = open().await;
    let office = Arc::new(office);
    let mut ids = Vec::new();
    for customer in 0..6 {
        ids.push(office.begins(&format!("p-{customer}"), &format!("{customer} begins"), at(customer)).await);
    }
    let customers = (0..6_u64).map(|customer| {
        let office = Arc::clone(&office);
        tokio::spawn(async move {
            for turn in 0..8 {
                let page = office.page();
                let psid = format!("p-{customer}");
                let mid = format!("{psid}-{turn}");
                // Some late, some twice, some of them echoes.
                let time = at(100 + (turn * 5 + customer) % 8);
                let event = match (turn + customer) % 4 {
                    0 => page.echo(&psid, &mid, &mid, None, time),
                    _ => page.message(&psid, &mid, &mid, time),
                };
                office.tells(&[event.clone(), event]).await;
            }
        })
    });
    let members =
        [anna.clone(), bela.clone(), office.admin.clone()].into_iter().enumerate().map(|(place, person)| {
            let (office, ids) = (Arc::clone(&office), ids.clone());
            let other = if place == 0 { bela.clone() } else { anna.clone() };
            tokio::spawn(async move {
                for turn in 0..10 {
                    let id = &ids[(turn * 5 + place) % ids.len()];
                    match (turn + place) % 5 {
                        0 => drop(office.assigns(&person, id, &person).await),
                        1 => drop(office.on(&person, "closeConversation", id).await),
                        2 => drop(office.on(&person, "reopenConversation", id).await),
                        3 => office.sees(&person, id).await,
                        _ => drop(office.assigns(&person, id, &other).await),
                    }
                }
            })
        });
    let everybody: Vec<_> = customers.chain(members.collect::<Vec<_>>()).collect();
    for one in everybody {
        one.await.expect("it is done");
    }
    for person in [&anna, &bela, &office.admin] {
        adds_up(&office, person).await;
        let held: u64 = office.sections(person).await.iter().map(|(held, _)| held).sum();
        assert_eq!(held, 6);
    }
    for id in &ids {
        assert_eq!(office.thread(&anna, id).await.len(), 9);
        assert_eq!(office.conversation(&anna, id).await["messageCount"], 9);
    }
    for id in &ids {
        office.sees(&anna, id).await;
    }
    assert!(office.sections(&anna).await.iter().all(|(_, unread)| *unread == 0));
    adds_up(&office, &anna).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_while_the_customer_writes_leaves_only_what_came_after() {
    let (office, anna, _) = open().await;
    let office = Arc::new(office);
    let id = office.begins("p-1", "begins", at(0)).await;
    let writing = {
        let office = Arc::clone(&office);
        tokio::spawn(async move {
            for turn in 0..20 {
                office.writes("p-1", &format!("mid-{turn}"), &turn.to_string(), at(turn)).await;
            }
        })
    };
    for _ in 0..5 {
        // While it is gone nothing is there to be deleted, and asking again is no error.
        office.on(&office.admin, "deleteConversation", &id).await;
    }
    writing.await.expect("it is done");
    let shown = office.conversation(&anna, &id).await;
    if shown != Value::Null {
        let said = office.said(&anna, &id).await;
        assert_eq!(shown["messageCount"], said.len());
        let first: usize = said[0].parse().expect("a turn's number: what began is deleted");
        let rest: Vec<_> = (first..20).map(|turn| turn.to_string()).collect();
        assert_eq!(said, rest, "all that came after the last deletion, and nothing before it");
    }
    adds_up(&office, &anna).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_channel_leaks_nothing_while_it_changes_hands() {
    let (office, anna, bela) = open().await;
    let office = Arc::new(office);
    let id = office.begins("p-1", "begins", at(0)).await;
    let working = {
        let (office, anna, bela, id) = (Arc::clone(&office), anna.clone(), bela.clone(), id.clone());
        tokio::spawn(async move {
            for turn in 0..12 {
                let assignee = if turn % 2 == 0 { &anna } else { &bela };
                let input = json!({ "conversation": id, "assignee": assignee.id });
                let tried = office.change(&bela, "assignConversation", "", input).await;
                let code = &tried["errors"][0]["code"];
                assert!(code.is_null() || code == "NOT_FOUND", "{tried}");
            }
        })
    };
    for visibility in ["PRIVATE", "SHARED", "PRIVATE", "SHARED", "PRIVATE"] {
        let input = json!({ "channel": office.messenger.id, "visibility": visibility });
        office.does(&office.admin, "setChannelVisibility", input).await;
        let seen = office.conversation(&anna, &id).await;
        assert_eq!(seen == Value::Null, visibility == "PRIVATE", "at once");
    }
    working.await.expect("it is done");
    office.until_free(&office.admin, &id).await;
    assert_eq!(office.sections(&bela).await, [(0, 0); 4]);
    adds_up(&office, &office.admin).await;
}

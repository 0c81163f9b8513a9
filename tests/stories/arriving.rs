//! Messages arrive: once each, in order, mended where they are mended, whatever way they come.

use std::sync::Arc;

use parlance_simulator::{messenger::Attachment, twilio};
use parlance_tests::served::{SECTIONS, at};
use serde_json::{Value, json};

use super::open;

#[tokio::test]
async fn a_message_begins_a_conversation_open_and_unassigned() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "Szia, árvíztűrő tükörfúrógép! 🦜", at(0)).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!(shown["section"], "UNASSIGNED");
    assert_eq!(shown["incarnation"], 1);
    assert_eq!(shown["messageCount"], 1);
    assert_eq!(shown["assignee"], Value::Null);
    assert_eq!(shown["channel"]["id"], office.messenger.id.as_str());
    assert_eq!(shown["lastMessageAt"], "2025-10-09T08:53:20.000000Z");
    assert_eq!(shown["replyWindowEndsAt"], "2025-10-10T08:53:20.000000Z");
    let message = &office.thread(&anna, &id).await[0];
    assert_eq!((&message["direction"], &message["kind"]), (&json!("IN"), &json!("MESSAGE")));
}

#[tokio::test]
async fn a_postback_and_a_quick_reply_begin_conversations_too() {
    let (office, anna, _) = open().await;
    let page = office.page();
    office.tells(&[page.postback("p-1", "mid-1", "Get started", "BEGIN", at(0))]).await;
    office.tells(&[page.quick_reply("p-2", "mid-2", "Red", "COLOUR_RED", at(1))]).await;
    assert_eq!(office.sections(&anna).await[0], (2, 2));
    let begun = office.named("Get started").await;
    let message = &office.thread(&anna, &begun).await[0];
    assert_eq!((&message["kind"], &message["postback"]), (&json!("POSTBACK"), &json!("BEGIN")));
    assert_eq!(office.conversation(&anna, &begun).await["unread"], true);
}

#[tokio::test]
async fn reactions_edits_receipts_and_taking_back_begin_nothing() {
    let (office, anna, _) = open().await;
    let page = office.page();
    office
        .tells(&[
            page.reaction("p-1", "mid-1", Some("❤"), at(0)),
            page.edit("p-2", "mid-2", "mended", 1, at(0)),
            page.delivery("p-3", &["mid-3"], at(0)),
            page.read("p-4", at(0), at(0)),
            page.unsend("p-5", "mid-5", at(0)),
        ])
        .await;
    office.calls(&office.number().status(&office.fresh_sid(), "whatsapp:+36301111111", "read", None)).await;
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);
    assert_eq!(office.dead_letters().await, Vec::<Value>::new());
}

#[tokio::test]
async fn edits_reactions_and_taking_back_show_in_the_thread() {
    let (office, anna, _) = open().await;
    let page = office.page();
    for (mid, text) in [("mid-1", "on Mnday"), ("mid-2", "hello"), ("mid-3", "oops")] {
        office.writes("p-1", mid, text, at(0)).await;
    }
    let id = office.named("oops").await;
    office.sees(&anna, &id).await;
    office
        .tells(&[
            page.edit("p-1", "mid-1", "on Monday", 1, at(1)),
            page.edit("p-1", "mid-1", "on Tuesday", 2, at(2)),
            page.reaction("p-1", "mid-2", Some("❤"), at(1)),
            page.reaction("p-1", "mid-2", Some("👍"), at(2)),
            page.unsend("p-1", "mid-3", at(3)),
        ])
        .await;
    let thread = office.thread(&anna, &id).await;
    assert_eq!(thread[0]["text"], "on Tuesday");
    assert_eq!(thread[0]["editedAt"], "2025-10-09T08:55:20.000000Z");
    assert_eq!(thread[1]["reaction"], "👍");
    assert_eq!(thread[2]["text"], Value::Null);
    assert_eq!(thread[2]["unsentAt"], "2025-10-09T08:56:20.000000Z");
    let shown = office.conversation(&anna, &id).await;
    assert_eq!((&shown["unread"], &shown["messageCount"]), (&json!(false), &json!(3)), "nothing was written");
    office.tells(&[page.reaction("p-1", "mid-2", None, at(4))]).await;
    assert_eq!(office.thread(&anna, &id).await[1]["reaction"], Value::Null);
}

#[tokio::test]
async fn what_mends_a_message_may_arrive_before_it() {
    let (office, anna, _) = open().await;
    let page = office.page();
    office.writes("p-1", "mid-0", "first", at(0)).await;
    let id = office.named("first").await;
    office
        .tells(&[
            page.edit("p-1", "mid-1", "on Tuesday", 2, at(3)),
            page.edit("p-1", "mid-1", "on Monday", 1, at(2)),
            page.reaction("p-1", "mid-1", None, at(5)),
            page.reaction("p-1", "mid-1", Some("❤"), at(4)),
            page.unsend("p-1", "mid-2", at(3)),
        ])
        .await;
    assert_eq!(office.said(&anna, &id).await, ["first"], "there is no message yet");
    assert_eq!(office.conversation(&anna, &id).await["messageCount"], 1);
    office.writes("p-1", "mid-1", "on Mnday", at(1)).await;
    office.writes("p-1", "mid-2", "oops", at(1)).await;
    let thread = office.thread(&anna, &id).await;
    assert_eq!(thread[1]["text"], "on Tuesday", "the last edit is the later one, not the last to arrive");
    assert_eq!(thread[1]["reaction"], Value::Null, "it was taken back after it was given");
    assert_eq!((&thread[2]["text"], thread[2]["unsentAt"].is_string()), (&Value::Null, true));
}

#[tokio::test]
async fn a_message_comes_once_however_often_it_is_told() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let message = page.message("p-1", "mid-1", "once", at(0));
    office.tells(std::slice::from_ref(&message)).await;
    let id = office.named("once").await;
    office.sees(&anna, &id).await;
    // The same body again; the same event twice in a body; the same event between others.
    office.tells(std::slice::from_ref(&message)).await;
    office.tells(&[message.clone(), message.clone()]).await;
    office.tells(&[page.message("p-2", "mid-2", "other", at(1)), message.clone()]).await;
    // And told again as something else, which it is not.
    office.tells(&[page.message("p-1", "mid-1", "another text", at(5))]).await;
    assert_eq!(office.said(&anna, &id).await, ["once"]);
    assert_eq!(office.conversation(&anna, &id).await["unread"], false, "nothing new came");

    let sid = office.phones("whatsapp:+36301111111", "also once").await;
    let contact = twilio::Contact { from: "whatsapp:+36301111111", name: "Zoltán Ügyfél" };
    for _ in 0..3 {
        office.calls(&office.number().message(&sid, contact, "also once")).await;
    }
    let phoned = office.named("also once").await;
    assert_eq!(office.said(&anna, &phoned).await, ["also once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrives_at_64_places_at_once_comes_once() {
    let (office, anna, _) = open().await;
    let office = Arc::new(office);
    let places = (0..64).map(|_| {
        let office = Arc::clone(&office);
        tokio::spawn(async move { office.writes("p-1", "mid-1", "once", at(0)).await })
    });
    for place in places.collect::<Vec<_>>() {
        place.await.expect("it is answered");
    }
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    assert_eq!(office.said(&anna, &office.named("once").await).await, ["once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_messages_at_once_make_one_conversation() {
    let (office, anna, _) = open().await;
    let office = Arc::new(office);
    let album = (0..24).map(|number| {
        let office = Arc::clone(&office);
        let text = format!("picture {number:02}");
        tokio::spawn(async move { office.writes("p-1", &text, &text, at(number)).await })
    });
    for picture in album.collect::<Vec<_>>() {
        picture.await.expect("it is answered");
    }
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    let said = office.said(&anna, &office.named("picture 23").await).await;
    assert_eq!(said, (0..24).map(|number| format!("picture {number:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_shuffled_day_ends_in_the_same_thread_as_an_ordered_one() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let day = |psid: &str| {
        let mut events: Vec<_> = (0..12)
            .map(|hour| page.message(psid, &format!("{psid}-{hour}"), &format!("at {hour}"), at(hour * 60)))
            .collect();
        events.push(page.echo(psid, &format!("{psid}-echo"), "the page answers", None, at(90)));
        events.push(page.edit(psid, &format!("{psid}-3"), "at three", 1, at(300)));
        events.push(page.edit(psid, &format!("{psid}-3"), "at three sharp", 2, at(310)));
        events.push(page.reaction(psid, &format!("{psid}-5"), Some("❤"), at(320)));
        events.push(page.unsend(psid, &format!("{psid}-7"), at(500)));
        events
    };
    office.tells(&day("p-1")).await;
    let shuffled = day("p-2");
    let mut place = 0;
    for _ in 0..shuffled.len() {
        // Seven has no common divisor with the day's 17 events, so each is told once.
        place = (place + 7) % shuffled.len();
        office.tells(&shuffled[place..=place]).await;
    }
    let ids: Vec<_> = office
        .section(&anna, "UNASSIGNED")
        .await
        .iter()
        .map(|c| c["id"].as_str().map(str::to_owned))
        .collect();
    let mut threads = Vec::new();
    for id in ids.into_iter().flatten() {
        let mut thread = office.thread(&anna, &id).await;
        for message in &mut thread {
            for own in ["id", "recordedAt"] {
                message[own].take();
            }
        }
        threads.push(thread);
    }
    assert_eq!(threads.len(), 2);
    assert_eq!(threads[0].len(), 13);
    assert_eq!(threads[0], threads[1]);
    let [one, other] = office.section(&anna, "UNASSIGNED").await.try_into().expect("two conversations");
    assert_eq!(one["lastMessageAt"], other["lastMessageAt"]);
    assert_eq!(one["replyWindowEndsAt"], other["replyWindowEndsAt"]);
}

#[tokio::test]
async fn files_and_answers_to_messages_are_shown() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let files = [
        Attachment { kind: "image", url: Some("https://cdn.example/1.jpg") },
        Attachment { kind: "fallback", url: None },
    ];
    office
        .tells(&[
            page.attachments("p-1", "mid-1", "", &files, at(0)),
            page.reply("p-1", "mid-2", "that one", "mid-1", true, at(1)),
            page.reply("p-1", "mid-3", "the other one", "mid-2", true, at(2)),
            page.reply("p-1", "mid-4", "one of long ago", "mid-unknown", false, at(3)),
        ])
        .await;
    let id = office.named("one of long ago").await;
    let thread = office.thread(&anna, &id).await;
    assert_eq!(thread[0]["attachments"][0]["url"], "https://cdn.example/1.jpg");
    assert_eq!(thread[0]["attachments"][1], json!({ "kind": "fallback", "url": null, "contentType": null }));
    assert_eq!(thread[2]["replyTo"]["text"], "that one");
    assert_eq!(thread[3]["replyTo"], Value::Null);

    let sid = office.fresh_sid();
    let contact = twilio::Contact { from: "whatsapp:+36301111111", name: "Zoltán Ügyfél" };
    office.calls(&office.number().media(&sid, contact, "the receipt", &["image/jpeg"])).await;
    let receipt = office.find(&anna, "the receipt").await;
    assert_eq!(
        receipt["contact"],
        json!({ "name": "Zoltán Ügyfél", "phone": "+36301111111", "whatsappId": "36301111111" })
    );
    let id = receipt["id"].as_str().expect("an id");
    assert_eq!(office.thread(&anna, id).await[0]["attachments"][0]["contentType"], "image/jpeg");
}

#[tokio::test]
async fn a_form_of_a_number_in_a_pool_finds_its_channel_and_its_contact() {
    let (office, anna, _) = open().await;
    let mut number = office.number();
    number.pool_sid = Some("MG0123456789abcdef0123456789abcdef".to_owned());
    // Two Brazilian numbers that differ by the ninth digit are two customers, exactly as signed.
    for (from, text) in [("whatsapp:+5511987654321", "with nine"), ("whatsapp:+551187654321", "without")] {
        let contact = twilio::Contact { from, name: "João" };
        office.calls(&number.message(&office.fresh_sid(), contact, text)).await;
    }
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["without", "with nine"]);
    assert_eq!(office.dead_letters().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_contact_of_two_channels_has_two_conversations() {
    let (office, anna, _) = open().await;
    office.begins("36301111111", "by page", at(0)).await;
    office.phones("whatsapp:+36301111111", "by number").await;
    assert_eq!(office.listed(&anna, SECTIONS[0]).await, ["by number", "by page"]);
}

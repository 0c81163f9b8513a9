//! The four sections: what stands where for whom, how much, and in which order.

use parlance_tests::served::{SECTIONS, at};
use serde_json::{Value, json};

use super::open;

#[tokio::test]
async fn a_conversation_stands_in_one_section_for_each_member_at_every_step() {
    let (office, anna, bela) = open().await;
    let admin = &office.admin;
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);

    let page = office.begins("p-1", "Szia!", at(0)).await;
    office.phones("whatsapp:+36301111111", "Halló?").await;
    for member in [admin, &anna, &bela] {
        assert_eq!(office.sections(member).await, [(2, 2), (0, 0), (0, 0), (0, 0)]);
    }

    office.assigns(admin, &page, &anna).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (1, 1), (0, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (0, 0), (1, 1), (0, 0)]);
    assert_eq!(office.conversation(&anna, &page).await["section"], "ASSIGNED_TO_ME");
    assert_eq!(office.conversation(&bela, &page).await["section"], "ASSIGNED_TO_OTHERS");

    office.sees(&anna, &page).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (1, 0), (0, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (0, 0), (1, 1), (0, 0)]);

    office.assigns(&anna, &page, &bela).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (0, 0), (1, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (1, 1), (0, 0), (0, 0)]);

    // Closed wins over assignment.
    office.on(&bela, "closeConversation", &page).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (0, 0), (0, 0), (1, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (0, 0), (0, 0), (1, 1)]);
    let closed = office.conversation(&bela, &page).await;
    assert_eq!((&closed["section"], &closed["closed"]), (&json!("CLOSED"), &json!(true)));
    assert_eq!(closed["assignee"]["id"], bela.id.as_str(), "it is still Béla's");

    office.on(&anna, "reopenConversation", &page).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (0, 0), (1, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (1, 1), (0, 0), (0, 0)]);

    office.on(&anna, "unassignConversation", &page).await;
    assert_eq!(office.sections(&anna).await, [(2, 1), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(2, 2), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(office.conversation(&bela, &page).await["assignee"], Value::Null);

    office.on(admin, "deleteConversation", &page).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (0, 0), (0, 0), (0, 0)]);
}

#[tokio::test]
async fn sections_can_be_counted_and_listed_by_channel() {
    let (office, anna, _) = open().await;
    office.begins("p-1", "by page", at(0)).await;
    office.begins("p-2", "by page too", at(1)).await;
    office.phones("whatsapp:+36301111111", "by number").await;
    let (page, number) = (office.messenger.id.clone(), office.whatsapp.id.clone());
    assert_eq!(office.sections_of(&anna, Some(&page)).await[0], (2, 2));
    assert_eq!(office.sections_of(&anna, Some(&number)).await[0], (1, 1));
    let query = "query($channel: ID!) { conversations(section: UNASSIGNED, channel: $channel) {
        nodes { lastMessage { text } } } }";
    let shown = office.asks(&anna, query, json!({ "channel": number })).await;
    assert_eq!(shown["conversations"]["nodes"], json!([{ "lastMessage": { "text": "by number" } }]));
}

#[tokio::test]
async fn sections_are_in_the_order_of_the_newest_message_whatever_else_happens() {
    let (office, anna, bela) = open().await;
    let first = office.begins("p-1", "first", at(1)).await;
    let second = office.begins("p-2", "second", at(2)).await;
    office.begins("p-3", "third", at(3)).await;
    let order = ["third", "second", "first"];
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, order);

    // Assigning and giving back, closing and reopening.
    office.assigns(&anna, &first, &bela).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["third", "second"]);
    office.on(&anna, "unassignConversation", &first).await;
    office.on(&anna, "closeConversation", &second).await;
    office.on(&anna, "reopenConversation", &second).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, order);

    // Receipts, a reaction and an edit, all later than any message.
    let page = office.page();
    office.writes("p-1", "mid-to-mend", "first, mended", at(1) + 1).await;
    office
        .tells(&[
            page.delivery("p-1", &[], at(10)),
            page.read("p-1", at(11), at(11)),
            page.reaction("p-1", "mid-to-mend", Some("👍"), at(12)),
            page.edit("p-1", "mid-to-mend", "first", 1, at(13)),
        ])
        .await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, order);

    // A message does.
    office.goes_on("p-1", "first again", at(20)).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["first again", "third", "second"]);
}

#[tokio::test]
async fn every_section_is_in_the_order_of_its_newest_messages() {
    let (office, anna, bela) = open().await;
    for (name, minute) in [("b", 2), ("d", 4), ("a", 1), ("c", 3)] {
        let id = office.begins(&format!("p-{name}"), name, at(minute)).await;
        office.assigns(&anna, &id, &anna).await;
    }
    assert_eq!(office.listed(&anna, "ASSIGNED_TO_ME").await, ["d", "c", "b", "a"]);
    assert_eq!(office.listed(&bela, "ASSIGNED_TO_OTHERS").await, ["d", "c", "b", "a"]);
    for conversation in office.section(&anna, "ASSIGNED_TO_ME").await {
        let id = conversation["id"].as_str().expect("an id");
        office.on(&anna, "closeConversation", id).await;
    }
    // One of other assignments between them.
    let mixed = office.begins("p-e", "b and a half", at(2) + 30_000).await;
    office.on(&bela, "closeConversation", &mixed).await;
    for member in [&anna, &bela] {
        assert_eq!(office.listed(member, "CLOSED").await, ["d", "c", "b and a half", "b", "a"]);
    }
}

#[tokio::test]
async fn an_old_message_that_arrives_late_is_unread_and_does_not_jump_up() {
    let (office, anna, _) = open().await;
    let late = office.begins("p-1", "ten past", at(10)).await;
    office.begins("p-2", "twenty past", at(20)).await;
    office.sees(&anna, &late).await;
    assert_eq!(office.sections(&anna).await[0], (2, 1));

    office.goes_on("p-1", "five past", at(5)).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["twenty past", "ten past"]);
    assert_eq!(office.sections(&anna).await[0], (2, 2), "it is news, however old");
    assert_eq!(office.conversation(&anna, &late).await["unread"], true);
    assert_eq!(office.said(&anna, &late).await, ["five past", "ten past"]);
    let ends = office.conversation(&anna, &late).await["replyWindowEndsAt"].take();
    assert_eq!(ends, "2025-10-10T09:03:20.000000Z", "24 hours after ten past, the customer's last");
}

#[tokio::test]
async fn a_stamp_from_the_future_cannot_stay_on_top() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "from 2096", 4_000_000_000_000).await;
    office.phones("whatsapp:+36301111111", "now").await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["now", "from 2096"]);
    let message = &office.thread(&anna, &id).await[0];
    assert_eq!(message["at"], message["recordedAt"], "it counts from when it was recorded");
    assert_eq!(message["providerAt"], "2096-10-02T07:06:40.000000Z");
    let shown = office.conversation(&anna, &id).await;
    assert_eq!(shown["lastMessageAt"], message["recordedAt"]);
    let ends = shown["replyWindowEndsAt"].as_str().expect("a time");
    assert!(ends < "2096", "nor does the time to reply grow by it: {ends}");
}

#[tokio::test]
async fn a_change_is_seen_by_every_viewer_once_it_was_answered() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    for _ in 0..5 {
        for (mutation, section) in [("closeConversation", 3), ("reopenConversation", 0)] {
            let done = office.on(&anna, mutation, &id).await;
            let query = "query($at: Position) { sections(atLeast: $at) { section conversations } }";
            let shown = office.ask(&bela, query, json!({ "at": done["position"] })).await;
            let found = shown["sections"].as_array().expect("sections").iter();
            let held: Vec<_> = found.filter(|s| s["conversations"] == 1).map(|s| &s["section"]).collect();
            assert_eq!(held, [SECTIONS[section]]);
        }
    }
}

//! What the account's people write in the provider's own app: shown, but not a customer's message.

use parlance_tests::served::at;
use serde_json::{Value, json};

use super::open;

#[tokio::test]
async fn an_echo_begins_a_conversation_that_nobody_has_to_read() {
    let (office, anna, _) = open().await;
    office.tells(&[office.page().echo("p-1", "mid-1", "We are moving", None, at(0))]).await;
    assert_eq!(office.sections(&anna).await[0], (1, 0));
    let shown = office.find(&anna, "We are moving").await;
    assert_eq!(shown["replyWindowEndsAt"], Value::Null, "the customer has not written");
    let id = shown["id"].as_str().expect("an id");
    let message = &office.thread(&anna, id).await[0];
    assert_eq!((&message["direction"], &message["kind"]), (&json!("OUT"), &json!("ECHO")));
    office.goes_on("p-1", "Where to?", at(1)).await;
    assert_eq!(
        office.sections(&anna).await[0],
        (1, 1),
        "the same conversation, and now there is something to read"
    );
}

#[tokio::test]
async fn an_echo_neither_reopens_nor_makes_unread_nor_moves_the_reply_window() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.assigns(&anna, &id, &bela).await;
    office.sees(&anna, &id).await;
    office.on(&anna, "closeConversation", &id).await;
    office.tells(&[office.page().echo("p-1", "mid-echo", "Thank you!", None, at(30))]).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!(shown["section"], "CLOSED");
    assert_eq!(shown["unread"], false);
    assert_eq!(shown["assignee"]["id"], bela.id.as_str());
    assert_eq!(shown["lastMessage"]["text"], "Thank you!");
    assert_eq!(
        shown["replyWindowEndsAt"], "2025-10-10T08:53:20.000000Z",
        "24 hours after the customer wrote"
    );
    assert_eq!(
        office.conversation(&bela, &id).await["unread"],
        true,
        "Béla still has the customer's to read"
    );
}

#[tokio::test]
async fn an_echo_moves_its_conversation_up() {
    let (office, anna, _) = open().await;
    office.begins("p-1", "one", at(0)).await;
    office.begins("p-2", "two", at(1)).await;
    office.tells(&[office.page().echo("p-1", "mid-echo", "answered", None, at(2))]).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["answered", "two"]);
}

#[tokio::test]
async fn an_echo_comes_once_and_can_be_mended() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let echo = page.echo("p-1", "mid-1", "We are moving", Some("from elsewhere"), at(0));
    office.tells(&[echo.clone(), echo.clone()]).await;
    office.tells(&[echo]).await;
    let id = office.named("We are moving").await;
    office.tells(&[page.reaction("p-1", "mid-1", Some("😢"), at(1))]).await;
    let thread = office.thread(&anna, &id).await;
    assert_eq!(thread.len(), 1);
    assert_eq!(thread[0]["reaction"], "😢");
}

#[tokio::test]
async fn an_echo_revives_a_deleted_conversation() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.on(&office.admin, "deleteConversation", &id).await;
    office.tells(&[office.page().echo("p-1", "mid-echo", "Still there?", None, at(1))]).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!(shown["incarnation"], 2);
    assert_eq!(shown["unread"], false);
    assert_eq!(office.said(&anna, &id).await, ["Still there?"]);
}

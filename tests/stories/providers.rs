//! What providers themselves change: applications, spellings of numbers, blocked pages; and a server that dies
//! between their deliveries.

use parlance_simulator::{Messenger, messenger::Enforcement};
use parlance_tests::served::{Office, PAGE, Person, at, word};
use serde_json::json;

use super::open;

async fn health(office: &Office, person: &Person) -> String {
    let query = "query($id: ID!) { node(id: $id) { ... on Channel { health } } }";
    let shown = office.asks(person, query, json!({ "id": office.messenger.id })).await;
    word(&shown["node"]["health"])
}

#[tokio::test]
async fn a_number_is_the_same_channel_however_it_is_spelt() {
    let (office, _, _) = open().await;
    for spelt in ["+3612345678", "whatsapp:+3612345678", " +36 1 234 5678 ", "+36-1-234-5678"] {
        let mut input = office.number_input();
        input["providerId"] = json!(spelt);
        let connected = office.connects(&office.admin, input).await;
        assert_eq!(connected["errors"], json!([]), "{spelt:?}");
        assert_eq!(connected["channel"]["id"], office.whatsapp.id.as_str(), "{spelt:?}");
    }
}

#[tokio::test]
async fn a_page_that_moves_to_another_app_is_taken_from_its_new_address_alone() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "by the old app", at(0)).await;
    office.providers.rotate("another app's secret", "auth token");
    let mut input = office.page_input();
    input["signingSecret"] = json!("another app's secret");
    let moved = office.connects(&office.admin, input).await;
    assert_eq!(moved["errors"], json!([]));
    assert_eq!(moved["channel"]["id"], office.messenger.id.as_str(), "the same page is the same channel");
    assert_ne!(moved["connection"]["id"], office.messenger.connection.as_str());
    // The old application may still be heard: what it says is kept, and taken from the new one.
    let (old, new) = (office.page(), Messenger::new("another app's secret", PAGE));
    let event = old.message("p-1", "mid-1", "by both", at(1));
    office.delivers(&office.messenger, &old.deliver(std::slice::from_ref(&event))).await;
    assert_eq!(office.said(&anna, &id).await, ["by the old app"]);
    let url = word(&moved["connection"]["webhookUrl"]);
    let answer = office.served.sender().send(&url, &new.deliver(&[event])).await.expect("it is answered");
    assert_eq!(answer.status, 200);
    assert_eq!(office.said(&anna, &id).await, ["by the old app", "by both"]);
    assert_eq!(office.dead_letters().await[0]["because"], "UNKNOWN_CHANNEL");
}

#[tokio::test]
async fn a_page_that_meta_blocks_is_broken_and_still_heard() {
    let (office, anna, _) = open().await;
    let page = office.page();
    assert_eq!(health(&office, &anna).await, "CONNECTED");
    office.tells(&[page.policy_enforcement(Enforcement::Block, at(0))]).await;
    assert_eq!(health(&office, &anna).await, "BROKEN");
    office.begins("p-1", "still here", at(1)).await;
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    office.tells(&[page.policy_enforcement(Enforcement::Unblock, at(2))]).await;
    assert_eq!(health(&office, &anna).await, "CONNECTED");
    // Broken again, connecting with valid credentials mends it.
    office.tells(&[page.policy_enforcement(Enforcement::Block, at(3))]).await;
    assert_eq!(health(&office, &anna).await, "BROKEN");
    assert_eq!(office.connects(&office.admin, office.page_input()).await["errors"], json!([]));
    assert_eq!(health(&office, &anna).await, "CONNECTED");
}

#[tokio::test]
async fn what_was_answered_with_success_survives_the_servers_death() {
    let (mut office, anna, _) = open().await;
    for turn in 0..3 {
        let text = format!("turn {turn}");
        office.writes("p-1", &text, &text, at(turn)).await;
        office.restart();
    }
    let id = office.named("turn 2").await;
    assert_eq!(office.said(&anna, &id).await, ["turn 0", "turn 1", "turn 2"]);
    assert_eq!(office.sections(&anna).await[0], (1, 1));
}

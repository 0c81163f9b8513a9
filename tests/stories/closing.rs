//! Closing and reopening: by members, and by customers who write.

use parlance_tests::served::at;
use serde_json::{Value, json};

use super::{nothing, open};

#[tokio::test]
async fn closing_what_is_closed_and_reopening_what_is_open_change_nothing() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.on(&anna, "reopenConversation", &id).await;
    let open = office.conversation(&anna, &id).await;
    office.on(&anna, "closeConversation", &id).await;
    let closed = office.conversation(&anna, &id).await;
    assert_ne!(closed["changedAt"], open["changedAt"]);
    office.on(&bela, "closeConversation", &id).await;
    assert_eq!(office.conversation(&anna, &id).await, closed);
    office.on(&bela, "reopenConversation", &id).await;
    let again = office.conversation(&anna, &id).await;
    office.on(&anna, "reopenConversation", &id).await;
    assert_eq!(office.conversation(&anna, &id).await, again);
}

#[tokio::test]
async fn a_closed_conversation_reopens_when_the_customer_writes() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.on(&anna, "closeConversation", &id).await;
    assert_eq!(office.listed(&anna, "CLOSED").await, ["Szia!"]);
    office.goes_on("p-1", "One more thing", at(1)).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!((&shown["section"], &shown["closed"]), (&json!("UNASSIGNED"), &json!(false)));
    assert_eq!(shown["incarnation"], 1);
    assert_eq!(office.said(&anna, &id).await, ["Szia!", "One more thing"]);
}

#[tokio::test]
async fn a_postback_reopens_and_a_redelivery_or_reaction_does_not() {
    let (office, anna, _) = open().await;
    office.writes("p-1", "mid-1", "Szia!", at(0)).await;
    let id = office.named("Szia!").await;
    office.on(&anna, "closeConversation", &id).await;
    office.writes("p-1", "mid-1", "Szia!", at(0)).await;
    let page = office.page();
    office
        .tells(&[
            page.reaction("p-1", "mid-1", Some("❤"), at(1)),
            page.edit("p-1", "mid-1", "Sziasztok!", 1, at(2)),
            page.delivery("p-1", &[], at(3)),
            page.read("p-1", at(3), at(3)),
        ])
        .await;
    assert_eq!(office.conversation(&anna, &id).await["section"], "CLOSED");
    assert_eq!(office.said(&anna, &id).await, ["Sziasztok!"]);
    office.tells(&[page.postback("p-1", "mid-2", "Yes", "YES", at(4))]).await;
    assert_eq!(office.conversation(&anna, &id).await["section"], "UNASSIGNED");
}

#[tokio::test]
async fn the_channels_rule_decides_who_holds_what_a_customer_reopened() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "one", at(0)).await;
    office.assigns(&anna, &id, &bela).await;
    office.on(&anna, "closeConversation", &id).await;
    office.goes_on("p-1", "two", at(1)).await;
    assert_eq!(office.listed(&bela, "ASSIGNED_TO_ME").await, ["two"], "kept, unless told otherwise");

    let rule = json!({ "channel": office.messenger.id, "rule": "UNASSIGN" });
    office.does(&office.admin, "setReopenRule", rule.clone()).await;
    office.does(&office.admin, "setReopenRule", rule).await;
    office.on(&anna, "closeConversation", &id).await;
    office.goes_on("p-1", "three", at(2)).await;
    let shown = office.conversation(&bela, &id).await;
    assert_eq!((&shown["section"], &shown["assignee"]), (&json!("UNASSIGNED"), &Value::Null));

    // The rule is for customers: a member who reopens gives it back to whoever held it.
    office.assigns(&anna, &id, &bela).await;
    office.on(&anna, "closeConversation", &id).await;
    office.on(&anna, "reopenConversation", &id).await;
    assert_eq!(office.conversation(&bela, &id).await["section"], "ASSIGNED_TO_ME");

    // It is the page's rule, not the number's.
    office.phones("whatsapp:+36301111111", "by number").await;
    let phoned = office.named("by number").await;
    office.assigns(&anna, &phoned, &bela).await;
    office.on(&anna, "closeConversation", &phoned).await;
    office.phones("whatsapp:+36301111111", "by number again").await;
    assert_eq!(office.conversation(&bela, &phoned).await["section"], "ASSIGNED_TO_ME");
}

#[tokio::test]
async fn what_a_customer_reopens_is_unread_and_on_top() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "one", at(0)).await;
    office.begins("p-2", "other", at(1)).await;
    office.sees(&anna, &id).await;
    office.on(&bela, "closeConversation", &id).await;
    assert_eq!(office.sections(&anna).await, [(1, 1), (0, 0), (0, 0), (1, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (0, 0), (0, 0), (1, 1)]);
    office.goes_on("p-1", "two", at(2)).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["two", "other"]);
    assert_eq!(office.sections(&anna).await[0], (2, 2));
}

#[tokio::test]
async fn what_does_not_exist_is_neither_closed_nor_reopened() {
    let (office, anna, _) = open().await;
    let begins_nothing = office.page().reaction("p-1", "mid-1", Some("❤"), at(0));
    office.tells(&[begins_nothing]).await;
    for name in ["closeConversation", "reopenConversation", "unassignConversation", "deleteConversation"] {
        let input = json!({ "conversation": nothing("conv") });
        assert_eq!(office.refused(&anna, name, input).await, "NOT_FOUND", "{name}");
        let input = json!({ "conversation": "p-1" });
        assert_eq!(office.refused(&anna, name, input).await, "INVALID_ID", "{name}");
    }
}

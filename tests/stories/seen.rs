//! Unread is each member's own: marks count by position, and whoever comes later has seen it all.

use parlance_tests::served::at;
use serde_json::json;

use super::{nothing, open};

#[tokio::test]
async fn a_mark_is_one_members_and_counts_up_to_what_was_shown() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "one", at(0)).await;
    let shown = office.conversation(&anna, &id).await;
    office.goes_on("p-1", "two", at(1)).await;

    // She saw one message; the second had come before she marked.
    let input = json!({ "conversation": id, "upTo": shown["changedAt"] });
    office.does(&anna, "markConversationSeen", input.clone()).await;
    assert_eq!(office.conversation(&anna, &id).await["unread"], true);
    office.sees(&anna, &id).await;
    assert_eq!(office.conversation(&anna, &id).await["unread"], false);
    assert_eq!(office.conversation(&bela, &id).await["unread"], true, "a mark is no one else's");
    assert_eq!(office.sections(&anna).await[0], (1, 0));
    assert_eq!(office.sections(&bela).await[0], (1, 1));

    // A mark never goes back.
    office.does(&anna, "markConversationSeen", input).await;
    assert_eq!(office.conversation(&anna, &id).await["unread"], false);
    office.goes_on("p-1", "three", at(2)).await;
    assert_eq!(office.conversation(&anna, &id).await["unread"], true);
}

#[tokio::test]
async fn what_members_do_makes_nothing_unread() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    for member in [&anna, &bela] {
        office.sees(member, &id).await;
    }
    office.assigns(&anna, &id, &bela).await;
    office.on(&anna, "closeConversation", &id).await;
    office.on(&anna, "reopenConversation", &id).await;
    office.on(&anna, "unassignConversation", &id).await;
    assert_eq!(office.sections(&anna).await[0], (1, 0));
    assert_eq!(office.sections(&bela).await[0], (1, 0));
}

#[tokio::test]
async fn a_mark_beyond_the_present_marks_no_message_to_come() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "one", at(0)).await;
    // A position of the same log, a thousand events ahead: its last bytes are the number.
    let ahead = "AQAAAAAAAAAAAAAD6A";
    let input = json!({ "conversation": id, "upTo": ahead });
    office.does(&anna, "markConversationSeen", input).await;
    assert_eq!(office.conversation(&anna, &id).await["unread"], false);
    office.goes_on("p-1", "two", at(1)).await;
    assert_eq!(office.conversation(&anna, &id).await["unread"], true);
}

#[tokio::test]
async fn a_new_member_has_seen_what_was_there() {
    let (office, anna, _) = open().await;
    let old = office.begins("p-1", "before Cili", at(0)).await;
    let cili = office.member("cili@example.hu", &[]).await;
    assert_eq!(office.sections(&cili).await[0], (1, 0));
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    assert_eq!(office.conversation(&cili, &old).await["unread"], false);
    office.begins("p-2", "after Cili", at(1)).await;
    office.goes_on("p-1", "before Cili, but late", at(0) - 1).await;
    assert_eq!(office.sections(&cili).await[0], (2, 2));
}

#[tokio::test]
async fn who_comes_back_has_seen_what_happened_meanwhile() {
    let (office, anna, _) = open().await;
    office.begins("p-1", "while Anna was here", at(0)).await;
    office.does(&office.admin, "removeMember", json!({ "member": anna.id })).await;
    office.begins("p-2", "while Anna was away", at(1)).await;
    let again = office.member("anna@example.hu", &[]).await;
    assert_eq!(again.id, anna.id, "the same address is the same member");
    assert_eq!(office.sections(&again).await[0], (2, 0));
    office.goes_on("p-1", "now she is back", at(2)).await;
    assert_eq!(office.sections(&again).await[0], (2, 1));
}

#[tokio::test]
async fn a_shared_channels_past_is_seen_by_those_who_gain_it() {
    let (office, anna, _) = open().await;
    let channel = office.messenger.id.clone();
    let visible = |visibility| json!({ "channel": channel, "visibility": visibility });
    office.does(&office.admin, "setChannelVisibility", visible("PRIVATE")).await;
    let id = office.begins("p-1", "in private", at(0)).await;
    assert_eq!(office.sections(&anna).await[0], (0, 0));
    office.does(&office.admin, "setChannelVisibility", visible("SHARED")).await;
    assert_eq!(office.sections(&anna).await[0], (1, 0));
    assert_eq!(office.sections(&office.admin).await[0], (1, 1), "the installer has not looked");
    office.goes_on("p-1", "in public", at(1)).await;
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    assert_eq!(office.conversation(&anna, &id).await["unread"], true);
}

#[tokio::test]
async fn what_is_not_there_or_no_position_cannot_be_marked() {
    let (office, anna, _) = open().await;
    let head = office.head().await;
    let input = json!({ "conversation": nothing("conv"), "upTo": head });
    assert_eq!(office.refused(&anna, "markConversationSeen", input).await, "NOT_FOUND");
    let id = office.begins("p-1", "Szia!", at(0)).await;
    let mutation = "mutation($id: ID!, $to: Position!) { markConversationSeen(input: { conversation: $id,
        upTo: $to }) { position } }";
    for garbage in ["", "7", "conv_7", "AQAAAAAAAAAAAAAD6", "%%%%"] {
        let variables = json!({ "id": id, "to": garbage });
        let answer = office.served.graphql(Some(&anna.token), mutation, variables).await;
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|m| m.contains("position")), "{answer}");
        assert_eq!(answer["data"], json!({ "markConversationSeen": null }), "{answer}");
    }
    // One of another log: its epoch is not this one's.
    let input = json!({ "conversation": id, "upTo": "AQAAAAkAAAAAAAAAAQ" });
    assert_eq!(office.refused(&anna, "markConversationSeen", input).await, "RELOAD");
    assert_eq!(office.conversation(&anna, &id).await["unread"], true);
}

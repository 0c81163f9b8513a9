//! Two companies on one server: what is the one's does not exist for the other, whatever is asked.

use parlance_tests::served::{Office, Person, at, word};
use serde_json::{Value, json};

use super::{nothing, open};

/// Ids of the office of every kind, and a cursor of each of its lists.
async fn belongings(office: &Office, anna: &Person) -> Vec<(&'static str, String)> {
    let id = office.begins("p-1", "ours", at(0)).await;
    vec![
        ("conv", id),
        ("memb", anna.id.clone()),
        ("chan", office.messenger.id.clone()),
        ("conn", office.messenger.connection.clone()),
        ("acct", office.account.clone()),
    ]
}

#[tokio::test]
async fn another_accounts_ids_are_answered_like_ids_of_nothing() {
    let (office, anna, _) = open().await;
    let (other, stranger) = office.another_account();
    assert_ne!(other, office.account);
    let ours = belongings(&office, &anna).await;
    let at_zero = office.ask(&stranger, "{ sections { conversations unread } }", json!({})).await;
    assert_eq!(at_zero["sections"], json!(vec![json!({ "conversations": 0, "unread": 0 }); 4]));
    for (kind, id) in &ours {
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(office.ask(&stranger, node, json!({ "id": id })).await["node"], Value::Null, "{kind}");
        assert_eq!(office.asks(&anna, node, json!({ "id": id })).await["node"].is_null(), *kind == "conn");
    }
    let head = word(&office.change(&stranger, "updateAccount", "", json!({})).await["position"]);
    let asked = |id: &dyn Fn(&str) -> String| {
        let (conversation, member, channel, connection) = (id("conv"), id("memb"), id("chan"), id("conn"));
        vec![
            ("assignConversation", json!({ "conversation": conversation, "assignee": stranger.id })),
            ("unassignConversation", json!({ "conversation": conversation })),
            ("closeConversation", json!({ "conversation": conversation })),
            ("reopenConversation", json!({ "conversation": conversation })),
            ("deleteConversation", json!({ "conversation": conversation })),
            ("markConversationSeen", json!({ "conversation": conversation, "upTo": head })),
            ("renameChannel", json!({ "channel": channel, "name": "Mine" })),
            ("setReopenRule", json!({ "channel": channel, "rule": "UNASSIGN" })),
            ("setChannelVisibility", json!({ "channel": channel, "visibility": "PRIVATE" })),
            ("handOverChannel", json!({ "channel": channel, "member": stranger.id })),
            ("disconnectChannel", json!({ "channel": channel })),
            ("rotateSecrets", json!({ "connection": connection, "signingSecret": "mine" })),
            ("removeMember", json!({ "member": member })),
            ("setMemberPermissions", json!({ "member": member, "permissions": [] })),
        ]
    };
    let theirs =
        |kind: &str| ours.iter().find(|(of, _)| *of == kind).map_or_else(String::new, |(_, id)| id.clone());
    for ((name, input), (_, of_nothing)) in asked(&theirs).into_iter().zip(asked(&nothing)) {
        let told = office.change(&stranger, name, "", input).await;
        assert_eq!(told["errors"][0]["code"], "NOT_FOUND", "{name}");
        assert_eq!(told, office.change(&stranger, name, "", of_nothing).await, "{name}");
    }
    let filters = "query($c: ID!) { sections(channel: $c) { section } }";
    assert_eq!(
        office.ask(&stranger, filters, json!({ "c": office.messenger.id })).await["sections"],
        Value::Null
    );
    let fits = "{ connections { id } channels { id } members { nodes { id } } }";
    let shown = office.ask(&stranger, fits, json!({})).await;
    assert_eq!(
        shown,
        json!({ "connections": [], "channels": [], "members": { "nodes": [{ "id": stranger.id }] } })
    );
}

#[tokio::test]
async fn a_stranger_as_an_assignee_or_installer_is_nobody() {
    let (office, anna, _) = open().await;
    let (_, stranger) = office.another_account();
    let id = office.begins("p-1", "ours", at(0)).await;
    for who in [stranger.id.clone(), nothing("memb")] {
        let input = json!({ "conversation": id, "assignee": who });
        assert_eq!(office.refused(&anna, "assignConversation", input).await, "ASSIGNEE_WITHOUT_ACCESS");
        let input = json!({ "channel": office.messenger.id, "member": who });
        assert_eq!(office.refused(&office.admin, "handOverChannel", input).await, "NEW_INSTALLER_NOT_ACTIVE");
        let input = json!({ "member": who });
        assert_eq!(office.refused(&office.admin, "removeMember", input).await, "NOT_FOUND");
    }
}

#[tokio::test]
async fn another_accounts_cursors_are_of_another_list() {
    let (office, _, _) = open().await;
    let (_, stranger) = office.another_account();
    office.begins("p-1", "ours", at(0)).await;
    let lists = "{ conversations(section: UNASSIGNED) { pageInfo { endCursor } }
        members { pageInfo { endCursor } } }";
    let shown = office.asks(&office.admin, lists, json!({})).await;
    for (list, query) in [
        (
            "conversations",
            "query($c: String) { conversations(section: UNASSIGNED, after: $c) { nodes { id } } }",
        ),
        ("members", "query($c: String) { members(after: $c) { nodes { id } } }"),
    ] {
        let cursor = &shown[list]["pageInfo"]["endCursor"];
        assert!(cursor.is_string());
        let code = office.failing(Some(&stranger.token), query, json!({ "c": cursor })).await;
        assert_eq!(code, "CURSOR_OF_ANOTHER_LIST", "{list}");
    }
}

#[tokio::test]
async fn one_page_in_two_accounts_is_two_channels() {
    let (office, anna, _) = open().await;
    let (_, stranger) = office.another_account();
    let theirs = office.connects(&stranger, office.page_input()).await;
    assert_eq!(theirs["errors"], json!([]));
    assert_ne!(theirs["channel"]["id"], office.messenger.id.as_str());
    assert_ne!(theirs["connection"]["webhookUrl"], office.messenger.webhook_url.as_str());
    let page = office.page();
    let request = page.deliver(&[page.message("p-1", "mid-1", "to both", at(0))]);
    let url = word(&theirs["connection"]["webhookUrl"]);
    let answer = office.served.sender().send(&url, &request).await.expect("it is answered");
    assert_eq!(answer.status, 200);
    assert_eq!(office.sections(&anna).await, [(0, 0); 4], "it came to their address alone");
    office.delivers(&office.messenger, &request).await;
    assert_eq!(office.sections(&anna).await[0], (1, 1), "the same message id is theirs and ours");
    let named = "{ conversations(section: UNASSIGNED) { nodes { id } } }";
    let head = office.change(&stranger, "updateAccount", "", json!({})).await["position"].take();
    let query = "query($at: Position) { conversations(section: UNASSIGNED, atLeast: $at) { nodes { id } } }";
    let of_theirs = office.ask(&stranger, query, json!({ "at": head })).await["conversations"].take();
    let of_ours = office.asks(&anna, named, json!({})).await["conversations"].take();
    assert_ne!(of_theirs["nodes"][0]["id"], of_ours["nodes"][0]["id"]);
}

#[tokio::test]
async fn members_of_two_accounts_with_one_address_are_two_members() {
    let (office, _, _) = open().await;
    let (_, stranger) = office.another_account();
    assert_eq!(stranger.email, office.admin.email);
    assert_ne!(stranger.id, office.admin.id);
    let me = "{ viewer { member { id } account { id } } }";
    let (one, other) =
        (office.ask(&stranger, me, json!({})).await, office.asks(&office.admin, me, json!({})).await);
    assert_ne!(one["viewer"]["account"]["id"], other["viewer"]["account"]["id"]);
    // The other company's leaving touches nothing here.
    office.does(&stranger, "setAvailability", json!({ "available": false })).await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.assigns(&office.admin, &id, &office.admin).await;
}

//! Every query, and how many calls a page costs.

use std::sync::Arc;

use parlance_app::front::Principal;
use serde_json::json;

use crate::fake::{ACCOUNT, CHANNEL, CONNECTION, EVA, Fake, OPERATOR, conversation_id, run, run_as};

#[tokio::test]
async fn every_query_of_a_member_is_answered() {
    let fake = Arc::new(Fake::default());
    let conversation = conversation_id(0);
    let answer = run(
        &fake,
        &format!(
            r#"{{
              viewer {{ member {{ id name email standing available permissions }} account {{ name }} permissions }}
              account {{ id language timeZone }}
              sections {{ section conversations unread }}
              conversation(id: "{conversation}") {{ id section contact {{ name }} changedAt mayDelete incarnation }}
              node(id: "{CHANNEL}") {{ id __typename }}
              channelKinds {{ kind name open }}
              connections {{ id webhookUrl verifyToken channels {{ id }} }}
              channels {{ id providerId installer {{ id }} health mayGovern mayManage connection {{ id }} }}
              members(first: 1) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}
            }}"#
        ),
    )
    .await;
    assert_eq!(answer.get("errors"), None, "{answer:#}");
    let found = &answer["data"];
    assert_eq!(found["viewer"]["member"]["id"], EVA.to_string());
    assert_eq!(found["viewer"]["permissions"], json!(["ACCOUNT_SETTINGS"]));
    assert_eq!(
        found["account"],
        json!({"id": ACCOUNT.to_string(), "language": "EN", "timeZone": "Europe/Budapest"})
    );
    assert_eq!(found["sections"], json!([{"section": "CLOSED", "conversations": 7, "unread": 2}]));
    assert_eq!(found["conversation"]["contact"]["name"], "Kovács Éva");
    assert_eq!(found["node"], json!({"id": CHANNEL.to_string(), "__typename": "Channel"}));
    let open = json!([{"kind": "MESSENGER", "name": "Facebook Messenger", "open": true}]);
    assert_eq!(found["channelKinds"], open, "a closed kind is not offered");
    assert_eq!(found["connections"][0]["verifyToken"], "verify me");
    assert_eq!(found["connections"][0]["channels"][0]["id"], CHANNEL.to_string());
    assert_eq!(found["channels"][0]["mayGovern"], true);
    assert_eq!(found["channels"][0]["mayManage"], false);
    assert_eq!(found["channels"][0]["connection"]["id"], CONNECTION.to_string());
    assert_eq!(found["members"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn dead_letters_are_for_operators_and_the_rest_is_for_members() {
    let fake = Arc::new(Fake::default());
    let query = format!(
        r#"{{ deadLetters(account: "{ACCOUNT}") {{ nodes {{ id because bytes fate position }} }} }}"#
    );
    let found = run_as(&fake, Some(Principal::Operator(OPERATOR)), &query).await;
    assert_eq!(found["data"]["deadLetters"]["nodes"][0]["because"], "UNKNOWN_CHANNEL", "{found:#}");
    let code = |answer: &serde_json::Value| answer["errors"][0]["extensions"]["code"].clone();
    assert_eq!(code(&run(&fake, &query).await), "OPERATORS_ONLY");
    assert_eq!(code(&run_as(&fake, None, &query).await), "UNAUTHENTICATED");
    assert_eq!(
        code(&run_as(&fake, Some(Principal::Operator(OPERATOR)), "{ viewer { permissions } }").await),
        "MEMBERS_ONLY"
    );
    assert_eq!(code(&run_as(&fake, None, "{ channelKinds { kind } }").await), "UNAUTHENTICATED");
}

#[tokio::test]
async fn what_is_not_theirs_and_what_is_not_there_are_null_alike() {
    let fake = Arc::new(Fake::default());
    let absent = conversation_id(900);
    let channel = "chan_00000000000000000000000000000099";
    let query = format!(
        r#"{{ conversation(id: "{absent}") {{ id }} node(id: "{absent}") {{ id }} sections(channel: "{channel}") {{ unread }} }}"#
    );
    let answer = run(&fake, &query).await;
    assert_eq!(answer["data"], json!({"conversation": null, "node": null, "sections": null}));
    assert_eq!(answer.get("errors"), None);
    let answer = run(&fake, &format!(r#"{{ conversation(id: "{EVA}") {{ id }} }}"#)).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID_ID");
}

#[tokio::test]
async fn a_page_costs_as_many_calls_however_long_it_is() {
    let page = "{ conversations(section: UNASSIGNED, first: 100) { nodes {
        id contact { name } assignee { name } channel { name } lastMessage { text }
        messages(last: 3) { nodes { text } } } } }";
    let mut costs = Vec::new();
    for conversations in [1, 100] {
        let fake = Arc::new(Fake { conversations, ..Fake::default() });
        let answer = run(&fake, page).await;
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        let nodes = answer["data"]["conversations"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len() as u64, conversations);
        assert!(nodes.iter().all(|node| node["messages"]["nodes"].as_array().unwrap().len() == 3));
        let mut calls = fake.calls();
        calls.sort_unstable();
        costs.push(calls);
    }
    assert_eq!(
        costs[0],
        ["channels", "conversations", "epoch", "members_by_id", "messages_by_id", "threads"]
    );
    assert_eq!(costs[0], costs[1]);
}

//! What needs account settings access or the installer is refused to others, with the code that says so, and
//! changes nothing.

use parlance_tests::served::{Office, Person, at};
use serde_json::{Value, json};

use super::{nothing, open};

/// Everything that needs account settings access.
fn settings(office: &Office, about: &Person) -> Vec<(&'static str, Value)> {
    let (channel, connection) = (&office.messenger.id, &office.messenger.connection);
    vec![
        ("updateAccount", json!({ "name": "Mine", "language": "HU", "timeZone": "UTC" })),
        ("connectChannel", office.page_input()),
        ("renameChannel", json!({ "channel": channel, "name": "Mine" })),
        ("setReopenRule", json!({ "channel": channel, "rule": "UNASSIGN" })),
        ("disconnectChannel", json!({ "channel": channel })),
        ("rotateSecrets", json!({ "connection": connection, "signingSecret": "mine" })),
        ("inviteMember", json!({ "email": "friend@example.hu", "name": "F" })),
        ("setMemberPermissions", json!({ "member": about.id, "permissions": ["ACCOUNT_SETTINGS"] })),
        ("removeMember", json!({ "member": about.id })),
    ]
}

/// What an installer with account settings access may do.
fn governing(office: &Office, to: &Person) -> [(&'static str, Value); 2] {
    let channel = &office.messenger.id;
    [
        ("setChannelVisibility", json!({ "channel": channel, "visibility": "PRIVATE" })),
        ("handOverChannel", json!({ "channel": channel, "member": to.id })),
    ]
}

#[tokio::test]
async fn a_plain_member_changes_no_settings() {
    let (office, anna, bela) = open().await;
    let before = office.head().await;
    for about in [&anna, &bela, &office.admin] {
        for (name, input) in settings(&office, about) {
            assert_eq!(office.refused(&anna, name, input).await, "NOT_PERMITTED", "{name}");
        }
    }
    for (name, input) in governing(&office, &anna) {
        assert_eq!(office.refused(&anna, name, input).await, "ONLY_INSTALLER", "{name}");
    }
    assert_eq!(office.head().await, before, "nothing happened");
}

#[tokio::test]
async fn what_is_refused_tells_nothing_about_whom_or_what_it_names() {
    let (office, anna, _) = open().await;
    for (name, mut input) in settings(&office, &anna) {
        for (field, kind) in [("channel", "chan"), ("connection", "conn"), ("member", "memb")] {
            if input[field].is_string() {
                input[field] = json!(nothing(kind));
            }
        }
        let code = office.refused(&anna, name, input).await;
        assert!(["NOT_PERMITTED", "NOT_FOUND"].contains(&code.as_str()), "{name}: {code}");
    }
}

#[tokio::test]
async fn an_admin_who_did_not_install_a_channel_manages_it_and_does_not_govern_it() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    for (name, input) in governing(&office, &dora) {
        assert_eq!(office.refused(&dora, name, input).await, "ONLY_INSTALLER", "{name}");
    }
    let channel = &office.messenger.id;
    office.does(&dora, "renameChannel", json!({ "channel": channel, "name": "The page" })).await;
    office.does(&dora, "setReopenRule", json!({ "channel": channel, "rule": "UNASSIGN" })).await;
    let shown = "{ channels { name reopenRule mayManage mayGovern mayDeleteConversations mayUseConversations
        providerId connection { id } installer { id } health visibility } }";
    let channels = office.asks(&dora, shown, json!({})).await;
    let page = &channels["channels"].as_array().and_then(|c| c.iter().find(|c| c["name"] == "The page"));
    let page = page.expect("the page by its new name");
    assert_eq!(page["reopenRule"], "UNASSIGN");
    assert_eq!(page["installer"]["id"], office.admin.id.as_str());
    let may = ["mayManage", "mayGovern", "mayDeleteConversations", "mayUseConversations"];
    assert_eq!(may.map(|field| page[field].clone()), [true, false, false, true].map(Value::from));
    let plain = office.asks(&anna, shown, json!({})).await;
    for channel in plain["channels"].as_array().expect("channels") {
        assert_eq!((&channel["providerId"], &channel["connection"]), (&Value::Null, &Value::Null));
        assert_eq!(channel["mayManage"], false);
    }
}

#[tokio::test]
async fn an_installer_without_settings_access_deletes_and_does_not_govern() {
    let (office, anna, _) = open().await;
    let input = json!({ "channel": office.messenger.id, "member": anna.id });
    office.does(&office.admin, "handOverChannel", input).await;
    for (name, input) in governing(&office, &office.admin.clone()) {
        assert_eq!(office.refused(&anna, name, input).await, "ONLY_INSTALLER", "{name}");
    }
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.on(&anna, "deleteConversation", &id).await;
}

#[tokio::test]
async fn connections_are_for_those_with_settings_access() {
    let (office, anna, _) = open().await;
    let query = "{ connections { id webhookUrl verifyToken } }";
    assert_eq!(office.failing(Some(&anna.token), query, json!({})).await, "NOT_PERMITTED");
    let shown = office.asks(&office.admin, query, json!({})).await;
    assert_eq!(shown["connections"].as_array().map(Vec::len), Some(2));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let id = json!({ "id": office.messenger.connection });
    assert_eq!(office.asks(&anna, node, id.clone()).await["node"], Value::Null);
    assert_eq!(
        office.asks(&office.admin, node, id).await["node"]["id"],
        office.messenger.connection.as_str()
    );
}

#[tokio::test]
async fn a_demoted_admin_is_one_no_more_at_once() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    office.does(&dora, "updateAccount", json!({ "timeZone": "UTC" })).await;
    let demote = json!({ "member": dora.id, "permissions": [] });
    office.does(&office.admin, "setMemberPermissions", demote).await;
    let update = json!({ "timeZone": "Europe/Budapest" });
    assert_eq!(office.refused(&dora, "updateAccount", update.clone()).await, "NOT_PERMITTED");
    let promote = json!({ "member": anna.id, "permissions": ["ACCOUNT_SETTINGS"] });
    office.does(&office.admin, "setMemberPermissions", promote).await;
    office.does(&anna, "updateAccount", update).await;
}

#[tokio::test]
async fn without_a_token_nothing_is_shown() {
    let (office, anna, _) = open().await;
    for query in ["{ viewer { permissions } }", "{ sections { section } }", "{ members { nodes { id } } }"] {
        assert_eq!(office.failing(None, query, json!({})).await, "UNAUTHENTICATED");
        assert_eq!(office.failing(Some("nonsense"), query, json!({})).await, "UNAUTHENTICATED");
        let mut forged = anna.token.clone();
        let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
        forged.push(last);
        assert_eq!(office.failing(Some(&forged), query, json!({})).await, "UNAUTHENTICATED");
    }
}

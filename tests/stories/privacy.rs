//! Private channels: for everybody but their installer, admins included, their conversations do not exist.

use parlance_tests::served::{Channel, Office, Person, at};
use serde_json::{Value, json};

use super::{nothing, open};

async fn make(office: &Office, by: &Person, channel: &Channel, visibility: &str) {
    let input = json!({ "channel": channel.id, "visibility": visibility });
    office.does(by, "setChannelVisibility", input).await;
}

/// All that is answered about a conversation by its id: queries, and every mutation with its errors.
async fn answers(office: &Office, person: &Person, id: &str) -> Value {
    let mut told = vec![office.conversation(person, id).await];
    let node = "query($id: ID!) { node(id: $id) { id } }";
    told.push(office.asks(person, node, json!({ "id": id })).await);
    let head = office.head().await;
    for (name, input) in [
        ("assignConversation", json!({ "conversation": id, "assignee": person.id })),
        ("assignConversation", json!({ "conversation": id, "assignee": office.admin.id, "expect": null })),
        ("unassignConversation", json!({ "conversation": id })),
        ("closeConversation", json!({ "conversation": id })),
        ("reopenConversation", json!({ "conversation": id })),
        ("deleteConversation", json!({ "conversation": id })),
        ("markConversationSeen", json!({ "conversation": id, "upTo": head })),
    ] {
        let payload = office.change(person, name, "", input).await;
        assert_eq!(payload["errors"][0]["code"], "NOT_FOUND", "{name}");
        told.push(payload);
    }
    Value::from(told)
}

#[tokio::test]
async fn a_private_channels_conversations_do_not_exist_for_others() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let hidden = office.begins("p-1", "hidden", at(0)).await;
    office.phones("whatsapp:+36301111111", "open to all").await;
    make(&office, &office.admin, &office.messenger, "PRIVATE").await;
    make(&office, &office.admin, &office.messenger, "PRIVATE").await;
    let channel = office.messenger.id.clone();
    for other in [&anna, &dora] {
        assert_eq!(office.sections(other).await, [(1, 1), (0, 0), (0, 0), (0, 0)]);
        assert_eq!(office.listed(other, "UNASSIGNED").await, ["open to all"]);
        let query = "query($c: ID!) { sections(channel: $c) { section }
            conversations(section: UNASSIGNED, channel: $c) { nodes { id } } }";
        let of_it = office.asks(other, query, json!({ "c": channel })).await;
        let of_none = office.asks(other, query, json!({ "c": nothing("chan") })).await;
        assert_eq!(of_it, of_none);
        assert_eq!(of_it, json!({ "sections": null, "conversations": null }));
        let of_it = answers(&office, other, &hidden).await;
        assert_eq!(of_it, answers(&office, other, &nothing("conv")).await, "as if it did not exist");
    }
    assert_eq!(office.listed(&office.admin, "UNASSIGNED").await, ["open to all", "hidden"]);

    // What comes now is hidden too, and there again when it is shared.
    office.begins("p-2", "hidden as well", at(1)).await;
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    make(&office, &office.admin, &office.messenger, "SHARED").await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["open to all", "hidden as well", "hidden"]);
}

#[tokio::test]
async fn the_channel_itself_is_shown_to_those_who_manage_it_and_to_no_one_else() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    make(&office, &office.admin, &office.messenger, "PRIVATE").await;
    let query = "{ channels { id mayUseConversations } }";
    let ids = |shown: &Value| shown["channels"].as_array().map_or(0, Vec::len);
    assert_eq!(ids(&office.asks(&anna, query, json!({})).await), 1);
    let shown = office.asks(&dora, query, json!({})).await;
    assert_eq!(ids(&shown), 2);
    let page =
        shown["channels"].as_array().and_then(|all| all.iter().find(|c| c["id"] == *office.messenger.id));
    assert_eq!(page.map(|page| &page["mayUseConversations"]), Some(&json!(false)));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let id = json!({ "id": office.messenger.id });
    assert_eq!(office.asks(&anna, node, id).await["node"], Value::Null);
    // Whoever cannot see it is not told that it is there.
    for (name, mut input, code) in [
        ("renameChannel", json!({ "name": "Mine" }), "NOT_PERMITTED"),
        ("setReopenRule", json!({ "rule": "UNASSIGN" }), "NOT_PERMITTED"),
        ("disconnectChannel", json!({}), "NOT_PERMITTED"),
        ("setChannelVisibility", json!({ "visibility": "SHARED" }), "NOT_FOUND"),
        ("handOverChannel", json!({ "member": anna.id }), "NOT_FOUND"),
    ] {
        for channel in [office.messenger.id.clone(), nothing("chan")] {
            input["channel"] = json!(channel);
            assert_eq!(office.refused(&anna, name, input.clone()).await, code, "{name}");
        }
    }
    let input = json!({ "channel": office.messenger.id, "visibility": "SHARED" });
    assert_eq!(office.refused(&dora, "setChannelVisibility", input).await, "ONLY_INSTALLER");
}

#[tokio::test]
async fn made_private_the_system_takes_from_others_what_they_held() {
    let (office, anna, bela) = open().await;
    let admin = office.admin.clone();
    let open = office.begins("p-1", "open", at(0)).await;
    let closed = office.begins("p-2", "closed", at(1)).await;
    let own = office.begins("p-3", "own", at(2)).await;
    office.phones("whatsapp:+36301111111", "elsewhere").await;
    let elsewhere = office.named("elsewhere").await;
    for id in [&open, &closed, &elsewhere] {
        office.assigns(&bela, id, &anna).await;
    }
    office.assigns(&bela, &own, &admin).await;
    office.on(&anna, "closeConversation", &closed).await;
    make(&office, &admin, &office.messenger, "PRIVATE").await;

    assert_eq!(office.until_free(&admin, &open).await["section"], "UNASSIGNED");
    assert_eq!(office.until_free(&admin, &closed).await["section"], "CLOSED");
    assert_eq!(office.conversation(&admin, &own).await["section"], "ASSIGNED_TO_ME");
    assert_eq!(office.listed(&anna, "ASSIGNED_TO_ME").await, ["elsewhere"]);
    // Shared again, nobody gets anything back.
    make(&office, &admin, &office.messenger, "SHARED").await;
    assert_eq!(office.listed(&anna, "ASSIGNED_TO_ME").await, ["elsewhere"]);
    assert_eq!(office.conversation(&anna, &closed).await["assignee"], Value::Null);
}

#[tokio::test]
async fn nobody_is_assigned_a_private_conversation_but_the_installer() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    make(&office, &office.admin, &office.messenger, "PRIVATE").await;
    let input = json!({ "conversation": id, "assignee": anna.id });
    assert_eq!(office.refused(&office.admin, "assignConversation", input).await, "ASSIGNEE_WITHOUT_ACCESS");
    office.assigns(&office.admin, &id, &office.admin).await;
}

#[tokio::test]
async fn handed_over_a_private_channel_is_the_new_installers_alone() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    make(&office, &office.admin, &office.messenger, "PRIVATE").await;
    office.assigns(&office.admin, &id, &office.admin).await;
    let to = |member: &str| json!({ "channel": office.messenger.id, "member": member });
    assert_eq!(
        office.refused(&office.admin, "handOverChannel", to(&nothing("memb"))).await,
        "NEW_INSTALLER_NOT_ACTIVE"
    );
    office.does(&office.admin, "handOverChannel", to(&anna.id)).await;
    assert_eq!(office.conversation(&office.admin, &id).await, Value::Null);
    assert_eq!(office.conversation(&bela, &id).await, Value::Null);
    assert_eq!(office.refused(&office.admin, "handOverChannel", to(&bela.id)).await, "ONLY_INSTALLER");
    // What the one before held is nobody's now.
    let shown = office.until_free(&anna, &id).await;
    assert_eq!((&shown["section"], &shown["unread"]), (&json!("UNASSIGNED"), &json!(false)));
    office.writes("p-1", "mid-2", "news", at(1)).await;
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    assert_eq!(office.sections(&office.admin).await, [(0, 0); 4]);
}

#[tokio::test]
async fn a_channel_can_be_private_from_its_first_day() {
    let (office, anna, _) = open().await;
    let (page, request) = {
        let page = parlance_simulator::Messenger::new(parlance_tests::served::APP_SECRET, "111222333444");
        let request = page.deliver(&[page.message("p-1", "mid-1", "hidden", at(0))]);
        (page, request)
    };
    office.providers.knows_also(&page.page_id, "EAAsecond");
    let mut input = office.page_input();
    input["providerId"] = json!(page.page_id);
    input["access"] = json!("EAAsecond");
    input["connection"] = json!(office.messenger.connection);
    input["visibility"] = json!("PRIVATE");
    assert_eq!(office.connects(&office.admin, input).await["errors"], json!([]));
    office.delivers(&office.messenger, &request).await;
    assert_eq!(office.listed(&office.admin, "UNASSIGNED").await, ["hidden"]);
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);
}

//! Deleting and coming back: gone at once for everybody, and a new life for whoever writes again.

use parlance_tests::served::at;
use serde_json::{Value, json};

use super::{nothing, open};

#[tokio::test]
async fn only_the_installer_deletes() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    for other in [&anna, &dora] {
        assert_eq!(office.conversation(other, &id).await["mayDelete"], false);
        let input = json!({ "conversation": id });
        assert_eq!(office.refused(other, "deleteConversation", input).await, "ONLY_INSTALLER");
    }
    assert_eq!(office.conversation(&office.admin, &id).await["mayDelete"], true);
    // Handed over, it is the new installer's right, whatever else they may do.
    let channel = office.messenger.id.clone();
    office.does(&office.admin, "handOverChannel", json!({ "channel": channel, "member": anna.id })).await;
    let input = json!({ "conversation": id });
    assert_eq!(office.refused(&office.admin, "deleteConversation", input).await, "ONLY_INSTALLER");
    office.on(&anna, "deleteConversation", &id).await;
    assert_eq!(office.conversation(&office.admin, &id).await, Value::Null);
}

#[tokio::test]
async fn what_was_deleted_is_gone_from_every_answer_for_everybody() {
    let (office, anna, bela) = open().await;
    office.begins("p-0", "stays", at(0)).await;
    let open = office.begins("p-1", "secret one", at(1)).await;
    let closed = office.begins("p-2", "secret two", at(2)).await;
    office.assigns(&anna, &open, &bela).await;
    office.on(&anna, "closeConversation", &closed).await;
    for id in [&open, &closed] {
        let deleted = office
            .change(&office.admin, "deleteConversation", "deletedId", json!({ "conversation": id }))
            .await;
        assert_eq!(deleted["deletedId"], id.as_str());
        // Asked again, perhaps because the answer was lost.
        office.on(&office.admin, "deleteConversation", id).await;
    }
    for member in [&anna, &bela, &office.admin] {
        assert_eq!(office.sections(member).await.map(|(held, _)| held), [1, 0, 0, 0]);
        assert_eq!(office.listed(member, "UNASSIGNED").await, ["stays"]);
        for section in ["ASSIGNED_TO_ME", "ASSIGNED_TO_OTHERS", "CLOSED"] {
            assert_eq!(office.listed(member, section).await, Vec::<String>::new());
        }
        for id in [&open, &closed] {
            assert_eq!(office.conversation(member, id).await, Value::Null);
            let node = "query($id: ID!) { node(id: $id) { id } }";
            assert_eq!(office.asks(member, node, json!({ "id": id })).await["node"], Value::Null);
            let input = json!({ "conversation": id, "assignee": anna.id });
            assert_eq!(office.refused(member, "assignConversation", input).await, "NOT_FOUND");
            let input = json!({ "conversation": id, "upTo": office.head().await });
            assert_eq!(office.refused(member, "markConversationSeen", input).await, "NOT_FOUND");
            for name in ["closeConversation", "reopenConversation", "unassignConversation"] {
                let input = json!({ "conversation": id });
                assert_eq!(office.refused(member, name, input).await, "NOT_FOUND", "{name}");
            }
        }
    }
    let others = json!({ "conversation": open });
    assert_eq!(office.refused(&anna, "deleteConversation", others).await, "NOT_FOUND");
    let never = json!({ "conversation": nothing("conv") });
    assert_eq!(office.refused(&office.admin, "deleteConversation", never).await, "NOT_FOUND");
}

#[tokio::test]
async fn what_was_told_before_brings_nothing_back() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let told = [
        page.message("p-1", "mid-1", "secret", at(0)),
        page.postback("p-1", "mid-2", "Yes", "YES", at(1)),
        page.echo("p-1", "mid-3", "ours", None, at(2)),
        page.edit("p-1", "mid-1", "still secret", 1, at(3)),
        page.reaction("p-1", "mid-1", Some("❤"), at(4)),
    ];
    office.tells(&told).await;
    let id = office.named("ours").await;
    office.on(&office.admin, "deleteConversation", &id).await;
    office.tells(&told).await;
    for event in &told {
        office.tells(std::slice::from_ref(event)).await;
    }
    // Neither does what was never told and is no message.
    office
        .tells(&[
            page.reaction("p-1", "mid-1", Some("👍"), at(5)),
            page.edit("p-1", "mid-1", "more secrets", 2, at(6)),
            page.unsend("p-1", "mid-1", at(7)),
            page.read("p-1", at(8), at(8)),
        ])
        .await;
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);
    assert_eq!(office.conversation(&anna, &id).await, Value::Null);
    assert_eq!(office.dead_letters().await, Vec::<Value>::new(), "no copy of it is kept either");
}

#[tokio::test]
async fn a_customer_who_writes_again_begins_a_new_life_with_an_empty_thread() {
    let (office, anna, bela) = open().await;
    office.writes("p-1", "mid-old", "secret", at(0)).await;
    let id = office.named("secret").await;
    office.assigns(&anna, &id, &bela).await;
    office.sees(&anna, &id).await;
    office.on(&anna, "closeConversation", &id).await;
    office.on(&office.admin, "deleteConversation", &id).await;

    office.goes_on("p-1", "me again", at(1)).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!(shown["incarnation"], 2);
    assert_eq!((&shown["section"], &shown["assignee"]), (&json!("UNASSIGNED"), &Value::Null));
    assert_eq!((&shown["messageCount"], &shown["unread"]), (&json!(1), &json!(true)));
    assert_eq!(office.said(&anna, &id).await, ["me again"]);
    assert_eq!(office.sections(&anna).await, [(1, 1), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(office.sections(&bela).await, [(1, 1), (0, 0), (0, 0), (0, 0)]);

    // The old message is still known, and still gone.
    office.writes("p-1", "mid-old", "secret", at(0)).await;
    assert_eq!(office.said(&anna, &id).await, ["me again"]);
    let page = office.page();
    office.tells(&[page.reply("p-1", "mid-new", "about that", "mid-old", true, at(2))]).await;
    assert_eq!(office.thread(&anna, &id).await[1]["replyTo"], Value::Null);

    // One from before the deletion that was never told belongs to the new life.
    office.goes_on("p-1", "was on its way", at(0) + 1).await;
    assert_eq!(office.said(&anna, &id).await, ["was on its way", "me again", "about that"]);

    // And a third life.
    office.on(&office.admin, "deleteConversation", &id).await;
    office.goes_on("p-1", "third", at(3)).await;
    assert_eq!(office.conversation(&anna, &id).await["incarnation"], 3);
    assert_eq!(office.said(&anna, &id).await, ["third"]);
}

#[tokio::test]
async fn a_new_life_knows_nothing_of_the_contact_but_what_it_was_told() {
    let (office, anna, _) = open().await;
    office.phones("whatsapp:+36301111111", "first").await;
    let id = office.named("first").await;
    office.on(&office.admin, "deleteConversation", &id).await;
    let contact = parlance_simulator::twilio::Contact { from: "whatsapp:+36301111111", name: "" };
    let nameless = office.number().message(&office.fresh_sid(), contact, "second").without("ProfileName");
    office.calls(&nameless).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!(shown["incarnation"], 2);
    assert_eq!(shown["contact"]["name"], Value::Null);
    assert_eq!(shown["contact"]["phone"], "+36301111111");
}

#[tokio::test]
async fn what_is_deleted_stays_so_over_a_crash() {
    let (mut office, anna, _) = open().await;
    office.writes("p-1", "mid-1", "secret", at(0)).await;
    let id = office.named("secret").await;
    let kept = office.begins("p-2", "kept", at(1)).await;
    office.assigns(&anna, &kept, &anna).await;
    office.on(&office.admin, "deleteConversation", &id).await;
    office.restart();
    assert_eq!(office.conversation(&anna, &id).await, Value::Null);
    office.writes("p-1", "mid-1", "secret", at(0)).await;
    assert_eq!(office.sections(&anna).await, [(0, 0), (1, 1), (0, 0), (0, 0)]);
    office.goes_on("p-1", "again", at(2)).await;
    assert_eq!(office.said(&anna, &id).await, ["again"]);
}

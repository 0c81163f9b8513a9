//! Assigning: who may hold a conversation, who holds it, and who was first.

use std::sync::Arc;

use parlance_tests::served::at;
use serde_json::{Value, json};

use super::{nothing, open};

const TRY: &str = "mutation($input: AssignConversationInput!) { assignConversation(input: $input) {
    conversation { assignee { id } } position
    errors { code path alreadyAssigned { assignee { id } by { id } at } } } }";

#[tokio::test]
async fn a_conversation_is_assigned_reassigned_and_given_back_by_anybody_with_access() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.assigns(&anna, &id, &anna).await;
    let held = office.conversation(&bela, &id).await;
    assert_eq!(held["assignee"]["id"], anna.id.as_str());
    assert!(held["assignedAt"].is_string());
    office.assigns(&bela, &id, &bela).await;
    office.assigns(&anna, &id, &office.admin).await;
    assert_eq!(office.conversation(&bela, &id).await["assignee"]["id"], office.admin.id.as_str());
    office.on(&bela, "unassignConversation", &id).await;
    let free = office.conversation(&bela, &id).await;
    assert_eq!((&free["assignee"], &free["assignedAt"]), (&Value::Null, &Value::Null));
    office.on(&bela, "unassignConversation", &id).await;
}

#[tokio::test]
async fn closed_conversations_are_assigned_too() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.on(&anna, "closeConversation", &id).await;
    office.assigns(&anna, &id, &anna).await;
    office.assigns(&anna, &id, &bela).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!((&shown["section"], &shown["assignee"]["id"]), (&json!("CLOSED"), &json!(bela.id)));
    office.on(&anna, "unassignConversation", &id).await;
    let shown = office.conversation(&anna, &id).await;
    assert_eq!((&shown["section"], &shown["assignee"]), (&json!("CLOSED"), &Value::Null));
}

#[tokio::test]
async fn who_expected_somebody_else_is_told_who_holds_it_by_whom_and_since_when() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.assigns(&anna, &id, &bela).await;
    let since = office.conversation(&anna, &id).await["assignedAt"].take();
    for expect in [Value::Null, json!(office.admin.id), json!(nothing("memb"))] {
        let input = json!({ "conversation": id, "assignee": anna.id, "expect": expect });
        let tried = office.ask(&office.admin, TRY, json!({ "input": input })).await;
        let told = json!({ "assignee": { "id": bela.id }, "by": { "id": anna.id }, "at": since });
        let error =
            json!({ "code": "ALREADY_ASSIGNED", "path": ["input", "expect"], "alreadyAssigned": told });
        let refused = json!({ "conversation": null, "position": null, "errors": [error] });
        assert_eq!(tried["assignConversation"], refused);
    }
    let unassign = json!({ "conversation": id, "expect": anna.id });
    assert_eq!(office.refused(&anna, "unassignConversation", unassign).await, "ALREADY_ASSIGNED");
    assert_eq!(office.conversation(&anna, &id).await["assignee"]["id"], bela.id.as_str());

    let right = json!({ "conversation": id, "assignee": anna.id, "expect": bela.id });
    office.does(&anna, "assignConversation", right).await;
    let right = json!({ "conversation": id, "expect": anna.id });
    office.does(&anna, "unassignConversation", right).await;
    let late = json!({ "conversation": id, "assignee": bela.id, "expect": anna.id });
    assert_eq!(office.refused(&anna, "assignConversation", late).await, "NOT_ASSIGNED");
    let free = json!({ "conversation": id, "assignee": bela.id, "expect": null });
    office.does(&anna, "assignConversation", free).await;
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_rules() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.assigns(&anna, &id, &bela).await;
    office.does(&bela, "setAvailability", json!({ "available": false })).await;
    let assign = |to: &str, expect: Value| json!({ "conversation": id, "assignee": to, "expect": expect });

    // Access before everything: the caller's, then the target's.
    let lost = json!({ "conversation": nothing("conv"), "assignee": nothing("memb"), "expect": null });
    assert_eq!(office.refused(&anna, "assignConversation", lost).await, "NOT_FOUND");
    let to_nobody = assign(&nothing("memb"), Value::Null);
    assert_eq!(office.refused(&anna, "assignConversation", to_nobody).await, "ASSIGNEE_WITHOUT_ACCESS");
    // The target holds it already: nothing happens, whatever was expected, and though they are away.
    let before = office.conversation(&anna, &id).await;
    let done = office.does(&anna, "assignConversation", assign(&bela.id, Value::Null)).await;
    assert!(done["position"].is_string());
    let after = office.conversation(&anna, &id).await;
    assert_eq!(after["changedAt"], before["changedAt"], "there was no event");
    assert_eq!(after["assignedAt"], before["assignedAt"]);
    // Taken by another before availability.
    office.does(&anna, "setAvailability", json!({ "available": false })).await;
    let taken = assign(&anna.id, Value::Null);
    assert_eq!(office.refused(&anna, "assignConversation", taken).await, "ALREADY_ASSIGNED");
    let away = assign(&anna.id, json!(bela.id));
    assert_eq!(office.refused(&anna, "assignConversation", away).await, "ASSIGNEE_UNAVAILABLE");
}

#[tokio::test]
async fn who_is_not_available_is_assigned_nothing_and_keeps_what_they_have() {
    let (office, anna, bela) = open().await;
    let held = office.begins("p-1", "held", at(0)).await;
    let free = office.begins("p-2", "free", at(1)).await;
    office.assigns(&anna, &held, &bela).await;
    let members = "{ members { nodes { id available } } }";
    let available = |shown: &Value, id: &str| {
        let nodes = shown["members"]["nodes"].as_array().expect("members");
        nodes.iter().find(|member| member["id"] == id).map(|member| member["available"].clone())
    };
    assert_eq!(available(&office.asks(&anna, members, json!({})).await, &bela.id), Some(json!(true)));
    office.does(&bela, "setAvailability", json!({ "available": false })).await;
    office.does(&bela, "setAvailability", json!({ "available": false })).await;
    assert_eq!(available(&office.asks(&anna, members, json!({})).await, &bela.id), Some(json!(false)));

    let input = json!({ "conversation": free, "assignee": bela.id });
    for by in [&anna, &office.admin, &bela] {
        assert_eq!(office.refused(by, "assignConversation", input.clone()).await, "ASSIGNEE_UNAVAILABLE");
    }
    assert_eq!(office.listed(&bela, "ASSIGNED_TO_ME").await, ["held"]);
    // An automatic reopen keeps them.
    office.on(&anna, "closeConversation", &held).await;
    office.goes_on("p-1", "held still", at(2)).await;
    assert_eq!(office.listed(&bela, "ASSIGNED_TO_ME").await, ["held still"]);
    // And a manual one does.
    office.on(&anna, "closeConversation", &held).await;
    office.on(&anna, "reopenConversation", &held).await;
    assert_eq!(office.listed(&bela, "ASSIGNED_TO_ME").await, ["held still"]);

    office.does(&bela, "setAvailability", json!({ "available": true })).await;
    office.assigns(&anna, &free, &bela).await;
}

#[tokio::test]
async fn nobody_is_assigned_who_is_not_an_active_member() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    let input = json!({ "email": "cili@example.hu", "name": "Cili", "permissions": [] });
    let invited = office.change(&office.admin, "inviteMember", "member { id }", input).await;
    office.does(&office.admin, "removeMember", json!({ "member": bela.id })).await;
    for to in [&invited["member"]["id"], &json!(bela.id)] {
        let input = json!({ "conversation": id, "assignee": to });
        assert_eq!(office.refused(&anna, "assignConversation", input).await, "ASSIGNEE_WITHOUT_ACCESS");
    }
    let input = json!({ "conversation": id, "assignee": id });
    assert_eq!(office.refused(&anna, "assignConversation", input).await, "INVALID_ID");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_who_take_a_free_conversation_exactly_one_has_it() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    let office = Arc::new(office);
    let people = [anna, bela, office.admin.clone()];
    let takers = (0..32).map(|number: usize| {
        let (office, person) = (Arc::clone(&office), people[number % people.len()].clone());
        let assignee = people[number % people.len()].id.clone();
        let input = json!({ "conversation": id, "assignee": assignee, "expect": null });
        tokio::spawn(async move {
            let tried = office.ask(&person, TRY, json!({ "input": input })).await;
            (assignee, tried["assignConversation"].clone())
        })
    });
    let mut winners = Vec::new();
    let mut losers = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        let (who, tried) = taker.await.expect("it is answered");
        match tried["errors"][0]["code"].as_str() {
            None => winners.push(who),
            Some(code) => losers.push((code.to_owned(), who, tried["errors"][0]["alreadyAssigned"].clone())),
        }
    }
    // A member may be several of the takers: whoever holds it already is told yes.
    winners.sort();
    winners.dedup();
    let [winner] = &winners[..] else { panic!("{winners:?}") };
    assert_eq!(office.conversation(&office.admin, &id).await["assignee"]["id"], winner.as_str());
    for (code, who, told) in losers {
        assert_eq!(code, "ALREADY_ASSIGNED");
        assert_ne!(&who, winner);
        assert_eq!(told["assignee"]["id"], winner.as_str());
        assert_eq!(told["by"]["id"], winner.as_str());
    }
}

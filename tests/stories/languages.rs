//! What goes wrong is told in the account's language, and every member sees the account's settings change.

use parlance_tests::served::{Office, Person, at};
use serde_json::{Value, json};

use super::{nothing, open};

async fn message(office: &Office, person: &Person, name: &str, input: Value) -> String {
    let payload = office.change(person, name, "", input).await;
    payload["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn errors_speak_the_accounts_language() {
    let (office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.does(&bela, "setAvailability", json!({ "available": false })).await;
    let lost = json!({ "conversation": nothing("conv") });
    let settings = json!({ "timeZone": "UTC" });
    let assign = json!({ "conversation": id, "assignee": bela.id });
    let english = message(&office, &anna, "closeConversation", lost.clone()).await;
    assert_eq!(english, "There is no such thing, or you have no access to it. Reload the page.");

    office.does(&office.admin, "updateAccount", json!({ "language": "HU" })).await;
    assert_eq!(
        message(&office, &anna, "closeConversation", lost.clone()).await,
        "Nincs ilyen, vagy nincs hozzáférésed. Töltsd újra az oldalt."
    );
    assert_eq!(
        message(&office, &anna, "updateAccount", settings).await,
        "Ehhez hozzáférés kell a fiók beállításaihoz. Kérd olyan tagtól, akinek van."
    );
    assert!(message(&office, &anna, "assignConversation", assign).await.contains("nem elérhető"));
    let long = json!({ "channel": office.messenger.id, "name": "x".repeat(201) });
    let told = message(&office, &office.admin, "renameChannel", long).await;
    assert_eq!(told, "Ez túl hosszú. Legfeljebb 200 karakter lehet.");
    // Queries too.
    let query = "{ conversations(section: CLOSED, first: 0) { nodes { id } } }";
    let answer = office.served.graphql(Some(&anna.token), query, json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "Egy oldalon 1–100 elem lehet. Ezek közötti számot adj meg.");
    // Another company reads its own.
    let (_, stranger) = office.another_account();
    assert_eq!(message(&office, &stranger, "closeConversation", lost.clone()).await, english);

    office.does(&office.admin, "updateAccount", json!({ "language": "EN" })).await;
    assert_eq!(message(&office, &anna, "closeConversation", lost).await, english);
}

#[tokio::test]
async fn settings_change_one_by_one_and_for_everybody() {
    let (office, anna, _) = open().await;
    let query = "{ account { name language timeZone } }";
    let account = |name: &str, language: &str, zone: &str| json!({ "account": { "name": name, "language": language, "timeZone": zone } });
    assert_eq!(office.asks(&anna, query, json!({})).await, account("Példa Kft.", "EN", "Europe/Budapest"));
    office.does(&office.admin, "updateAccount", json!({ "name": "Minta Kft." })).await;
    office.does(&office.admin, "updateAccount", json!({ "language": "HU", "name": null })).await;
    office.does(&office.admin, "updateAccount", json!({ "timeZone": "America/New_York" })).await;
    assert_eq!(office.asks(&anna, query, json!({})).await, account("Minta Kft.", "HU", "America/New_York"));
    for (input, code) in [
        (json!({ "timeZone": "Mars/Olympus" }), "UNKNOWN_TIME_ZONE"),
        (json!({ "name": "" }), "EMPTY"),
        (json!({ "name": "a\nb" }), "CONTROL_CHARACTER"),
    ] {
        assert_eq!(office.refused(&office.admin, "updateAccount", input).await, code);
    }
    assert_eq!(office.asks(&anna, query, json!({})).await, account("Minta Kft.", "HU", "America/New_York"));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let (mut office, anna, bela) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    office.assigns(&anna, &id, &bela).await;
    office.sees(&anna, &id).await;
    let before = (office.sections(&anna).await, office.conversation(&bela, &id).await);
    office.restart();
    assert_eq!((office.sections(&anna).await, office.conversation(&bela, &id).await), before);
    office.goes_on("p-1", "Itt vagy?", at(1)).await;
    assert_eq!(office.sections(&anna).await[2], (1, 1));
}

//! Connecting pages and numbers: only with credentials that the provider takes, and for ever the same channel.

use parlance_simulator::Messenger;
use parlance_tests::served::{ACCOUNT_SID, APP_SECRET, NUMBER, PAGE, PAGE_TOKEN, at};
use serde_json::{Value, json};

use super::{nothing, open};

const SECOND: &str = "111222333444555";

/// An input with one field changed; null takes it out.
fn but(mut input: Value, field: &str, value: Value) -> Value {
    input[field] = value;
    input
}

#[tokio::test]
async fn credentials_that_the_provider_refuses_connect_nothing() {
    let (office, _, _) = open().await;
    let before = office.head().await;
    let (page, number) = (office.page_input(), office.number_input());
    for (input, code) in [
        (but(page.clone(), "access", json!("EAAwrong")), "CREDENTIALS_REFUSED"),
        (but(page.clone(), "signingSecret", json!("wrong")), "CREDENTIALS_REFUSED"),
        (but(page.clone(), "providerId", json!(SECOND)), "CREDENTIALS_REFUSED"),
        (but(page.clone(), "access", Value::Null), "ACCESS_MISSING"),
        (but(page.clone(), "access", json!("  ")), "ACCESS_MISSING"),
        (
            but(but(page.clone(), "providerId", json!(SECOND)), "signingSecret", Value::Null),
            "SIGNING_SECRET_MISSING",
        ),
        (but(page.clone(), "providerId", json!("the page")), "NOT_A_PROVIDER_ID"),
        (but(page.clone(), "name", json!("two\nlines")), "CONTROL_CHARACTER"),
        (but(page.clone(), "connection", json!(nothing("conn"))), "NOT_FOUND"),
        (but(page.clone(), "connection", json!(office.whatsapp.connection)), "CONNECTION_MISMATCH"),
        (but(page.clone(), "connection", json!(PAGE)), "INVALID_ID"),
        (but(number.clone(), "signingSecret", json!("wrong")), "CREDENTIALS_REFUSED"),
        (but(number.clone(), "providerId", json!("+36301234567")), "CREDENTIALS_REFUSED"),
        (but(number.clone(), "access", Value::Null), "ACCESS_MISSING"),
        (but(number.clone(), "signingSecret", Value::Null), "SIGNING_SECRET_MISSING"),
        (but(number.clone(), "providerId", json!("12")), "NOT_A_PROVIDER_ID"),
    ] {
        assert_eq!(office.refused(&office.admin, "connectChannel", input.clone()).await, code, "{input}");
    }
    assert_eq!(office.head().await, before, "nothing happened");
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_no_refusal() {
    let (office, _, _) = open().await;
    // Nobody listens there any more.
    let office = office.without_providers();
    let code = office.refused(&office.admin, "connectChannel", office.page_input()).await;
    assert_eq!(code, "PROVIDER_UNAVAILABLE");
}

#[tokio::test]
async fn a_second_page_joins_the_connection_of_its_app() {
    let (office, anna, _) = open().await;
    office.providers.knows_also(SECOND, "EAAsecond");
    let input = json!({ "kind": "MESSENGER", "providerId": SECOND, "access": "EAAsecond", "name": "Second",
        "connection": office.messenger.connection });
    let connected = office.connects(&office.admin, input).await;
    assert_eq!(connected["errors"], json!([]));
    assert_eq!(connected["connection"]["id"], office.messenger.connection.as_str());
    assert_eq!(connected["connection"]["webhookUrl"], office.messenger.webhook_url.as_str());
    let query = "{ connections { id channels { name } } }";
    let shown = office.asks(&office.admin, query, json!({})).await;
    let held = shown["connections"].as_array().expect("connections").iter();
    let of_meta = held.clone().find(|c| c["id"] == office.messenger.connection.as_str()).expect("Meta's");
    assert_eq!(of_meta["channels"].as_array().map(Vec::len), Some(2));

    // One address, one body, two pages, and a contact of the same id in both: two conversations.
    let (first, second) = (office.page(), Messenger::new(APP_SECRET, SECOND));
    let mut entries = first.entries(&[first.message("p-1", "mid-1", "to the first", at(0))]);
    entries.extend(second.entries(&[second.message("p-1", "mid-1", "to the second", at(1))]));
    let request = first.sign(parlance_simulator::messenger::body(&entries));
    office.delivers(&office.messenger, &request).await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["to the second", "to the first"]);
}

#[tokio::test]
async fn connected_again_a_page_is_the_same_channel_with_another_installer() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    let rename = json!({ "channel": office.messenger.id, "name": "Our page" });
    office.does(&office.admin, "renameChannel", rename).await;

    // Stored credentials do not count: they have to be typed, and be right.
    let known = json!({ "kind": "MESSENGER", "providerId": PAGE, "connection": office.messenger.connection });
    assert_eq!(office.refused(&dora, "connectChannel", known.clone()).await, "ACCESS_MISSING");
    let wrong = but(known.clone(), "access", json!("EAAwrong"));
    assert_eq!(office.refused(&dora, "connectChannel", wrong).await, "CREDENTIALS_REFUSED");
    let number =
        json!({ "kind": "WHATSAPP_TWILIO", "providerId": NUMBER, "connection": office.whatsapp.connection });
    assert_eq!(office.refused(&dora, "connectChannel", number.clone()).await, "SIGNING_SECRET_MISSING");
    let sid_alone = but(number, "access", json!(ACCOUNT_SID));
    assert_eq!(office.refused(&dora, "connectChannel", sid_alone).await, "SIGNING_SECRET_MISSING");
    assert_eq!(office.conversation(&dora, &id).await["mayDelete"], false);

    let connected = office.connects(&dora, but(known, "access", json!(PAGE_TOKEN))).await;
    assert_eq!(connected["errors"], json!([]));
    assert_eq!(connected["channel"]["id"], office.messenger.id.as_str(), "the same page is the same channel");
    assert_eq!(connected["connection"]["webhookUrl"], office.messenger.webhook_url.as_str());
    let query = "query($id: ID!) { node(id: $id) { ... on Channel { name installer { id } } } }";
    let shown = office.asks(&anna, query, json!({ "id": office.messenger.id })).await;
    assert_eq!(shown["node"], json!({ "name": "Our page", "installer": { "id": dora.id } }));
    assert_eq!(office.conversation(&dora, &id).await["mayDelete"], true);
    let input = json!({ "conversation": id });
    assert_eq!(office.refused(&office.admin, "deleteConversation", input).await, "ONLY_INSTALLER");

    // So it was taken over from a member who may now be removed, once the number is handed over too.
    let over = json!({ "channel": office.whatsapp.id, "member": dora.id });
    office.does(&office.admin, "handOverChannel", over).await;
    office.does(&dora, "removeMember", json!({ "member": office.admin.id })).await;
}

#[tokio::test]
async fn who_reconnects_a_private_channel_sees_it_and_the_one_before_does_not() {
    let (office, _, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    let private = json!({ "channel": office.messenger.id, "visibility": "PRIVATE" });
    office.does(&office.admin, "setChannelVisibility", private).await;
    assert_eq!(office.conversation(&dora, &id).await, Value::Null);
    // Its visibility stays as it was, whatever the form says by default.
    assert_eq!(office.connects(&dora, office.page_input()).await["errors"], json!([]));
    assert_eq!(office.conversation(&dora, &id).await["lastMessage"]["text"], "Szia!");
    assert_eq!(office.conversation(&office.admin, &id).await, Value::Null);
}

#[tokio::test]
async fn a_disconnected_channel_keeps_its_conversations_and_takes_no_messages() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "Szia!", at(0)).await;
    let disconnect = json!({ "channel": office.messenger.id });
    office.does(&office.admin, "disconnectChannel", disconnect.clone()).await;
    office.does(&office.admin, "disconnectChannel", disconnect).await;
    // Answered 200, kept, and not lost.
    office.goes_on("p-1", "while away", at(1)).await;
    office.goes_on("p-2", "also while away", at(2)).await;
    let letters = office.dead_letters().await;
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter["because"] == "UNKNOWN_CHANNEL"));
    assert_eq!(office.said(&anna, &id).await, ["Szia!"]);
    assert_eq!(office.sections(&anna).await[0], (1, 1));
    let query = "query($id: ID!) { node(id: $id) { ... on Channel { health } } }";
    let channel = json!({ "id": office.messenger.id });
    assert_eq!(office.asks(&anna, query, channel.clone()).await["node"]["health"], "DISCONNECTED");
    // What is there can be worked on.
    office.assigns(&anna, &id, &anna).await;
    office.on(&anna, "closeConversation", &id).await;

    assert_eq!(office.connects(&office.admin, office.page_input()).await["errors"], json!([]));
    assert_eq!(office.asks(&anna, query, channel).await["node"]["health"], "CONNECTED");
    office.goes_on("p-1", "back again", at(3)).await;
    assert_eq!(office.said(&anna, &id).await, ["Szia!", "back again"]);
    assert_eq!(office.conversation(&anna, &id).await["section"], "ASSIGNED_TO_ME");
}

#[tokio::test]
async fn a_closed_kind_is_not_offered_and_what_is_connected_goes_on() {
    let (mut office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let kinds = "{ channelKinds { kind open } }";
    let both = json!([{ "kind": "MESSENGER", "open": true }, { "kind": "WHATSAPP_TWILIO", "open": true }]);
    assert_eq!(office.asks(&anna, kinds, json!({})).await["channelKinds"], both);
    office.phones("whatsapp:+36301111111", "before").await;
    office.restart_with(&["--closed-kinds", "whatsapp_twilio"]);
    let one = json!([{ "kind": "MESSENGER", "open": true }]);
    assert_eq!(office.asks(&anna, kinds, json!({})).await["channelKinds"], one);

    // New customers' numbers are refused, before anybody is asked about them.
    let new = but(office.number_input(), "providerId", json!("+36209876543"));
    assert_eq!(office.refused(&office.admin, "connectChannel", new.clone()).await, "KIND_CLOSED");
    let (_, stranger) = office.another_account();
    assert_eq!(office.refused(&stranger, "connectChannel", office.number_input()).await, "KIND_CLOSED");
    assert_eq!(office.refused(&anna, "connectChannel", new).await, "NOT_PERMITTED");
    // Existing ones go on, disconnecting and reconnecting included.
    office.phones("whatsapp:+36302222222", "after").await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["after", "before"]);
    let channel = json!({ "channel": office.whatsapp.id });
    office.does(&office.admin, "disconnectChannel", channel).await;
    assert_eq!(office.connects(&dora, office.number_input()).await["errors"], json!([]));
    office.phones("whatsapp:+36302222222", "after that").await;
    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["after that", "before"]);
    // The other kind is open.
    assert_eq!(office.connects(&office.admin, office.page_input()).await["errors"], json!([]));
}

#[tokio::test]
async fn channels_are_renamed_and_named_as_the_provider_calls_them_at_first() {
    let (office, anna, _) = open().await;
    let query = "{ channels { name } }";
    let names = office.asks(&anna, query, json!({})).await;
    assert!(names.to_string().contains("Példa oldal"), "{names}");
    let rename = |name: &str| json!({ "channel": office.messenger.id, "name": name });
    office.does(&office.admin, "renameChannel", rename("Ügyfélszolgálat")).await;
    let names = office.asks(&anna, query, json!({})).await;
    assert!(names.to_string().contains("Ügyfélszolgálat") && !names.to_string().contains("Példa"), "{names}");
    for (name, code) in [("", "EMPTY"), (&"x".repeat(201), "TOO_LONG"), ("a\u{7}b", "CONTROL_CHARACTER")] {
        assert_eq!(office.refused(&office.admin, "renameChannel", rename(name)).await, code);
    }
    let lost = json!({ "channel": nothing("chan"), "name": "Mine" });
    assert_eq!(office.refused(&office.admin, "renameChannel", lost).await, "NOT_FOUND");
}

#[tokio::test]
async fn metas_handshake_is_answered_to_whoever_knows_the_verify_token() {
    let (office, _, _) = open().await;
    let (url, sender) = (office.messenger.webhook_url.clone(), office.served.sender());
    let token = office.messenger.verify_token.clone().expect("a verify token");
    assert!(sender.handshake(&url, &token, "1158201444").await.expect("an answer"));
    for wrong in ["", "wrong", &token[1..], &format!("{token}x")] {
        let answer = sender.subscribe(&url, "subscribe", wrong, "1158201444").await.expect("an answer");
        assert_eq!(answer.status, 403);
        assert!(!answer.body.contains("1158201444"), "the challenge is not told");
    }
    let other = sender.subscribe(&url, "unsubscribe", &token, "1158201444").await.expect("an answer");
    assert_eq!(other.status, 403);
    let bare = office.served.get(url.trim_start_matches(&office.served.url(""))).await;
    assert_eq!(bare.0, 403);
    let nowhere = office.served.url("/webhooks/x");
    let answer = sender.subscribe(&nowhere, "subscribe", &token, "1").await.expect("an answer");
    assert_eq!(answer.status, 404);
    // Twilio shakes no hands.
    let answer =
        sender.subscribe(&office.whatsapp.webhook_url, "subscribe", "", "1").await.expect("an answer");
    assert_eq!((answer.status, office.whatsapp.verify_token.clone()), (403, None));
    assert!(office.whatsapp.webhook_url.ends_with("#rc=5&rp=all"), "{}", office.whatsapp.webhook_url);
}

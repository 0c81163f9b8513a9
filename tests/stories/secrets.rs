//! Signing secrets are replaced without losing a message: the one before counts until the next replacement.

use parlance_simulator::{Messenger, Request, Twilio, twilio};
use parlance_tests::served::{ACCOUNT_SID, APP_SECRET, AUTH_TOKEN, NUMBER, Office, PAGE, at};
use serde_json::{Value, json};

use super::{nothing, open};

/// A body that a page signs with that secret.
fn signed(secret: &str, text: &str, minute: u64) -> Request {
    let page = Messenger::new(secret, PAGE);
    page.deliver(&[page.message("p-1", text, text, at(minute))])
}

async fn status(office: &Office, secret: &str, minute: u64) -> u16 {
    office.send(&office.messenger, &signed(secret, &format!("{secret} {minute}"), minute)).await.status
}

async fn rotation(office: &Office) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on ProviderApplication { rotatedAt
        previousSecretAccepted } } }";
    office.asks(&office.admin, query, json!({ "id": office.messenger.connection })).await["node"].take()
}

#[tokio::test]
async fn a_rotated_secret_and_the_one_before_are_accepted_until_the_next() {
    let (office, anna, _) = open().await;
    assert_eq!(rotation(&office).await, json!({ "rotatedAt": null, "previousSecretAccepted": false }));
    let rotate = |secret: &str| json!({ "connection": office.messenger.connection, "signingSecret": secret });
    // A secret that is not the app's would push out the one in use.
    assert_eq!(
        office.refused(&office.admin, "rotateSecrets", rotate("mistyped")).await,
        "CREDENTIALS_REFUSED"
    );
    assert_eq!(office.refused(&office.admin, "rotateSecrets", rotate("  ")).await, "SIGNING_SECRET_MISSING");
    assert_eq!(status(&office, APP_SECRET, 0).await, 200);

    office.providers.rotate("second", AUTH_TOKEN);
    office.does(&office.admin, "rotateSecrets", rotate("second")).await;
    // Asked again, perhaps because the answer was lost: nothing is pushed out.
    office.does(&office.admin, "rotateSecrets", rotate("second")).await;
    assert_eq!(rotation(&office).await["previousSecretAccepted"], true);
    assert!(rotation(&office).await["rotatedAt"].is_string());
    assert_eq!(status(&office, APP_SECRET, 1).await, 200);
    assert_eq!(status(&office, "second", 2).await, 200);
    assert_eq!(status(&office, "third", 3).await, 403);

    office.providers.rotate("third", AUTH_TOKEN);
    office.does(&office.admin, "rotateSecrets", rotate("third")).await;
    assert_eq!(status(&office, APP_SECRET, 4).await, 403);
    assert_eq!(status(&office, "second", 5).await, 200);
    assert_eq!(status(&office, "third", 6).await, 200);
    let said = office.said(&anna, &office.named("third 6").await).await;
    assert_eq!(said, ["app secret 0", "app secret 1", "second 2", "second 5", "third 6"]);
}

#[tokio::test]
async fn reconnecting_with_a_new_token_rotates_the_numbers_secret() {
    let (office, anna, _) = open().await;
    office.providers.rotate(APP_SECRET, "new token");
    let mut input = office.number_input();
    assert_eq!(
        office.connects(&office.admin, input.clone()).await["errors"][0]["code"],
        "CREDENTIALS_REFUSED"
    );
    input["signingSecret"] = json!("new token");
    let connected = office.connects(&office.admin, input).await;
    assert_eq!(connected["errors"], json!([]));
    assert_eq!(
        connected["connection"]["webhookUrl"],
        office.whatsapp.webhook_url.as_str(),
        "the address stays"
    );
    let contact = twilio::Contact { from: "whatsapp:+36301111111", name: "Z" };
    for token in [AUTH_TOKEN, "new token"] {
        let number = Twilio::new(ACCOUNT_SID, token, NUMBER);
        let event = number.message(&office.fresh_sid(), contact, token);
        office.delivers(&office.whatsapp, &number.deliver(&office.whatsapp.webhook_url, &event)).await;
    }
    assert_eq!(office.said(&anna, &office.named("new token").await).await, [AUTH_TOKEN, "new token"]);
}

#[tokio::test]
async fn secrets_are_rotated_where_there_is_a_connection() {
    let (office, _, _) = open().await;
    let input = json!({ "connection": nothing("conn"), "signingSecret": "x" });
    assert_eq!(office.refused(&office.admin, "rotateSecrets", input).await, "NOT_FOUND");
    let input = json!({ "connection": office.messenger.id, "signingSecret": "x" });
    assert_eq!(office.refused(&office.admin, "rotateSecrets", input).await, "INVALID_ID");
    // Of a connection that has no channel any more nothing can be tried: it is taken as typed.
    office.does(&office.admin, "disconnectChannel", json!({ "channel": office.messenger.id })).await;
    let input = json!({ "connection": office.messenger.connection, "signingSecret": "typed" });
    office.does(&office.admin, "rotateSecrets", input).await;
    assert_eq!(status(&office, APP_SECRET, 0).await, 200, "kept, and answered");
    assert_eq!(office.dead_letters().await.len(), 1);
}

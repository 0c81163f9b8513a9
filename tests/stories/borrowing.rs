//! What one member installed is not another's to borrow: a connection's secrets, a number that everybody has.

use parlance_simulator::{
    Messenger,
    api::{Number, Page},
};
use parlance_tests::served::{ACCOUNT_SID, APP_SECRET, AUTH_TOKEN, NUMBER, PAGE, PAGE_TOKEN, at};
use serde_json::json;

use super::open;

const OWN_PAGE: &str = "999888777666555";
const SANDBOX: &str = "whatsapp:+14155238886";
const OTHER_SID: &str = "ACfedcba9876543210fedcba9876543210";

fn page(id: &str, app_secret: &str, access_token: &str) -> Page {
    Page {
        id: id.to_owned(),
        name: "Oldal".to_owned(),
        app_secret: app_secret.to_owned(),
        access_token: access_token.to_owned(),
    }
}

fn number(number: &str, account_sid: &str, auth_token: &str) -> Number {
    Number {
        number: number.to_owned(),
        account_sid: account_sid.to_owned(),
        auth_token: auth_token.to_owned(),
    }
}

#[tokio::test]
async fn a_named_connection_is_not_given_the_secrets_of_another_application() {
    let (office, _, _) = open().await;
    let cili = office.member("cili@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let known = [page(PAGE, APP_SECRET, PAGE_TOKEN), page(OWN_PAGE, "her own app's", "EAAown")];
    office.providers.api.set(known, [number(NUMBER, ACCOUNT_SID, AUTH_TOKEN)]);
    // Her page, her app, valid all through; and somebody else's connection.
    let input = json!({
        "kind": "MESSENGER", "providerId": OWN_PAGE, "connection": office.messenger.connection,
        "signingSecret": "her own app's", "access": "EAAown",
    });
    let refused = office.connects(&cili, input).await;
    assert_eq!(refused["errors"][0]["code"], "CREDENTIALS_REFUSED", "{refused}");
    let forger = Messenger::new("her own app's", PAGE);
    let forged = forger.deliver(&[forger.message("psid-1", "mid-1", "forged", at(0))]);
    assert_eq!(office.send(&office.messenger, &forged).await.status, 403);
    office.begins("psid-1", "genuine", at(1)).await;
}

#[tokio::test]
async fn another_page_of_one_application_joins_its_connection_by_itself() {
    let (office, anna, _) = open().await;
    office.providers.knows_also(OWN_PAGE, "EAAown");
    let input = json!({
        "kind": "MESSENGER", "providerId": OWN_PAGE, "signingSecret": APP_SECRET, "access": "EAAown",
    });
    let joined = office.connects(&office.admin, input).await;
    assert_eq!(joined["connection"]["id"], office.messenger.connection.as_str(), "{joined}");
    // An application has one webhook address: what comes there for either page arrives.
    let second = Messenger::new(APP_SECRET, OWN_PAGE);
    let told = second.deliver(&[second.message("psid-2", "mid-2", "by the second page", at(0))]);
    office.delivers(&office.messenger, &told).await;
    assert_eq!(office.sections(&anna).await[0], (1, 1));
}

#[tokio::test]
async fn the_sandbox_stays_with_the_account_that_connected_it() {
    let (office, _, _) = open().await;
    let cili = office.member("cili@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let numbers =
        [number(NUMBER, ACCOUNT_SID, AUTH_TOKEN), number("whatsapp:+3699999999", OTHER_SID, "her own token")];
    office.providers.api.set([page(PAGE, APP_SECRET, PAGE_TOKEN)], numbers);
    let sandbox = |sid: &str, token: &str| {
        json!({
            "kind": "WHATSAPP_TWILIO", "providerId": SANDBOX, "signingSecret": token, "access": sid,
            "visibility": "PRIVATE",
        })
    };
    let connected = office.connects(&office.admin, sandbox(ACCOUNT_SID, AUTH_TOKEN)).await;
    assert_eq!(connected["errors"], json!([]));
    // Everybody has that number: an account of one's own proves nothing.
    let taken = office.connects(&cili, sandbox(OTHER_SID, "her own token")).await;
    assert_eq!(taken["errors"][0]["code"], "CREDENTIALS_REFUSED", "{taken}");
    let again = office.connects(&office.admin, sandbox(ACCOUNT_SID, AUTH_TOKEN)).await;
    assert_eq!(again["errors"], json!([]));
}

#[tokio::test]
async fn of_two_secrets_rotated_in_at_once_both_are_believed() {
    let (office, _, _) = open().await;
    // Nothing is connected that the new secrets could be tried on: what is told first must not be lost.
    let input = json!({ "channel": office.messenger.id });
    office.does(&office.admin, "disconnectChannel", input).await;
    let rotate = |secret: &str| {
        let input = json!({ "connection": office.messenger.connection, "signingSecret": secret });
        office.does(&office.admin, "rotateSecrets", input)
    };
    tokio::join!(rotate("one"), rotate("two"));
    for secret in ["one", "two"] {
        let page = Messenger::new(secret, PAGE);
        let told = page.deliver(&[page.message("psid-1", &format!("mid-{secret}"), "kept", at(0))]);
        assert_eq!(office.send(&office.messenger, &told).await.status, 200, "{secret}");
    }
}

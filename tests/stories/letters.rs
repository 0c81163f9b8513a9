//! What cannot be taken: kept alone where it is authentic, visible to operators, refused where it is not.

use parlance_simulator::{Messenger, Request, messenger::Json, twilio};
use parlance_tests::served::{APP_SECRET, at};
use serde_json::{Value, json};

use super::open;

#[tokio::test]
async fn a_bad_event_costs_its_neighbours_nothing() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let bad = page.of_contact("p-2", at(1), "message", Json::object([("text", "no mid".into())]));
    let strange = page.referral("p-2", "poster", at(2));
    let stranger = Messenger::new(APP_SECRET, "999999999999999").message("p-9", "mid-9", "who?", at(3));
    let mut entries = page.entries(&[
        page.message("p-1", "mid-1", "before", at(0)),
        bad,
        page.message("p-2", "mid-2", "between", at(1)),
        strange,
        page.feed_comment("p-8", "nice page", at(2)),
        page.message("p-3", "mid-3", "after", at(2)),
    ]);
    let mut elsewhere = page.entries(&[stranger]);
    elsewhere[0].page_id = "999999999999999".to_owned();
    entries.append(&mut elsewhere);
    entries.extend(page.entries(&[page.message("p-4", "mid-4", "last", at(3))]));
    let request = page.sign(parlance_simulator::messenger::body(&entries));
    office.delivers(&office.messenger, &request).await;

    assert_eq!(office.listed(&anna, "UNASSIGNED").await, ["last", "after", "between", "before"]);
    let because = |letters: &[Value]| {
        let mut because: Vec<_> =
            letters.iter().map(|l| l["because"].as_str().unwrap_or("").to_owned()).collect();
        because.sort();
        because
    };
    let kept = ["UNKNOWN_CHANNEL", "UNKNOWN_KIND", "UNKNOWN_KIND", "UNPARSABLE"];
    let letters = office.dead_letters().await;
    assert_eq!(because(&letters), kept);
    assert!(
        letters
            .iter()
            .all(|l| l["fate"] == "KEPT" && l["connectionId"] == office.messenger.connection.as_str())
    );

    // Meta sends all of it again: nothing comes twice, and nothing is kept twice.
    office.delivers(&office.messenger, &request).await;
    assert_eq!(office.sections(&anna).await[0], (4, 4));
    assert_eq!(because(&office.dead_letters().await), kept);
}

#[tokio::test]
async fn a_body_that_is_authentic_and_makes_no_sense_is_kept() {
    let (office, anna, _) = open().await;
    let page = office.page();
    for body in ["", "{", "[]", r#"{"object":"page"}"#, r#"{"object":"instagram","entry":[]}"#] {
        office.delivers(&office.messenger, &page.sign(body)).await;
    }
    let letters = office.dead_letters().await;
    assert_eq!(letters.len(), 5, "{letters:?}");
    let contact = twilio::Contact { from: "whatsapp:+36301111111", name: "Z" };
    let strange = office.number().message(&office.fresh_sid(), contact, "?").without("MessageSid");
    office.calls(&strange.without("SmsSid").without("SmsMessageSid")).await;
    let elsewhere =
        office.number().message(&office.fresh_sid(), contact, "?").with("To", "whatsapp:+36309999999");
    office.calls(&elsewhere).await;
    let letters = office.dead_letters().await;
    assert_eq!(letters[0]["because"], "UNKNOWN_CHANNEL");
    assert_eq!(letters[1]["because"], "UNPARSABLE");
    assert_eq!(letters[0]["connectionId"], office.whatsapp.connection.as_str());
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);
}

#[tokio::test]
async fn dead_letters_are_for_operators_and_members_things_are_not() {
    let (office, anna, _) = open().await;
    let query = "query($account: ID!) { deadLetters(account: $account) { nodes { id } } }";
    let variables = json!({ "account": office.account });
    for token in [&anna.token, &office.admin.token] {
        assert_eq!(office.failing(Some(token), query, variables.clone()).await, "OPERATORS_ONLY");
    }
    assert_eq!(office.failing(None, query, variables).await, "UNAUTHENTICATED");
    let operator = office.operator();
    let sections = "{ sections { section } }";
    assert_eq!(office.failing(Some(&operator), sections, json!({})).await, "MEMBERS_ONLY");
    let close = "mutation($id: ID!) { closeConversation(input: { conversation: $id }) { position } }";
    let id = office.begins("p-1", "Szia!", at(0)).await;
    assert_eq!(office.failing(Some(&operator), close, json!({ "id": id })).await, "MEMBERS_ONLY");
    let nobody = office.served.ask(&operator, query, json!({ "account": super::nothing("acct") })).await;
    assert_eq!(nobody["deadLetters"], Value::Null);
    let forged = operator.replace("pro_", "pro_A");
    assert_eq!(office.failing(Some(&forged), sections, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn what_is_not_signed_as_it_must_be_is_refused_and_leaves_nothing() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let request = page.deliver(&[page.message("p-1", "mid-1", "forged", at(0))]);
    let forged = [
        request.clone().without_header("X-Hub-Signature-256"),
        request.clone().with_header("X-Hub-Signature-256", "sha256="),
        request.clone().with_body("{}"),
        Messenger::new("another secret", &page.page_id).sign(request.body.clone()),
        // The older signature alone is not enough.
        request.clone().without_header("X-Hub-Signature-256").with_header("X-Hub-Signature", "sha1=00"),
    ];
    for request in &forged {
        assert_eq!(office.send(&office.messenger, request).await.status, 403);
    }

    let contact = twilio::Contact { from: "whatsapp:+36301111111", name: "Z" };
    let event = office.number().message(&office.fresh_sid(), contact, "forged");
    let url = &office.whatsapp.webhook_url;
    let mut other = office.number();
    other.auth_token = "another token".to_owned();
    let forged: [Request; 3] = [
        other.deliver(url, &event),
        office.number().deliver("https://elsewhere.example/webhooks/x", &event),
        office.number().deliver(url, &event).without_header("X-Twilio-Signature"),
    ];
    for request in &forged {
        assert_eq!(office.send(&office.whatsapp, request).await.status, 403);
    }
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);
    assert_eq!(office.dead_letters().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_address_that_is_none_is_no_address_whatever_it_looks_like() {
    let (office, _, _) = open().await;
    let page = office.page();
    let request = page.deliver(&[page.message("p-1", "mid-1", "lost", at(0))]);
    let known = office.messenger.webhook_url.clone();
    let other_secret = {
        let mut letters = known.clone();
        let last = if letters.ends_with('A') { 'B' } else { 'A' };
        letters.pop();
        letters.push(last);
        letters
    };
    for url in [office.served.url("/webhooks/x"), other_secret, format!("{known}x")] {
        let answer = office.served.sender().send(&url, &request).await.expect("it is answered");
        assert_eq!(answer.status, 404, "{url}");
    }
}

#[tokio::test]
async fn a_body_for_one_connection_is_no_body_for_another() {
    let (office, anna, _) = open().await;
    // The page's signature is none where the number's connection is addressed.
    let page = office.page();
    let request = page.deliver(&[page.message("p-1", "mid-1", "stray", at(0))]);
    assert_eq!(office.send(&office.whatsapp, &request).await.status, 403);
    assert_eq!(office.sections(&anna).await, [(0, 0); 4]);
}

#[tokio::test]
async fn what_was_taken_and_kept_is_measured() {
    let (office, _, _) = open().await;
    office.begins("p-1", "taken", at(0)).await;
    office.tells(&[office.page().referral("p-1", "poster", at(1))]).await;
    // Answered once all of it is shown.
    office.asks(&office.admin, "{ account { id } }", json!({})).await;
    let (status, text) = office.served.get("/metrics").await;
    assert_eq!(status, 200);
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("{name} is not in {text}"))
    };
    assert!((value(r#"parlance_told_total{kind="messenger",outcome="recorded"}"#) - 1.0).abs() < 0.1);
    assert!((value(r#"parlance_deliveries_kept_total{because="unknown_kind"}"#) - 1.0).abs() < 0.1);
    assert!((value(r#"parlance_webhook_requests_total{outcome="taken"}"#) - 2.0).abs() < 0.1);
    for name in
        ["parlance_events_appended_total", "parlance_batch_commands_count", "parlance_append_seconds_count"]
    {
        assert!(value(name) > 0.0, "{name}");
    }
    assert!(value("parlance_projection_lag_seconds_count") > 0.0);
    assert!(value("parlance_queue_length").abs() < 0.1, "nothing waits");
    assert!(value("parlance_projection_behind_events").abs() < 0.1, "everything is shown");
}

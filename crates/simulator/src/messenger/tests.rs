//! What a body of Meta's looks like, byte for byte where it was published.

use serde_json::Value;

use super::*;

const PAGE: &str = "682498302938465";

fn page() -> Messenger {
    Messenger::new("test_app_secret", PAGE)
}

fn read(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("a body is JSON")
}

#[test]
fn a_body_has_the_documented_bytes_and_signature() {
    let mut event =
        page().message("PSID1", "mid.$cAAJdkrCd2ORnva8ErFhjGm0X_Q_c", "hello, world!", 1_518_479_195_308);
    event.at_ms = 1_518_479_195_594;
    let request = page().deliver(&[event]);
    assert_eq!(request.body.len(), 254);
    assert_eq!(
        request.header("x-hub-signature-256"),
        Some("sha256=850ec7415b74ca1c4ad0258108aee154327955d5eb50095ec69a132fbb2d6deb")
    );
}

#[test]
fn a_body_is_signed_in_its_escaped_form() {
    let request = page().deliver(&[page().message("1", "m_1", "Jó napot / €", 5)]);
    let text = std::str::from_utf8(&request.body).unwrap();
    assert!(text.is_ascii() && text.contains(r"J\u00f3 napot \/ \u20ac"), "{text}");
    let again = serde_json::to_vec(&read(&request)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&again).unwrap(), read(&request), "it means the same");
    assert_ne!(again, request.body, "but it is not the same bytes");
    assert_ne!(
        Some(signature::meta("test_app_secret", &again).as_str()),
        request.header("X-Hub-Signature-256")
    );
}

#[test]
fn neighbours_of_one_contact_share_an_entry() {
    let page = page();
    let request = page.deliver(&[
        page.message("1", "m_1", "a", 10),
        page.message("1", "m_2", "b", 20),
        page.message("2", "m_3", "c", 30),
        page.message("2", "m_4", "d", 35).in_standby(),
        page.feed_comment("3", "szép", 40),
    ]);
    let body = read(&request);
    let entries = body["entry"].as_array().unwrap();
    let sizes: Vec<_> = ["messaging", "messaging", "standby", "changes"]
        .iter()
        .zip(entries)
        .map(|(section, entry)| entry[section].as_array().map(Vec::len))
        .collect();
    assert_eq!(sizes, [Some(2), Some(1), Some(1), Some(1)]);
    assert_eq!(entries[0]["time"], 20);
    assert!(entries.iter().all(|entry| entry["id"] == PAGE));
}

#[test]
fn a_body_may_hold_entries_of_several_pages() {
    let (one, other) = (page(), Messenger::new("test_app_secret", "2"));
    let entries = [
        one.entries(&[one.message("1", "m_1", "a", 1)]),
        other.entries(&[other.message("1", "m_2", "b", 2)]),
    ];
    let body = read(&one.sign(body(&entries.concat())));
    assert_eq!((&body["entry"][0]["id"], &body["entry"][1]["id"]), (&PAGE.into(), &"2".into()));
}

#[test]
fn an_echo_comes_from_the_page() {
    let body = page().echo("1", "m_1", "Köszönjük!", Some("ours-1"), 5).body;
    assert_eq!(body.get("sender"), Some(&Json::id(PAGE)));
    assert_eq!(body.get("recipient"), Some(&Json::id("1")));
    let message = body.get("message").unwrap();
    assert_eq!(message.get("is_echo"), Some(&Json::Flag(true)));
    assert_eq!(message.get("metadata"), Some(&"ours-1".into()));
}

#[test]
fn receipts_tell_no_more_than_documented() {
    let delivery = page().delivery("1", &[], 9).body;
    assert_eq!((delivery.get("timestamp"), delivery.get("delivery").unwrap().get("mids")), (None, None));
    let told = page().delivery("1", &["m_1"], 9).body;
    assert_eq!(told.get("delivery").unwrap().escaped(), r#"{"mids":["m_1"],"watermark":9}"#);
    assert_eq!(page().read("1", 8, 9).body.get("read").unwrap().escaped(), r#"{"watermark":8}"#);
}

#[test]
fn a_fallback_may_have_no_payload() {
    let files = [
        Attachment { kind: "image", url: Some("https://cdn.example.com/a.jpg") },
        Attachment { kind: "fallback", url: None },
    ];
    let body = read(&page().deliver(&[page().attachments("1", "m_1", "", &files, 5)]));
    let message = &body["entry"][0]["messaging"][0]["message"];
    assert_eq!(message.get("text"), None);
    assert_eq!(message["attachments"][0]["payload"]["url"], "https://cdn.example.com/a.jpg");
    assert_eq!(message["attachments"][1].get("payload"), None);
}

#[test]
fn a_policy_is_enforced_by_nobody() {
    for action in [Enforcement::Warning, Enforcement::Block, Enforcement::Unblock] {
        assert_eq!(page().policy_enforcement(action, 5).body.get("sender"), None);
    }
}

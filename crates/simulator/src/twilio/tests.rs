//! What a form of Twilio's looks like.

use super::*;

const SID: &str = "SM00000000000000000000000000000001";
const EVA: Contact<'_> = Contact { from: "whatsapp:+36201234567", name: "Kovács Éva" };

fn number() -> Twilio {
    Twilio::new("AC00000000000000000000000000000000", "12345", "whatsapp:+14155238886")
}

fn read(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

#[test]
fn a_form_carries_what_was_signed() {
    let address = "https://inbox.example.com/hooks/abc?x=1#rc=5&rp=all";
    let event = number().message(SID, EVA, "Jó napot! 100% & more 👍");
    let request = number().deliver(address, &event);
    assert_eq!(read(&request), event.fields, "nothing is lost in the encoding");
    let expected = signature::twilio("12345", "https://inbox.example.com/hooks/abc?x=1", &event.fields);
    assert_eq!(request.header("X-Twilio-Signature"), Some(expected.as_str()));
    assert_eq!(request.header("user-agent"), Some("TwilioProxy/1.1"));
    assert_eq!(request.header("I-Twilio-Idempotency-Token").map(str::len), Some(36));
}

#[test]
fn a_message_has_every_documented_field() {
    let event = number().message(SID, EVA, &"á".repeat(161));
    for (name, value) in [
        ("MessageSid", SID),
        ("SmsSid", SID),
        ("SmsMessageSid", SID),
        ("WaId", "36201234567"),
        ("ProfileName", "Kovács Éva"),
        ("SmsStatus", "received"),
        ("NumMedia", "0"),
        ("NumSegments", "2"),
        ("MessageType", "text"),
        ("ApiVersion", "2010-04-01"),
    ] {
        assert_eq!(event.get(name), Some(value), "{name}");
    }
    assert_eq!(event.get("MessagingServiceSid"), None);
}

#[test]
fn a_number_in_a_pool_names_it_in_every_form() {
    let pool = "MG00000000000000000000000000000000";
    let number = Twilio { pool_sid: Some(pool.to_owned()), ..number() };
    for event in [number.message(SID, EVA, "Szia"), number.status(SID, "whatsapp:+36201234567", "read", None)]
    {
        assert_eq!(event.get("MessagingServiceSid"), Some(pool));
    }
}

#[test]
fn media_are_counted_and_addressed_one_by_one() {
    let event = number().media("MM01", EVA, "két kép", &["image/jpeg", "application/pdf"]);
    assert_eq!((event.get("NumMedia"), event.get("MessageType")), (Some("2"), Some("image")));
    assert_eq!(event.get("MediaContentType1"), Some("application/pdf"));
    assert_ne!(event.get("MediaUrl0"), event.get("MediaUrl1"));
}

#[test]
fn a_button_and_a_place_are_told_in_fields_of_their_own() {
    let button = number().button(SID, EVA, "Igen", "YES");
    assert_eq!((button.get("ButtonText"), button.get("ButtonPayload")), (Some("Igen"), Some("YES")));
    let place = number().location(SID, EVA, (47.4979, 19.0402), "Iroda", "");
    assert_eq!((place.get("Latitude"), place.get("Longitude")), (Some("47.4979"), Some("19.0402")));
    assert_eq!((place.get("Label"), place.get("Address")), (Some("Iroda"), None));
}

#[test]
fn a_failure_has_a_number_and_often_no_words() {
    let event = number().status(SID, EVA.from, "undelivered", Some(63016));
    assert_eq!(event.get("MessageStatus"), Some("undelivered"));
    assert_eq!((event.get("ErrorCode"), event.get("ErrorMessage")), (Some("63016"), Some("")));
    assert_eq!(number().status(SID, EVA.from, "read", None).get("EventType"), Some("READ"));
}

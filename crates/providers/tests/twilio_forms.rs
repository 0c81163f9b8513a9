//! Twilio's forms: what a contact's message and a callback say, and what is neither.

use parlance_app::ingestion::{Alone, News, Part, Provider as _, Told, ToldKind, ToldMessage};
use parlance_domain::{
    conversation::{Attachment, ContactProfile},
    delivery::KeptBecause,
};

use crate::support::{only, twilio};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// A message of Kovács Éva's to the sandbox, with these fields beside.
fn with(fields: &[(&str, &str)]) -> Vec<u8> {
    let message = [
        ("MessageSid", "SM00000000000000000000000000000001"),
        ("SmsSid", "SM00000000000000000000000000000001"),
        ("SmsStatus", "received"),
        ("AccountSid", "AC00000000000000000000000000000000"),
        ("From", "whatsapp:+36201234567"),
        ("To", "whatsapp:+14155238886"),
    ];
    encoded(message.iter().filter(|(name, _)| !fields.iter().any(|(other, _)| name == other)).chain(fields))
}

fn encoded<'a>(fields: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields.into_iter().copied());
    form.finish().into_bytes()
}

fn told(body: &[u8]) -> Result<Told, KeptBecause> {
    only(twilio().parse(FORM, body))
}

fn message(fields: &[(&str, &str)]) -> ToldMessage {
    match told(&with(fields)) {
        Ok(Told { what: News::Message { message, .. }, .. }) => message,
        _ => panic!("a message"),
    }
}

fn refused(fields: &[(&str, &str)]) -> Option<KeptBecause> {
    told(&with(fields)).err()
}

#[test]
fn a_text_is_a_message_of_its_sender() {
    let body = with(&[
        ("Body", "Jó napot! 100% & more"),
        ("NumMedia", "0"),
        ("ProfileName", "Kovács Éva"),
        ("WaId", "36201234567"),
    ]);
    let message = ToldMessage {
        id: "SM00000000000000000000000000000001".into(),
        text: Some("Jó napot! 100% & more".into()),
        profile: Some(ContactProfile {
            name: Some("Kovács Éva".into()),
            picture_url: None,
            phone: Some("+36201234567".into()),
            wa_id: Some("36201234567".into()),
        }),
        ..ToldMessage::default()
    };
    let what = News::Message { contact: "whatsapp:+36201234567".into(), message };
    let told = Told { page: "whatsapp:+14155238886".into(), at: None, what };
    let expected = Part { told: Ok(told), alone: Alone::Whole(&body) };
    assert_eq!(twilio().parse(FORM, &body), [expected]);
}

#[test]
fn a_number_in_a_service_pool_is_read_like_any_other() {
    let pooled = message(&[("Body", "hi"), ("MessagingServiceSid", "MG00000000000000000000000000000000")]);
    assert_eq!(pooled, message(&[("Body", "hi")]));
}

#[test]
fn unknown_fields_are_passed_over() {
    let more = message(&[
        ("Body", "hi"),
        ("ChannelMetadata", r#"{"type":"whatsapp"}"#),
        ("Tomorrow", "x"),
        ("", ""),
    ]);
    assert_eq!(more, message(&[("Body", "hi")]));
}

#[test]
fn files_are_told_with_their_addresses_and_types() {
    let told = message(&[
        ("NumMedia", "4"),
        ("MediaUrl0", "https://api.twilio.com/m0"),
        ("MediaContentType0", "image/jpeg"),
        ("MediaUrl1", "https://api.twilio.com/m1"),
        ("MediaContentType1", "audio/ogg"),
        ("MediaUrl2", "https://api.twilio.com/m2"),
        ("MediaContentType2", "text/vcard"),
    ]);
    let file = |kind: &str, content_type: Option<&str>, url: Option<&str>| Attachment {
        kind: kind.into(),
        content_type: content_type.map(Into::into),
        url: url.map(Into::into),
        name: None,
    };
    let expected = [
        file("image", Some("image/jpeg"), Some("https://api.twilio.com/m0")),
        file("audio", Some("audio/ogg"), Some("https://api.twilio.com/m1")),
        file("file", Some("text/vcard"), Some("https://api.twilio.com/m2")),
        file("file", None, None),
    ];
    assert!(told.attachments == expected);
    assert_eq!(told.text, None);
}

#[test]
fn the_number_of_files_has_a_bound() {
    assert_eq!(message(&[("NumMedia", "10")]).attachments.len(), 10);
    for count in ["11", "-1", "many", "99999999999999999999999"] {
        assert_eq!(refused(&[("NumMedia", count)]), Some(KeptBecause::Unparsable), "{count}");
    }
}

#[test]
fn a_place_is_an_attachment() {
    let place = |fields| message(fields).attachments;
    let expected = |name: Option<&str>| Attachment {
        kind: "location".into(),
        content_type: None,
        url: Some("geo:47.4979,-19.0402".into()),
        name: name.map(Into::into),
    };
    let at = [("Latitude", "47.4979"), ("Longitude", "-19.0402")];
    assert!(place(&at) == [expected(None)]);
    let named = [at[0], at[1], ("Label", "Café"), ("Address", "Fő utca 1.")];
    assert!(place(&named) == [expected(Some("Café, Fő utca 1."))]);
    for (latitude, longitude) in [("91", "0"), ("0", "181"), ("NaN", "0"), ("0", "1e1"), ("0;a=1", "0")] {
        let at = [("Latitude", latitude), ("Longitude", longitude)];
        assert_eq!(refused(&at), Some(KeptBecause::Unparsable), "{latitude} {longitude}");
    }
}

#[test]
fn a_tapped_button_is_a_postback() {
    let fields =
        [("MessageType", "button"), ("Body", "Yes"), ("ButtonText", "Yes"), ("ButtonPayload", "YES")];
    let tapped = message(&fields);
    assert_eq!(tapped.kind, ToldKind::Postback);
    assert_eq!(tapped.text.as_deref(), Some("Yes"));
    assert_eq!(tapped.postback.as_deref(), Some("YES"));
    assert_eq!(message(&[("ButtonPayload", "YES")]).kind, ToldKind::Postback);
    let unnamed = message(&[("MessageType", "button"), ("ButtonText", "Yes")]);
    assert_eq!((unnamed.kind, unnamed.text.as_deref()), (ToldKind::Postback, Some("Yes")));
    assert_eq!(message(&[("MessageType", "text"), ("Body", "Yes")]).kind, ToldKind::Message);
}

#[test]
fn a_reply_names_the_message_it_answers() {
    let reply = message(&[("Body", "yes"), ("OriginalRepliedMessageSid", "SM7")]);
    assert_eq!(reply.reply_to.as_deref(), Some("SM7"));
}

#[test]
fn older_names_of_the_id_will_do() {
    assert_eq!(message(&[("MessageSid", "")]).id, "SM00000000000000000000000000000001");
    assert_eq!(message(&[("MessageSid", ""), ("SmsSid", ""), ("SmsMessageSid", "SM7")]).id, "SM7");
}

#[test]
fn a_contact_without_a_number_is_still_one() {
    let fields = [("From", "whatsapp:HU.13491208655302741918"), ("Body", "hi")];
    let told = told(&with(&fields)).expect("a message");
    let News::Message { contact, message } = told.what else { panic!("a message") };
    assert_eq!(contact, "whatsapp:HU.13491208655302741918");
    assert_eq!(message.profile, None);
}

#[test]
fn a_form_without_its_fields_is_not_read() {
    let unparsable = Some(KeptBecause::Unparsable);
    for missing in ["From", "To"] {
        assert_eq!(refused(&[(missing, "")]), unparsable, "{missing}");
    }
    assert_eq!(refused(&[("MessageSid", ""), ("SmsSid", "")]), unparsable);
    assert_eq!(refused(&[("From", "whatsapp:")]), unparsable);
    assert_eq!(refused(&[("From", &format!("whatsapp:+{}", "1".repeat(512)))]), unparsable);
    assert_eq!(refused(&[("MessageSid", &"S".repeat(513))]), unparsable);
    assert_eq!(told(b"").err(), unparsable);
}

#[test]
fn a_field_with_two_values_is_not_read() {
    let body = [with(&[]), b"&From=whatsapp%3A%2B36201234568".to_vec()].concat();
    assert_eq!(told(&body).err(), Some(KeptBecause::Unparsable));
    let same = [with(&[]), b"&From=whatsapp%3A%2B36201234567".to_vec()].concat();
    assert!(told(&same).is_ok(), "the same value twice is signed once");
}

#[test]
fn other_channels_are_of_an_unknown_kind() {
    for from in ["+36201234567", "rcs:+36201234567", "messenger:682498302938465", "client:eva"] {
        assert_eq!(refused(&[("From", from)]), Some(KeptBecause::UnknownKind), "{from}");
    }
    assert_eq!(refused(&[("To", "+14155238886")]), Some(KeptBecause::UnknownKind));
}

#[test]
fn callbacks_tell_what_arrived() {
    let callback = |name, status| {
        let fields = [
            (name, status),
            ("SmsStatus", status),
            ("From", "whatsapp:+14155238886"),
            ("To", "whatsapp:+36201234567"),
        ];
        told(&with(&fields)).map(|told| {
            assert_eq!(told.page, "whatsapp:+14155238886");
            told.what
        })
    };
    let contact = || "whatsapp:+36201234567".to_owned();
    let messages = || vec!["SM00000000000000000000000000000001".to_owned()];
    let delivered = News::Delivered { contact: contact(), messages: messages(), until: None };
    let read = News::Read { contact: contact(), messages: messages(), until: None };
    assert_eq!(callback("MessageStatus", "delivered"), Ok(delivered.clone()));
    assert_eq!(callback("SmsStatus", "delivered"), Ok(delivered));
    assert_eq!(callback("MessageStatus", "read"), Ok(read));
    for status in ["queued", "sending", "sent", "failed", "undelivered", "canceled", "tomorrow's"] {
        assert_eq!(callback("MessageStatus", status), Err(KeptBecause::UnknownKind), "{status}");
    }
}

#[test]
fn a_body_that_is_no_form_is_kept_whole() {
    let told = |content_type: &str, body: &[u8]| only(twilio().parse(content_type, body)).err();
    assert_eq!(told("application/json", br#"[{"type":"com.twilio.x"}]"#), Some(KeptBecause::UnknownKind));
    assert_eq!(told("application/json", b"{"), Some(KeptBecause::Unparsable));
    assert_eq!(told("text/plain", &with(&[])), Some(KeptBecause::Unparsable));
    assert_eq!(told("", &with(&[])), Some(KeptBecause::Unparsable));
    assert_eq!(told(FORM, &[with(&[]), b"&Body=%FF".to_vec()].concat()), Some(KeptBecause::Unparsable));
}

#[test]
fn a_number_is_typed_in_many_ways() {
    for typed in
        ["+36 20 123-4567", "whatsapp:+36201234567", " +36 (20) 123.4567 ", "whatsapp: +36\u{a0}20 123 4567"]
    {
        assert_eq!(twilio().provider_id(typed).as_deref(), Some("whatsapp:+36201234567"), "{typed}");
    }
    for other in [
        "",
        "36201234567",
        "+123456",
        "+1234567890123456",
        "+06201234567",
        "+3620123456x",
        "rcs:+36201234567",
    ] {
        assert_eq!(twilio().provider_id(other), None, "{other}");
    }
}

#[test]
fn the_answer_sends_nothing_to_the_contact() {
    let (content_type, body) = twilio().acknowledgement();
    assert_eq!(content_type, "text/xml; charset=utf-8");
    assert_eq!(body, r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#);
    assert_eq!(twilio().address_fragment(), "#rc=5&rp=all");
}

//! Messenger's messages, echoes and postbacks, in the shapes that Meta documents and in those it only sends.

use parlance_app::ingestion::{News, ToldKind, ToldMessage};
use parlance_domain::{Timestamp, conversation::Attachment, delivery::KeptBecause};

use crate::support::{message, news, told};

const UNPARSABLE: Result<News, KeptBecause> = Err(KeptBecause::Unparsable);

fn attachment(kind: &str, url: Option<&str>, name: Option<&str>) -> Attachment {
    Attachment { kind: kind.into(), content_type: None, url: url.map(Into::into), name: name.map(Into::into) }
}

#[test]
fn a_text_is_a_message_of_its_sender() {
    let told = told(
        r#"{"sender":{"id":"PSID1"},"recipient":{"id":"682498302938465"},"timestamp":1518479195308,"message":{"mid":"m1","text":"hello, world!"}}"#,
    )
    .expect("a message");
    assert_eq!(told.page, "682498302938465");
    assert_eq!(told.at, Some(Timestamp::from_millis(1_518_479_195_308)));
    let message =
        ToldMessage { id: "m1".into(), text: Some("hello, world!".into()), ..ToldMessage::default() };
    assert_eq!(told.what, News::Message { contact: "PSID1".into(), message });
}

#[test]
fn a_message_without_text_or_files_is_still_a_message() {
    assert_eq!(
        message(r#""message":{"mid":"m1"}"#),
        ToldMessage { id: "m1".into(), ..ToldMessage::default() }
    );
    assert_eq!(message(r#""message":{"mid":"m1","text":""}"#).text, None);
}

#[test]
fn a_quick_reply_is_a_message_with_a_payload() {
    let message = message(r#""message":{"mid":"m1","text":"Red","quick_reply":{"payload":"RED"}}"#);
    assert_eq!(message.kind, ToldKind::Message);
    assert_eq!(message.text.as_deref(), Some("Red"));
    assert_eq!(message.postback.as_deref(), Some("RED"));
}

#[test]
fn a_reply_names_the_message_it_answers() {
    let reply =
        message(r#""message":{"mid":"m2","text":"yes","reply_to":{"mid":"m1","is_self_reply":false}}"#);
    assert_eq!(reply.reply_to.as_deref(), Some("m1"));
    let to_a_story = message(r#""message":{"mid":"m2","text":"yes","reply_to":{"story":{"id":"s"}}}"#);
    assert_eq!(to_a_story.reply_to, None);
}

#[test]
fn attachments_of_any_type_are_kept() {
    let told = message(
        r#""message":{"mid":"m1","attachments":[
            {"type":"image","payload":{"url":"https://cdn.example.com/a.jpg"}},
            {"type":"sticker","payload":{"url":"https://cdn.example.com/s.png","sticker_id":369239263222822}},
            {"type":"reel","payload":{"url":"https://cdn.example.com/r","title":"A reel","reel_video_id":1}},
            {"type":"fallback","title":"A page","url":"https://example.com/"},
            {"type":"fallback","title":"Older","URL":"https://example.com/old","payload":null},
            {"type":"fallback"},
            {"type":"hologram","payload":["of","another",{"shape":[]}]},
            {"type":"location","payload":{"coordinates":{"lat":47.4979,"long":19.0402},"title":"Budapest"}}
        ]}"#,
    );
    let expected = [
        attachment("image", Some("https://cdn.example.com/a.jpg"), None),
        attachment("sticker", Some("https://cdn.example.com/s.png"), None),
        attachment("reel", Some("https://cdn.example.com/r"), Some("A reel")),
        attachment("fallback", Some("https://example.com/"), Some("A page")),
        attachment("fallback", Some("https://example.com/old"), Some("Older")),
        attachment("fallback", None, None),
        attachment("hologram", None, None),
        attachment("location", Some("geo:47.4979,19.0402"), Some("Budapest")),
    ];
    assert!(told.attachments == expected);
}

#[test]
fn a_message_that_breaks_the_documented_shape_is_not_read() {
    for message in [
        r#"{"text":"no mid"}"#,
        r#"{"mid":"","text":"an empty mid"}"#,
        r#"{"mid":{},"text":"no id"}"#,
        r#"{"mid":"m1","text":7}"#,
        r#"{"mid":"m1","text":"half a character: \ud83d"}"#,
        r#"{"mid":"m1","mid":"m2","text":"two ids"}"#,
        r#"{"mid":"m1","attachments":{}}"#,
        r#"{"mid":"m1","attachments":[{"payload":{}}]}"#,
        r#"{"mid":"m1","attachments":["image"]}"#,
        r#"{"mid":"m1","quick_reply":"RED"}"#,
        r#"{"mid":"m1","reply_to":{"mid":""}}"#,
        r#"{"mid":"m1","is_echo":"yes"}"#,
        r#"["m1","a list in the order of fields"]"#,
        r#""m1""#,
    ] {
        assert_eq!(news(&format!(r#""message":{message}"#)), UNPARSABLE, "{message}");
    }
}

#[test]
fn ids_have_a_bound() {
    let with = |length: usize| news(&format!(r#""message":{{"mid":"{}"}}"#, "m".repeat(length)));
    assert!(with(512).is_ok());
    assert_eq!(with(513), UNPARSABLE);
}

#[test]
fn an_album_has_a_bound() {
    let with = |count: usize| {
        let files = vec![r#"{"type":"image"}"#; count].join(",");
        news(&format!(r#""message":{{"mid":"m1","attachments":[{files}]}}"#))
    };
    assert!(with(100).is_ok());
    assert_eq!(with(101), UNPARSABLE);
}

#[test]
fn an_echo_is_of_its_recipients_conversation() {
    let told = told(
        r#"{"sender":{"id":"682498302938465"},"recipient":{"id":"PSID1"},"timestamp":1518479195308,"message":{"is_echo":true,"app_id":1517776481860111,"metadata":"ours","mid":"m1","text":"hello"}}"#,
    )
    .expect("an echo");
    assert_eq!(told.page, "682498302938465");
    let message = ToldMessage { id: "m1".into(), text: Some("hello".into()), ..ToldMessage::default() };
    assert_eq!(told.what, News::Echo { contact: "PSID1".into(), message });
}

#[test]
fn an_unsent_message_is_taken_back_by_either_side() {
    let unsent = News::Unsent { contact: "PSID1".into(), message: "m1".into() };
    assert_eq!(news(r#""message":{"mid":"m1","is_deleted":true}"#), Ok(unsent.clone()));
    let told = told(
        r#"{"sender":{"id":"682498302938465"},"recipient":{"id":"PSID1"},"message":{"is_echo":true,"is_deleted":true,"mid":"m1"}}"#,
    );
    assert_eq!(told.expect("an echo taken back").what, unsent);
}

#[test]
fn a_postback_says_its_title_and_means_its_payload() {
    let tapped =
        message(r#""postback":{"mid":"m1","title":"Get started","payload":"START","referral":{"ref":"x"}}"#);
    let expected = ToldMessage {
        id: "m1".into(),
        kind: ToldKind::Postback,
        text: Some("Get started".into()),
        postback: Some("START".into()),
        ..ToldMessage::default()
    };
    assert_eq!(tapped, expected);
}

#[test]
fn a_postback_without_an_id_always_gets_the_same_one() {
    let id = |kind| message(kind).id;
    let first = id(r#""postback":{"title":"Go","payload":"GO"}"#);
    assert!(first.starts_with("postback:") && first.len() < 100);
    assert_eq!(first, id(r#""postback": {"payload": "GO", "title": "Go"}"#));
    assert_ne!(first, id(r#""postback":{"title":"Go","payload":"STOP"}"#));
    assert_ne!(first, id(r#""postback":{"title":"GoG","payload":"O"}"#));
}

#[test]
fn a_postback_without_an_id_differs_by_contact_and_time() {
    let of = |contact: &str, timestamp: &str| {
        told(&format!(
            r#"{{"sender":{{"id":"{contact}"}},"recipient":{{"id":"682498302938465"}},"timestamp":{timestamp},"postback":{{"payload":"GO"}}}}"#
        ))
    };
    let id = |contact, timestamp| match of(contact, timestamp).expect("a postback").what {
        News::Message { message, .. } => message.id,
        _ => panic!("a postback is a message"),
    };
    assert_eq!(id("PSID1", "1458692752"), id("PSID1", r#""1458692752000""#));
    assert_ne!(id("PSID1", "1458692752"), id("PSID2", "1458692752"));
    assert_ne!(id("PSID1", "1458692752"), id("PSID1", "1458692753"));
    assert_eq!(of("PSID1", "null"), Err(KeptBecause::Unparsable));
}

//! Messenger's bodies and their other events: how they are cut apart, and what each says.

use parlance_app::ingestion::{Alone, News, Part, Provider as _, Told};
use parlance_domain::{Timestamp, delivery::KeptBecause};

use crate::support::{delivered, messenger, news, only, told};

const UNPARSABLE: Result<News, KeptBecause> = Err(KeptBecause::Unparsable);
const UNKNOWN: Result<News, KeptBecause> = Err(KeptBecause::UnknownKind);

fn parse(body: &str) -> Vec<Part<'_>> {
    messenger().parse("application/json", body.as_bytes())
}

fn whole(body: &str, because: KeptBecause) {
    let expected = Part { told: Err(because), alone: Alone::Whole(body.as_bytes()) };
    assert_eq!(parse(body), [expected], "{body}");
}

fn text(mid: &str, page: &str, text: &str) -> String {
    format!(
        r#"{{"sender":{{"id":"PSID1"}},"recipient":{{"id":"{page}"}},"message":{{"mid":"{mid}","text":"{text}"}}}}"#
    )
}

#[test]
fn several_entries_and_several_events_are_as_many_parts() {
    let body = format!(
        r#"{{"object":"page","entry":[{{"id":"1","messaging":[{},{}]}},{{"id":"2","standby":[{}],"changes":[{{"field":"feed"}}]}}]}}"#,
        text("m1", "1", "a"),
        text("m2", "1", "b"),
        text("m3", "2", "c"),
    );
    let parts = parse(&body);
    let pages: Vec<_> = parts.iter().map(|part| part.told.as_ref().map(|told| told.page.as_str())).collect();
    assert_eq!(pages, [Ok("1"), Ok("1"), Ok("2"), Err(&KeptBecause::UnknownKind)]);
}

#[test]
fn a_part_alone_holds_no_neighbour_and_says_the_same() {
    let body = format!(
        "\n{{ \"entry\" : [ {{ \"hop_context\":[\"secret\"], \"time\" : 17, \"messaging\": [ {} , 7, {} ], \"id\" : \"1\" }} ] , \"object\" : \"page\" }}",
        text("m1", "1", "first"),
        text("m2", "2", "second"),
    );
    let parts = parse(&body);
    assert_eq!(parts.len(), 3);
    for (part, own) in parts.iter().zip(["first", "[7]", "second"]) {
        let alone = String::from_utf8(part.alone.body()).expect("text");
        for other in ["first", "[7]", "second", "secret"] {
            assert_eq!(alone.contains(other), other == own, "{alone}");
        }
        assert!(alone.starts_with(r#"{"object":"page","entry":[{"id":"1","time":17,"messaging":["#));
        assert_eq!(parse(&alone), std::slice::from_ref(part));
    }
}

#[test]
fn a_bad_event_spoils_only_itself() {
    let body = delivered(&format!("null,{},[],{{}}", text("m1", "682498302938465", "a")));
    let told: Vec<_> = parse(&body).into_iter().map(|part| part.told.map(|_| ())).collect();
    let bad = Err(KeptBecause::Unparsable);
    assert_eq!(told, [bad, Ok(()), bad, Err(KeptBecause::UnknownKind)]);
}

#[test]
fn a_bad_entry_spoils_only_itself() {
    let body = format!(
        r#"{{"object":"page","entry":[7,{{"id":{{}},"messaging":[{event}]}},{{"id":"1","messaging":7}},{{"id":"1"}},{{"id":"1","messaging":[{event}]}}]}}"#,
        event = text("m1", "1", "a")
    );
    let parts = parse(&body);
    let told: Vec<_> = parts.iter().map(|part| part.told.as_ref().map(|_| ())).collect();
    let bad = Err(&KeptBecause::Unparsable);
    assert_eq!(told, [bad, bad, bad, Err(&KeptBecause::UnknownKind), Ok(())]);
    for part in &parts {
        let alone = String::from_utf8(part.alone.body()).expect("text");
        assert_eq!(parse(&alone), std::slice::from_ref(part));
    }
}

#[test]
fn a_body_that_is_no_such_json_is_kept_whole() {
    for body in [
        "",
        " ",
        "7",
        "[]",
        "{}",
        "null",
        r#"{"object":"page"}"#,
        r#"{"object":"page","entry":{}}"#,
        r#"{"object":7,"entry":[]}"#,
        r#"{"object":"page","entry":[]"#,
        r#"{"object":"page","entry":[]} trailing"#,
        r#"{"object":"page","object":"page","entry":[]}"#,
        r#"["page",[]]"#,
    ] {
        whole(body, KeptBecause::Unparsable);
    }
    whole(r#"{"object":"instagram","entry":[{"id":"1","messaging":[{}]}]}"#, KeptBecause::UnknownKind);
    let invalid = b"{\"object\":\"page\",\"entry\":[\"\xff\"]}";
    let parts = messenger().parse("application/json", invalid);
    assert_eq!(parts, [Part { told: Err(KeptBecause::Unparsable), alone: Alone::Whole(invalid) }]);
}

#[test]
fn empty_lists_have_no_parts() {
    assert_eq!(parse(r#"{"object":"page","entry":[]}"#), []);
    assert_eq!(parse(r#"{"object":"page","entry":[{"id":"1","messaging":[],"changes":[]}]}"#), []);
}

#[test]
fn a_batch_has_a_bound() {
    let most = delivered(&vec!["0"; 10_000].join(","));
    assert_eq!(parse(&most).len(), 10_000);
    whole(&delivered(&vec!["0"; 10_001].join(",")), KeptBecause::Unparsable);
}

#[test]
fn depth_does_no_harm() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(news(&format!(r#""message":{{"mid":"m1","unknown":{deep}}}"#)).map(|_| ()), Ok(()));
    assert_eq!(news(&format!(r#""message":{{"mid":{deep}}}"#)), UNPARSABLE);
    whole(&deep, KeptBecause::Unparsable);
}

#[test]
fn an_event_must_not_contradict_its_entry() {
    assert_eq!(told(&text("m1", "999", "not this page's")), Err(KeptBecause::Unparsable));
    let echo = |sender: &str| {
        told(&format!(
            r#"{{"sender":{{"id":"{sender}"}},"recipient":{{"id":"PSID1"}},"message":{{"mid":"m1","is_echo":true}}}}"#
        ))
    };
    assert!(echo("682498302938465").is_ok());
    assert_eq!(echo("PSID2"), Err(KeptBecause::Unparsable));
    let to_itself = r#"{"sender":{"id":"682498302938465"},"message":{"mid":"m1"}}"#;
    assert_eq!(told(to_itself), Err(KeptBecause::Unparsable));
}

#[test]
fn the_page_is_known_from_the_entry_or_from_the_event() {
    let page = |body: &str| only(parse(body)).map(|told| told.page);
    let event = text("m1", "1", "a");
    let bare = r#"{"sender":{"id":"PSID1"},"message":{"mid":"m1"}}"#;
    assert_eq!(page(&format!(r#"{{"object":"page","entry":[{{"messaging":[{event}]}}]}}"#)), Ok("1".into()));
    assert_eq!(
        page(&format!(r#"{{"object":"page","entry":[{{"id":1,"messaging":[{bare}]}}]}}"#)),
        Ok("1".into())
    );
    let nowhere = format!(r#"{{"object":"page","entry":[{{"messaging":[{bare}]}}]}}"#);
    assert_eq!(page(&nowhere), Err(KeptBecause::Unparsable));
}

#[test]
fn a_sender_without_an_id_is_of_an_unknown_kind() {
    let from = |sender: &str| told(&format!(r#"{{"sender":{sender},"message":{{"mid":"m1"}}}}"#));
    assert_eq!(from(r#"{"user_ref":"abc"}"#), Err(KeptBecause::UnknownKind));
    for sender in [r#"{"id":""}"#, r#"{"id":[]}"#, r#""PSID1""#, "null"] {
        assert_eq!(from(sender), Err(KeptBecause::Unparsable), "{sender}");
    }
}

#[test]
fn a_delivery_names_messages_or_a_time_or_both() {
    let delivered = |messages: &[&str], until| {
        let messages = messages.iter().copied().map(Into::into).collect();
        Ok(News::Delivered { contact: "PSID1".into(), messages, until })
    };
    let until = Some(Timestamp::from_millis(1_458_668_856_253));
    assert_eq!(
        news(r#""delivery":{"mids":["m1","m2"],"watermark":1458668856253}"#),
        delivered(&["m1", "m2"], until)
    );
    assert_eq!(news(r#""delivery":{"watermark":1458668856253,"seq":37}"#), delivered(&[], until));
    assert_eq!(news(r#""delivery":{"mids":["m1"]}"#), delivered(&["m1"], None));
    for empty in ["{}", r#"{"mids":[]}"#, r#"{"mids":[""]}"#, r#"{"mids":"m1"}"#, r#"{"watermark":-1}"#] {
        assert_eq!(news(&format!(r#""delivery":{empty}"#)), UNPARSABLE, "{empty}");
    }
}

#[test]
fn a_delivery_has_no_time_of_its_own() {
    let told = told(
        r#"{"sender":{"id":"PSID1"},"recipient":{"id":"682498302938465"},"delivery":{"watermark":1458668856253}}"#,
    );
    assert_eq!(told.expect("a delivery").at, None);
}

#[test]
fn a_read_is_up_to_a_time() {
    let until = Some(Timestamp::from_millis(1_458_668_856_253));
    let read = News::Read { contact: "PSID1".into(), messages: Vec::new(), until };
    assert_eq!(news(r#""read":{"watermark":1458668856253}"#), Ok(read));
    assert_eq!(news(r#""read":{}"#), UNPARSABLE);
}

#[test]
fn a_reaction_is_made_and_taken_back() {
    let reaction = |emoji: Option<&str>| {
        let emoji = emoji.map(Into::into);
        Ok(News::Reaction { contact: "PSID1".into(), message: "m1".into(), emoji })
    };
    let told = |rest: &str| news(&format!(r#""reaction":{{"mid":"m1",{rest}}}"#));
    assert_eq!(told(r#""action":"react","reaction":"love","emoji":"\u2764\ufe0f""#), reaction(Some("❤️")));
    assert_eq!(told(r#""action":"react","reaction":"love""#), reaction(Some("love")));
    assert_eq!(told(r#""action":"unreact","reaction":"love","emoji":"\u2764\ufe0f""#), reaction(None));
    assert_eq!(told(r#""action":"react""#), UNPARSABLE, "no emoji would take it back");
    assert_eq!(told(r#""action":"stare","emoji":"x""#), UNKNOWN);
}

#[test]
fn an_edit_counts_its_revision_where_told() {
    let edit = |revision| {
        let text = "better".into();
        Ok(News::Edit { contact: "PSID1".into(), message: "m1".into(), text, revision })
    };
    let told = |rest: &str| news(&format!(r#""message_edit":{{"mid":"m1","text":"better"{rest}}}"#));
    assert_eq!(told(r#","num_edit":2"#), edit(Some(2)));
    assert_eq!(told(r#","num_edit":"2""#), edit(Some(2)));
    assert_eq!(told(r#","num_edit":-2"#), edit(None));
    assert_eq!(told(""), edit(None));
    assert_eq!(news(r#""message_edit":{"mid":"m1"}"#), UNPARSABLE);
}

#[test]
fn a_page_is_blocked_and_unblocked() {
    let policy = |action: &str| {
        told(&format!(
            r#"{{"recipient":{{"id":"682498302938465"}},"timestamp":1458692752478,"policy_enforcement":{{"action":"{action}","reason":"spam"}}}}"#
        ))
    };
    let at = Some(Timestamp::from_millis(1_458_692_752_478));
    let blocked = |blocked| Told { page: "682498302938465".into(), at, what: News::Blocked(blocked) };
    assert_eq!(policy("block"), Ok(blocked(true)));
    assert_eq!(policy("unblock"), Ok(blocked(false)));
    assert_eq!(policy("warning"), Err(KeptBecause::UnknownKind));
}

#[test]
fn other_events_are_of_an_unknown_kind() {
    for kind in
        ["optin", "referral", "pass_thread_control", "take_thread_control", "account_linking", "game_play"]
    {
        assert_eq!(news(&format!(r#""{kind}":{{"ref":"x"}}"#)), UNKNOWN, "{kind}");
    }
}

#[test]
fn an_event_of_two_kinds_is_not_read() {
    assert_eq!(news(r#""message":{"mid":"m1"},"read":{"watermark":1458668856253}"#), UNPARSABLE);
}

#[test]
fn times_are_read_leniently_and_absurd_ones_are_none() {
    let at = |timestamp: &str| {
        let event = format!(
            r#"{{"sender":{{"id":"PSID1"}},"recipient":{{"id":"682498302938465"}},"timestamp":{timestamp},"message":{{"mid":"m1"}}}}"#
        );
        told(&event).expect("a message whatever its time").at
    };
    let millis = |millis| Some(Timestamp::from_millis(millis));
    for same in ["1458692752000", r#""1458692752000""#, "1458692752", r#""1458692752""#] {
        assert_eq!(at(same), millis(1_458_692_752_000), "{same}");
    }
    for absurd in [
        "0",
        "-1",
        "7",
        "1458692752000000",
        "9223372036854775807",
        "1e400",
        "1.5",
        r#""""#,
        r#""today""#,
        "{}",
        "true",
    ] {
        assert_eq!(at(absurd), None, "{absurd}");
    }
}

#[test]
fn a_page_is_named_by_digits() {
    assert_eq!(messenger().provider_id(" 682498302938465\n").as_deref(), Some("682498302938465"));
    for other in ["", " ", "page", "68249830293846x", "-1", "٦٨٢", "123456789012345678901"] {
        assert_eq!(messenger().provider_id(other), None, "{other}");
    }
}

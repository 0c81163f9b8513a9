//! Mutates documented bodies and asserts what holds for every body: no panic, a bounded number of parts, and parts
//! that stand for themselves. `PARLANCE_FUZZ_SEED` and `PARLANCE_FUZZ_ROUNDS` set the seed and the rounds a provider.

use std::fmt::Debug;

use parlance_app::ingestion::{Alone, Provider};
use rand::{Rng, RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::support::{messenger, twilio};

const SEED: u64 = 20_260_101;
/// A few seconds for both providers without optimisation.
const ROUNDS: u64 = 10_000;
/// Mutations of one body, at most: more leave nothing of what was documented.
const MUTATIONS_MAX: usize = 6;
/// The same of a tree, where each does more.
const GRAFTS_MAX: usize = 3;
/// Growing mutations stop here.
const BODY_BYTES_MAX: usize = 1 << 16;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

const MESSENGER: [&str; 14] = [
    r#"{"object":"page","entry":[{"id":"682498302938465","time":1518479195594,"messaging":[{"sender":{"id":"PSID1"},"recipient":{"id":"682498302938465"},"timestamp":1518479195308,"message":{"mid":"mid.$cAAJdkrCd2ORnva8ErFhjGm0X_Q_c","text":"hello, world!"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1458692752478,"message":{"mid":"m1","text":"Red","quick_reply":{"payload":"RED"},"reply_to":{"mid":"m0","is_self_reply":true}}},{"sender":{"id":"3"},"recipient":{"id":"1"},"message":{"mid":"m2"}}]},{"id":"9","messaging":[]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1458692752478,"message":{"mid":"m1","attachments":[{"type":"image","payload":{"url":"https://cdn.example.com/a.jpg"}},{"type":"fallback","title":"t","URL":"https://example.com"},{"type":"location","payload":{"coordinates":{"lat":47.4,"long":19.0}}}]}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"1"},"recipient":{"id":"2"},"timestamp":1458692752478,"message":{"is_echo":true,"app_id":1517776481860111,"metadata":"ours","mid":"m1","text":"hi"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"delivery":{"mids":["m1","m2"],"watermark":1458668856253}},{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1458668856463,"read":{"watermark":1458668856253}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":"1458692752","postback":{"title":"Go","payload":"GO","referral":{"ref":"x"}}},{"sender":{"user_ref":"r"},"recipient":{"id":"1"},"timestamp":"1458692752","postback":{"mid":"m","title":"Go"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1458668856463,"reaction":{"reaction":"love","emoji":"\u2764\ufe0f","action":"react","mid":"m1"}},{"sender":{"id":"2"},"recipient":{"id":"1"},"reaction":{"action":"unreact","mid":"m1"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1458668856463,"message_edit":{"mid":"m1","text":"better","num_edit":"2"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"message":{"mid":"m1","is_deleted":true}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","messaging":[{"recipient":{"id":"1"},"timestamp":1458692752478,"policy_enforcement":{"action":"block","reason":"spam"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":"1","time":1,"standby":[{"sender":{"id":"2"},"recipient":{"id":"1"},"message":{"mid":"m1","text":"J\u00f3 napot \/ \ud83d\ude00"}}],"changes":[{"field":"feed","value":{"item":"post"}}]}]}"#,
    r#"{"object":"page","entry":[{"id":1,"messaging":[{"sender":{"id":2},"recipient":{"id":1},"optin":{"ref":"x"}},{"referral":{}},{"pass_thread_control":{}}]}]}"#,
    r#"{"object":"instagram","entry":[{"id":"1","messaging":[{}]}]}"#,
    r#" { "entry" : [ { "hop_context" : [ ] , "messaging" : [ { "message" : { "mid" : "m" } , "sender" : { "id" : "2" } } ] , "id" : "1" } ] , "object" : "page" } "#,
];

const TWILIO: [&str; 5] = [
    "MessageSid=SM00000000000000000000000000000001&From=whatsapp%3A%2B36201234567&To=whatsapp%3A%2B14155238886&Body=J%C3%B3+napot%21+100%25+%26+more&NumMedia=0&ProfileName=Kov%C3%A1cs+%C3%89va&WaId=36201234567&SmsStatus=received",
    "SmsSid=SM2&From=whatsapp%3A%2B36201234567&To=whatsapp%3A%2B14155238886&NumMedia=2&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2Fm0&MediaContentType0=image%2Fjpeg&MediaUrl1=x&MediaContentType1=text%2Fvcard&MessagingServiceSid=MG0",
    "MessageSid=SM3&From=whatsapp%3A%2B36201234567&To=whatsapp%3A%2B14155238886&MessageType=button&ButtonText=Yes&ButtonPayload=YES&OriginalRepliedMessageSid=SM1",
    "MessageSid=SM4&From=whatsapp%3A%2B36201234567&To=whatsapp%3A%2B14155238886&Latitude=47.4979&Longitude=19.0402&Label=L&Address=A&Body=",
    "MessageSid=SM5&MessageStatus=delivered&ErrorCode=63016&To=whatsapp%3A%2B36201234567&From=whatsapp%3A%2B14155238886&AccountSid=AC0",
];

/// What breaks readers: bytes that are no text, escapes cut short, numbers without end, names that repeat.
const FRAGMENTS: [&[u8]; 24] = [
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\0",
    b"\\ud83d",
    b"\\",
    b"\"",
    b"{}",
    b"[]",
    b"null",
    b"-1",
    b"1e999999",
    b"99999999999999999999999999999999999999",
    b"\"messaging\":[7],",
    b"\"id\":\"1\",",
    b"\"mid\":\"m1\",",
    b"\"message\":{\"mid\":\"m1\"},",
    b",",
    b":",
    b"%",
    b"%f",
    b"%FF",
    b"&From=whatsapp%3A%2B1",
    b"&&=&",
];

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect("a number"))
}

fn range(body: &[u8], rng: &mut impl Rng) -> (usize, usize) {
    let (one, other) = (rng.random_range(0..=body.len()), rng.random_range(0..=body.len()));
    (one.min(other), one.max(other))
}

fn mutate(body: &mut Vec<u8>, corpus: &[&str], rng: &mut impl Rng) {
    let (start, end) = range(body, rng);
    match rng.random_range(0..8) {
        0 if !body.is_empty() => {
            let at = rng.random_range(0..body.len());
            body[at] ^= 1 << rng.random_range(0..8);
        }
        0 | 1 => body.truncate(end),
        2 => drop(body.drain(start..end)),
        3 => {
            let copy = body[start..end].to_vec();
            let times = rng.random_range(1..4);
            body.splice(end..end, copy.repeat(times));
        }
        4 => {
            let other = corpus[rng.random_range(0..corpus.len())].as_bytes();
            let (from, to) = range(other, rng);
            body.splice(start..end, other[from..to].iter().copied());
        }
        5 => {
            let depth = rng.random_range(1..2_000);
            let (open, close) = if rng.random() { ("[", "]") } else { ("{\"a\":", "}") };
            let inner = body[start..end].to_vec();
            let nest = [open.repeat(depth).as_bytes(), &inner, close.repeat(depth).as_bytes()].concat();
            body.splice(start..end, nest);
        }
        6 => body.splice(start..start, std::iter::repeat_n(b'9', rng.random_range(1..400))).for_each(drop),
        _ => {
            let fragment = FRAGMENTS[rng.random_range(0..FRAGMENTS.len())];
            body.splice(start..start, fragment.iter().copied());
        }
    }
    body.truncate(BODY_BYTES_MAX);
}

/// Puts something else in the place of a value anywhere in the tree, takes one away or doubles it.
fn graft(value: &mut Value, rng: &mut impl Rng) {
    // Mostly near the leaves: what is cut off at the root says nothing.
    let goes_deeper = rng.random_range(0..40) > 0;
    match value {
        Value::Array(list) if goes_deeper && !list.is_empty() => {
            let at = rng.random_range(0..list.len());
            match rng.random_range(0..30) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => graft(&mut list[at], rng),
            }
        }
        Value::Object(fields) if goes_deeper && !fields.is_empty() => {
            let name = fields.keys().nth(rng.random_range(0..fields.len())).expect("a field").clone();
            let field = fields.get_mut(&name).expect("the field");
            match rng.random_range(0..30) {
                0 => drop(fields.remove(&name)),
                1 => {
                    let other = ["message", "postback", "read", "messaging", "changes", "id", "mid"];
                    let moved = field.clone();
                    fields.insert(other[rng.random_range(0..other.len())].into(), moved);
                }
                _ => graft(field, rng),
            }
        }
        _ => {
            *value = match rng.random_range(0..10) {
                0 => Value::Null,
                1 => json!([]),
                2 => json!({}),
                3 => json!(true),
                4 => json!(rng.random::<i64>()),
                5 => json!(f64::MAX),
                6 => json!("x".repeat(rng.random_range(0..600))),
                7 => json!("1458692752478"),
                8 => json!([[["\u{0}\u{fffd}😀"]]]),
                _ => json!("1"),
            }
        }
    }
}

/// What holds for every body.
fn examine(provider: &impl Provider, content_type: &str, body: &[u8], seen: &dyn Debug) -> (usize, usize) {
    let parts = provider.parse(content_type, body);
    assert!(parts.len() <= body.len().max(1), "{seen:?}: more parts than bytes");
    for part in &parts {
        let alone = part.alone.body();
        assert!(alone.len() <= body.len(), "{seen:?}: a part holds more than its body");
        if let Alone::Between(_, own, _) = &part.alone {
            assert!(body.as_ptr_range().contains(&own.as_ptr()), "{seen:?}: a part is not of its body");
        }
        let again = provider.parse(content_type, &alone);
        assert!(again == std::slice::from_ref(part), "{seen:?}: a part alone says something else");
    }
    (parts.iter().filter(|part| part.told.is_ok()).count(), parts.len())
}

/// How many parts still said something, and how many there were.
fn fuzz(provider: &impl Provider, content_type: &str, corpus: &[&str]) -> (usize, usize) {
    let (seed, rounds) = (setting("PARLANCE_FUZZ_SEED", SEED), setting("PARLANCE_FUZZ_ROUNDS", ROUNDS));
    println!("PARLANCE_FUZZ_SEED={seed} PARLANCE_FUZZ_ROUNDS={rounds}");
    for document in corpus {
        examine(provider, content_type, document.as_bytes(), document);
    }
    let (mut told, mut all) = (0, 0);
    for round in 0..rounds {
        // A seed a round: one that fails is repeated without those before it.
        let mut rng = StdRng::seed_from_u64(seed.wrapping_add(round));
        let mut body = corpus[rng.random_range(0..corpus.len())].as_bytes().to_vec();
        // Half of them stay JSON, and so reach the readers of events.
        match serde_json::from_slice::<Value>(&body) {
            Ok(mut value) if rng.random() => {
                for _ in 0..rng.random_range(1..=GRAFTS_MAX) {
                    let entry = value.get_mut("entry").filter(|_| rng.random_range(0..20) > 0);
                    if let Some(entry) = entry {
                        graft(entry, &mut rng);
                    } else {
                        graft(&mut value, &mut rng);
                    }
                }
                body = value.to_string().into_bytes();
            }
            _ => (0..rng.random_range(1..=MUTATIONS_MAX)).for_each(|_| mutate(&mut body, corpus, &mut rng)),
        }
        let (some, parts) = examine(provider, content_type, &body, &format_args!("seed {seed} + {round}"));
        told += some;
        all += parts;
    }
    println!("{told} of {all} parts still said something");
    (told, all)
}

#[test]
fn no_body_of_messengers_does_harm() {
    let (told, all) = fuzz(&messenger(), JSON, &MESSENGER);
    assert!(all < 100 || (told > 0 && told < all), "the mutations are neither harmless nor all deadly");
}

#[test]
fn no_form_of_twilios_does_harm() {
    let (told, all) = fuzz(&twilio(), FORM, &TWILIO);
    assert!(all < 100 || (told > 0 && told < all), "the mutations are neither harmless nor all deadly");
}

#[test]
fn no_other_body_of_twilios_says_anything() {
    let corpus = [r#"[{"type":"com.twilio.messaging.message.sent","data":{}}]"#, TWILIO[0]];
    assert_eq!(fuzz(&twilio(), JSON, &corpus).0, 0);
}

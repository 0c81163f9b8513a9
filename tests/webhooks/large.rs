//! The largest and the strangest bodies that a provider's signature can stand under: what they say is taken, or
//! kept, or refused, in bounded memory.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use parlance_simulator::{Request, twilio::Contact};
use parlance_tests::served::{Channel, Office, Wire, posted};
use serde_json::json;

use super::office;

const MIB: usize = 1 << 20;
const AT_MS: u64 = 1_767_225_600_000;
/// The largest text that an event holds, with room for what stands around it.
const LARGEST: usize = MIB - 1_000;
const CONTACT: Contact<'_> = Contact { from: "whatsapp:+36201234567", name: "Kovács Éva" };
/// Resident memory while the largest bodies come from everywhere at once: 64 MiB of bodies, each a few times over
/// while it is read, sealed and recorded.
const MEMORY_MIB_MAX: u64 = 512;
/// Connections that send the largest bodies.
const SENDERS: usize = 64;

async fn deliver(office: &Office, channel: &Channel, request: &Request) -> u16 {
    let mut wire = Wire::open(office.served.address).await.expect("it listens");
    wire.ask(&posted(channel.path(), request)).await.expect("it answers").status
}

/// A body of one page's events, each as it stands.
fn entry(office: &Office, events: &str) -> Request {
    let page = office.page();
    page.sign(format!(r#"{{"object":"page","entry":[{{"id":"{}","messaging":[{events}]}}]}}"#, page.page_id))
}

/// So many of the smallest messages there are.
fn tiny(office: &Office, mid: &str, count: usize) -> Request {
    let mut events = String::new();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        write!(events, r#"{comma}{{"sender":{{"id":"1"}},"message":{{"mid":"{mid}{number}"}}}}"#)
            .expect("a string takes everything");
    }
    entry(office, &events)
}

/// One message in a body of exactly this size, its text made of `letter` as it stands in JSON.
fn filled(office: &Office, mid: &str, letter: &str, size: usize) -> Request {
    let page = office.page();
    let around = page.deliver(&[page.message("psid-1", mid, "", AT_MS)]).body;
    let text = letter.repeat((size - around.len()) / letter.len());
    let around = String::from_utf8(around).expect("text");
    page.sign(around.replace(r#""text":"""#, &format!(r#""text":"{text}""#)))
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_events_in_one_body_are_ten_thousand_messages() {
    let office = office().await;
    let head = office.log_end();
    let body = tiny(&office, "a", 10_000);
    assert!(body.body.len() < MIB);
    let other = tiny(&office, "b", 10_000);
    let beside = tiny(&office, "c", 1);
    let statuses = tokio::join!(
        deliver(&office, &office.messenger, &body),
        deliver(&office, &office.messenger, &other),
        deliver(&office, &office.messenger, &beside),
    );
    assert_eq!(statuses, (200, 200, 200));
    assert_eq!(office.log_end(), head + 20_001);
    assert_eq!(deliver(&office, &office.messenger, &body).await, 200);
    assert_eq!(office.log_end(), head + 20_001, "all of them are known");
    // One more is no batch of Meta's: kept as a whole, whatever its size.
    let nothings = entry(&office, &vec!["{}"; 10_001].join(","));
    assert_eq!(deliver(&office, &office.messenger, &nothings).await, 200);
    assert_eq!(office.log_end(), head + 20_002);
    let too_many = tiny(&office, "d", 12_000);
    assert!(too_many.body.len() > MIB / 2 && too_many.body.len() < MIB);
    assert_eq!(deliver(&office, &office.messenger, &too_many).await, 200);
    assert_eq!(office.log_end(), head + 20_003);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strangest_bodies_are_taken_or_kept() {
    let office = office().await;
    let page = office.page();
    let number = office.number();
    let form = |sid: &str, body: Vec<u8>| {
        let text = String::from_utf8_lossy(&body).into_owned();
        number.deliver(&office.whatsapp.webhook_url, &number.message(sid, CONTACT, &text))
    };
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let unknown = format!(r#"{{"sender":{{"id":"1"}},"message":{{"mid":"deep","x":{}}}}}"#, nested(200_000));
    let raw_nul = filled(&office, "raw", "\0", 2_000);
    let escaped = form("SM1", vec![1; MIB / 4]);
    let raw = String::from_utf8(escaped.body.clone()).unwrap().replace("%01", "\u{1}");
    let raw = escaped.with_body(raw);
    let mut head = office.log_end();
    for (case, channel, events, request) in [
        ("a text of a mebibyte", &office.messenger, 1, filled(&office, "large", "a", LARGEST)),
        ("control characters in JSON", &office.messenger, 1, filled(&office, "control", "\\u0001", LARGEST)),
        ("NULs in JSON", &office.messenger, 1, filled(&office, "nul", "\\u0000", 2_000)),
        ("NULs that stand there raw", &office.messenger, 1, raw_nul),
        ("half a surrogate", &office.messenger, 1, filled(&office, "half", "\\ud800", 2_000)),
        ("invalid UTF-8", &office.messenger, 1, page.sign(vec![0xff; 2_000])),
        ("deep in nowhere", &office.messenger, 1, page.sign(nested(MIB / 4))),
        ("as deep as it goes", &office.messenger, 1, page.sign(nested(MIB / 2))),
        ("deep in what nobody reads", &office.messenger, 1, entry(&office, &unknown)),
        ("nothing at all", &office.messenger, 1, page.sign("")),
        // Six bytes each as JSON: too large for an event, so the form itself is kept.
        ("raw control characters", &office.whatsapp, 1, raw),
        ("control characters in a form", &office.whatsapp, 1, form("SM2", vec![1; MIB / 7])),
        ("more of them", &office.whatsapp, 1, form("SM3", vec![1; MIB / 4])),
    ] {
        assert!(request.body.len() <= MIB, "{case}");
        let said = deliver(&office, channel, &request).await;
        let after = office.log_end();
        println!("{case}: {said}, {} events", after - head);
        assert_eq!(said, 200, "{case}");
        assert!(after - head >= events, "{case}: {} events", after - head);
        head = after;
    }
    let list = "{ conversations(section: UNASSIGNED, first: 10) { nodes { messages(first: 10) { nodes { text } } } } }";
    let shown = office.ask(&office.admin, list, json!({})).await.to_string();
    assert!(shown.contains(&"a".repeat(LARGEST - 1_000)), "the largest text is shown");
    assert!(office.run(&["deadletters", "list", "--json"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_bodies_from_everywhere_take_bounded_memory() {
    let office = office().await;
    let before = office.served.memory();
    // Letters, control characters that take six times their memory, and what cannot even be kept.
    let letters = ["a", "\\u0001", "\\x"];
    let sending: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let letter = letters[sender % letters.len()];
            let request = filled(&office, &format!("m_{sender}"), letter, LARGEST);
            let bytes: Arc<[u8]> = posted(office.messenger.path(), &request).into();
            let address = office.served.address;
            tokio::spawn(async move {
                let mut wire = Wire::open(address).await.expect("it listens");
                wire.ask(&bytes).await.expect("it answers")
            })
        })
        .collect();
    let mut statuses = BTreeMap::new();
    for sent in sending {
        let said = sent.await.unwrap();
        let patience = said.header("retry-after").is_some();
        assert_eq!(patience, said.status == 503, "{}", said.body);
        *statuses.entry(said.status).or_insert(0) += 1;
    }
    let memory = office.served.memory();
    println!("{SENDERS} of the largest bodies, answered {statuses:?}: {memory:?}, {before:?} before");
    assert!(statuses.keys().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(memory.most_mib < MEMORY_MIB_MAX, "{memory:?}");
}

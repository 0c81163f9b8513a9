//! Requests that no provider signed for this address: each is refused, and leaves nothing in the log.

use parlance_simulator::{Messenger, Request, twilio::Contact};
use parlance_tests::served::{Channel, Office, PAGE, Said, Wire, posted};
use serde_json::Value;

use super::{PUBLIC_URL, office};

const AT_MS: u64 = 1_767_225_600_000;
const CONTACT: Contact<'_> = Contact { from: "whatsapp:+36201234567", name: "Kovács Éva" };

async fn ask(office: &Office, bytes: &[u8]) -> Said {
    let mut wire = Wire::open(office.served.address).await.expect("it listens");
    wire.ask(bytes).await.expect("it answers")
}

async fn deliver(office: &Office, channel: &Channel, request: &Request) -> Said {
    ask(office, &posted(channel.path(), request)).await
}

fn message(office: &Office) -> Request {
    let page = office.page();
    page.deliver(&[page.message("psid-1", "m_1", "Jó napot / €", AT_MS)])
}

/// Every case is refused as it should be; then the log ends where it did, and the genuine request is taken.
async fn refused(office: &Office, channel: &Channel, genuine: &Request, cases: Vec<(&str, u16, Request)>) {
    let head = office.log_end();
    for (case, status, request) in cases {
        let said = deliver(office, channel, &request).await;
        assert_eq!(said.status, status, "{case}: {}", said.body);
        assert_eq!(said.header("content-type"), Some("text/plain; charset=utf-8"), "{case}");
    }
    assert_eq!(office.log_end(), head, "what is refused leaves nothing");
    assert_eq!(deliver(office, channel, genuine).await.status, 200);
    assert!(office.log_end() > head, "the genuine one is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_the_app_did_not_sign_is_refused() {
    let office = office().await;
    let genuine = message(&office);
    let signature = genuine.header("X-Hub-Signature-256").unwrap().to_owned();
    let signed = |value: &str| genuine.clone().with_header("X-Hub-Signature-256", value);
    let mut doubled = genuine.clone();
    doubled.headers.push(("X-Hub-Signature-256".to_owned(), signature.clone()));
    let mut contradicted = genuine.clone();
    contradicted.headers.insert(0, ("X-Hub-Signature-256".to_owned(), format!("sha256={}", "0".repeat(64))));
    let same: Value = serde_json::from_slice(&genuine.body).unwrap();
    let again = serde_json::to_vec(&same).unwrap();
    assert_ne!(again, genuine.body, "the same meaning in other bytes");
    let stranger = Messenger::new("another secret", PAGE);
    let nobody = Messenger::new("", PAGE);
    let typed = |content_type: &str| genuine.clone().with_header("Content-Type", content_type);
    let cases = vec![
        ("another secret", 403, stranger.sign(genuine.body.clone())),
        ("no secret", 403, nobody.sign(genuine.body.clone())),
        ("another body", 403, genuine.clone().with_body(genuine.body.to_ascii_uppercase())),
        ("a longer body", 403, genuine.clone().with_body([&genuine.body[..], b"\n"].concat())),
        ("a shorter body", 403, genuine.clone().with_body(&genuine.body[..genuine.body.len() - 1])),
        ("no body", 403, genuine.clone().with_body("")),
        ("other bytes of the same meaning", 403, genuine.clone().with_body(again)),
        ("no signature", 403, genuine.clone().without_header("X-Hub-Signature-256")),
        ("an empty signature", 403, signed("")),
        ("the signature twice", 403, doubled),
        ("two signatures", 403, contradicted),
        ("two signatures in one", 403, signed(&format!("{signature}, {signature}"))),
        ("upper case", 403, signed(&signature.to_ascii_uppercase())),
        ("digits in upper case", 403, signed(&format!("sha256={}", signature[7..].to_ascii_uppercase()))),
        ("another algorithm", 403, signed(&signature.replace("sha256=", "sha512="))),
        ("the older algorithm", 403, signed(genuine.header("X-Hub-Signature").unwrap())),
        ("no algorithm", 403, signed(&signature[7..])),
        ("half a signature", 403, signed(&signature[..40])),
        ("a signature that is no text", 403, signed("sha256=\u{e9}\u{e9}")),
        ("compressed", 415, genuine.clone().with_header("Content-Encoding", "gzip")),
        ("plain text", 415, typed("text/plain")),
        ("several parts", 415, typed("multipart/form-data; boundary=x")),
        ("no type", 415, genuine.clone().without_header("Content-Type")),
    ];
    refused(&office, &office.messenger, &genuine, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_twilio_did_not_sign_for_this_address_is_refused() {
    let office = office().await;
    let number = office.number();
    let event = number.message("SM00000000000000000000000000000001", CONTACT, "Jó napot! 100% & more");
    let address = &office.whatsapp.webhook_url;
    let genuine = number.deliver(address, &event);
    let to = |url: &str| number.deliver(url, &event);
    let local = office.served.url(office.whatsapp.path());
    let forged = |host: &str| {
        to(&format!("https://{host}{}", office.whatsapp.path()))
            .with_header("X-Forwarded-Host", host)
            .with_header("X-Forwarded-Proto", "https")
            .with_header("Forwarded", &format!("host={host};proto=https"))
            .with_header("X-Original-URL", office.whatsapp.path())
    };
    let signature = genuine.header("X-Twilio-Signature").unwrap().to_owned();
    let signed = |value: &str| genuine.clone().with_header("X-Twilio-Signature", value);
    let mut doubled = genuine.clone();
    doubled.headers.push(("X-Twilio-Signature".to_owned(), signature.clone()));
    let more = |text: &str| genuine.clone().with_body([&genuine.body[..], text.as_bytes()].concat());
    let mut stranger = number.clone();
    stranger.auth_token = "another token".to_owned();
    let cases = vec![
        ("another token", 403, stranger.deliver(address, &event)),
        ("the listener's address", 403, to(&local)),
        ("without the public address's path", 403, to(&address.replace("/crm/", "/"))),
        ("another scheme", 403, to(&address.replace("https://", "http://"))),
        ("with a query", 403, to(&format!("{}?a=b", address.split('#').next().unwrap()))),
        ("another host, forwarded", 403, forged("evil.example")),
        ("a field more", 403, more("&Extra=1")),
        ("a field's second value", 403, more("&Body=Other")),
        ("no signature", 403, genuine.clone().without_header("X-Twilio-Signature")),
        ("the signature twice", 403, doubled),
        ("lower case", 403, signed(&signature.to_ascii_lowercase())),
        ("no base64", 403, signed("!")),
        ("as JSON", 403, genuine.clone().with_header("Content-Type", "application/json")),
        ("as text", 415, genuine.clone().with_header("Content-Type", "text/plain")),
    ];
    refused(&office, &office.whatsapp, &genuine, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_headers_say_of_the_host_does_not_matter() {
    let office = office().await;
    assert!(office.whatsapp.webhook_url.starts_with(PUBLIC_URL));
    let number = office.number();
    for (at, (name, value)) in [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Port", "1"),
        ("X-Forwarded-Prefix", "/elsewhere"),
        ("Forwarded", "host=evil.example"),
        ("X-Original-URL", "/graphql"),
        ("X-HTTP-Method-Override", "GET"),
    ]
    .into_iter()
    .enumerate()
    {
        let event = number.message(&format!("SM{at:032x}"), CONTACT, "Szia");
        let request = number.deliver(&office.whatsapp.webhook_url, &event).with_header(name, value);
        let said = deliver(&office, &office.whatsapp, &request).await;
        assert_eq!(
            (said.status, said.header("content-type")),
            (200, Some("text/xml; charset=utf-8")),
            "{name}"
        );
        assert!(said.body.ends_with("<Response/>"), "{}", said.body);
    }
    let said = deliver(&office, &office.messenger, &message(&office)).await;
    assert_eq!((said.status, said.body.as_str()), (200, "EVENT_RECEIVED"));
    assert_eq!(said.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_takes_only_what_is_its_own() {
    let office = office().await;
    let other_app = office.another_page(&office.admin, "111111111111111", "other app").await;
    let (_, neighbour) = office.another_account();
    let elsewhere = office.another_page(&neighbour, "222222222222222", "their app").await;
    let genuine = message(&office);
    let of_other_app = {
        let page = Messenger::new("other app", "111111111111111");
        page.deliver(&[page.message("psid-1", "m_2", "Szia", AT_MS)])
    };
    let head = office.head_of(&office.account);
    let token = office.messenger.path().to_owned();
    let mut altered = token.clone();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let swapped = [&token[..token.len() - 43], &other_app.path()[token.len() - 43..]].concat();
    for (case, status, path, request) in [
        ("another connection's address", 403, other_app.path(), &genuine),
        ("another account's address", 403, elsewhere.path(), &genuine),
        ("another connection's body", 403, office.messenger.path(), &of_other_app),
        ("another provider's address", 403, office.whatsapp.path(), &genuine),
        ("an altered token", 404, altered.as_str(), &genuine),
        ("another connection's secret part", 404, swapped.as_str(), &genuine),
        ("half a token", 404, &token[..60], &genuine),
        ("a token and more", 404, &format!("{token}/"), &genuine),
        ("no token", 404, "/webhooks/", &genuine),
        ("a token of nothing", 404, "/webhooks/%00%ff", &genuine),
    ] {
        let said = ask(&office, &posted(path, request)).await;
        assert!(said.status == status || said.status == 400 && status == 404, "{case}: {}", said.status);
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let bytes = posted(&token, &genuine);
        let said = ask(&office, &[method.as_bytes(), &bytes[4..]].concat()).await;
        assert_eq!(said.status, 405, "{method}");
    }
    let get = format!("GET {token} HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(ask(&office, get.as_bytes()).await.status, 403, "a handshake without a word");
    assert_eq!(office.head_of(&office.account), head, "what is refused leaves nothing");
    // Authentic, and about a page that is under another connection: kept, and no message.
    let strange = Messenger::new(office.page().app_secret, "111111111111111");
    let request = strange.deliver(&[strange.message("psid-1", "m_3", "Szia", AT_MS)]);
    assert_eq!(deliver(&office, &office.messenger, &request).await.status, 200);
    assert_eq!(office.head_of(&office.account), head + 1);
    let listed = office.run(&["deadletters", "list", "--json"]);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(text.lines().count() == 1 && text.contains("unknown_channel"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_replays_at_once_are_one_message() {
    let office = office().await;
    let head = office.log_end();
    let request = posted(office.messenger.path(), &message(&office));
    let address = office.served.address;
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let request = request.clone();
            tokio::spawn(async move {
                Wire::open(address).await.expect("it listens").ask(&request).await.expect("it answers").status
            })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), 200);
    }
    assert_eq!(office.log_end(), head + 1);
}

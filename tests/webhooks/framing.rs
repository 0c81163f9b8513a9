//! Bodies that end too early, too late or nowhere, and heads that can be read in two ways.

use std::time::{Duration, Instant};

use parlance_simulator::Request;
use parlance_tests::served::{Office, Said, Wire, head, posted};

use super::office;

const MIB: usize = 1 << 20;
const AT_MS: u64 = 1_767_225_600_000;

async fn wire(office: &Office) -> Wire {
    Wire::open(office.served.address).await.expect("it listens")
}

fn message(office: &Office, mid: &str) -> Request {
    let page = office.page();
    page.deliver(&[page.message("psid-1", mid, "Szia", AT_MS)])
}

/// A request of the same body in chunks of `size` bytes, without the end if it is `cut`.
fn chunked(office: &Office, request: &Request, size: usize, cut: bool) -> Vec<u8> {
    let framed = request.clone().with_header("Transfer-Encoding", "chunked");
    let mut bytes = head(office.messenger.path(), &framed);
    for chunk in request.body.chunks(size) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    if !cut {
        bytes.extend(b"0\r\n\r\n");
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_whole_leaves_nothing() {
    let office = office().await;
    let log = office.log_end();
    let request = message(&office, "m_1");
    let longer = (request.body.len() + 1).to_string();
    let mut cut = head(office.messenger.path(), &request.clone().with_header("Content-Length", &longer));
    cut.extend(&request.body);
    for bytes in [cut, chunked(&office, &request, 50, true)] {
        let mut wire = wire(&office).await;
        wire.say(&bytes).await.unwrap();
        wire.hang_up().await.unwrap();
        if let Ok(said) = wire.answer().await {
            assert_eq!(said.status, 400, "{}", said.body);
        }
    }
    // Gone without a word, in the middle of the head, of the body, and before the answer.
    let whole = posted(office.messenger.path(), &request);
    for sent in [10, whole.len() - 10] {
        wire(&office).await.say(&whole[..sent]).await.unwrap();
    }
    assert_eq!(office.log_end(), log);
    wire(&office).await.say(&whole).await.unwrap();
    let said = wire(&office).await.ask(&chunked(&office, &request, 7, false)).await.unwrap();
    assert_eq!(said.status, 200, "in chunks it is the same body");
    assert_eq!(office.log_end(), log + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_a_mebibyte_is_refused_without_being_read() {
    let office = office().await;
    let log = office.log_end();
    let large = office.page().sign(vec![b' '; 4 * MIB]);
    // Said in the head, and refused before a byte of the body is sent.
    for length in ["1048577", "99999999999"] {
        let framed = large.clone().with_header("Content-Length", length);
        let began = Instant::now();
        let said = wire(&office).await.ask(&head(office.messenger.path(), &framed)).await.unwrap();
        assert_eq!(said.status, 413, "{length}: {}", said.body);
        assert!(began.elapsed() < Duration::from_secs(5), "at once");
    }
    // Whoever sends it all the same reads the answer, and no reset.
    for round in 0..20 {
        let said = wire(&office).await.ask(&posted(office.messenger.path(), &large)).await;
        assert_eq!(said.map(|said| said.status).ok(), Some(413), "in round {round}");
        let said = sends_all_then_reads(&office, &posted(office.messenger.path(), &large)).await;
        assert_eq!(said.map(|said| said.status).ok(), Some(413), "in round {round}");
        // Said nowhere: it is read up to the limit and cut off.
        let said = sends_all_then_reads(&office, &chunked(&office, &large, 64 << 10, false)).await;
        assert_eq!(said.map(|said| said.status).ok(), Some(413), "in round {round}");
    }
    assert_eq!(office.log_end(), log);
    let largest = office.page().sign(vec![b' '; MIB]);
    let said = wire(&office).await.ask(&posted(office.messenger.path(), &largest)).await.unwrap();
    assert_eq!(said.status, 200, "what cannot be understood is kept");
    let larger = office.page().sign(vec![b' '; MIB + 1]);
    let said = wire(&office).await.ask(&chunked(&office, &larger, 64 << 10, false)).await.unwrap();
    assert_eq!(said.status, 413);
    assert_eq!(office.log_end(), log + 1);
}

/// As providers' clients do: no look at the answer before everything is sent.
async fn sends_all_then_reads(office: &Office, bytes: &[u8]) -> Result<Said, std::io::Error> {
    let mut wire = wire(office).await;
    wire.say(bytes).await?;
    wire.answer().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_can_be_read_in_two_ways_smuggles_nothing() {
    let office = office().await;
    let log = office.log_end();
    let path = office.messenger.path();
    let request = message(&office, "m_1");
    let length = request.body.len().to_string();
    let with = |headers: &[(&str, &str)]| {
        let mut request = request.clone();
        request.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        [head(path, &request), request.body].concat()
    };
    for (case, bytes) in [
        ("two lengths", with(&[("Content-Length", &length), ("Content-Length", "1")])),
        ("two lengths in one", with(&[("Content-Length", &format!("{length}, 1"))])),
        ("a signed length", with(&[("Content-Length", &format!("+{length}"))])),
        ("a negative length", with(&[("Content-Length", "-1")])),
        ("a length of hex digits", with(&[("Content-Length", "0xff")])),
        ("a length beyond all numbers", with(&[("Content-Length", "184467440737095516160")])),
        ("an encoding nobody knows", with(&[("Transfer-Encoding", "xchunked")])),
        ("chunked, but not last", with(&[("Transfer-Encoding", "chunked, identity")])),
        ("a chunk of no number", with(&[("Transfer-Encoding", "chunked")])),
        ("a NUL in a header", with(&[("X-Nul", "a\0b"), ("Content-Length", &length)])),
        ("a name with a space", with(&[("X Space", "a"), ("Content-Length", &length)])),
        ("a head without end", with(&[("X-Long", &"a".repeat(100_000))])),
    ] {
        let mut wire = wire(&office).await;
        // Refused, or the connection is ended: never an answer of success.
        if let Ok(said) = wire.ask(&bytes).await {
            assert!((400..500).contains(&said.status), "{case}: {}", said.status);
        }
        assert!(wire.ends(Duration::from_secs(20)).await, "{case}: nothing more is read on this connection");
        assert_eq!(office.log_end(), log, "{case}");
    }
    // Both a length and chunks: whichever is believed, what follows the body is no second request.
    let hidden = posted(path, &message(&office, "m_hidden"));
    let framed =
        request.clone().with_header("Content-Length", "4").with_header("Transfer-Encoding", "chunked");
    let both = [head(path, &framed), b"0\r\n\r\n".to_vec(), hidden].concat();
    let mut wire = wire(&office).await;
    wire.say(&both).await.unwrap();
    let said = wire.answer().await;
    assert!(said.as_ref().is_ok_and(|said| [400, 403].contains(&said.status)), "{said:?}");
    assert!(wire.ends(Duration::from_secs(20)).await, "the connection is ended");
    assert_eq!(office.log_end(), log, "the hidden request was not taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_chunks_counts_for_nothing() {
    let office = office().await;
    let log = office.log_end();
    let request = office.page().sign(vec![b' '; MIB / 4]);
    let framed =
        request.clone().with_header("Content-Length", "1").with_header("Transfer-Encoding", "chunked");
    let mut bytes = head(office.messenger.path(), &framed);
    bytes.extend(format!("{:x}\r\n", request.body.len()).into_bytes());
    bytes.extend([&request.body[..], b"\r\n0\r\n\r\n"].concat());
    let mut wire = wire(&office).await;
    let said = wire.ask(&bytes).await.unwrap();
    assert_eq!((said.status, said.header("connection")), (200, Some("close")), "{}", said.body);
    assert!(wire.ends(Duration::from_secs(20)).await, "nothing more is read on this connection");
    assert_eq!(office.log_end(), log + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_says_once_which_host_it_is_for() {
    let office = office().await;
    let log = office.log_end();
    let path = office.messenger.path();
    let request = message(&office, "m_1");
    let delivery = String::from_utf8(posted(path, &request)).unwrap();
    let graphql = "GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: inbox.example.hu\r\n\r\n";
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: inbox.example.hu\r\n\r\n");
    let host = "Host: inbox.example.hu\r\n";
    for whole in [delivery.as_str(), graphql, &get("/healthz"), &get("/metrics"), &get("/nowhere")] {
        for hosts in ["", "Host: inbox.example.hu\r\nhost: evil.example\r\n", "Host: a@evil.example\r\n"] {
            let mut wire = wire(&office).await;
            let said = wire.ask(whole.replace(host, hosts).as_bytes()).await.unwrap();
            assert_eq!((said.status, said.header("connection")), (400, Some("close")), "{hosts:?}: {whole}");
            assert_eq!(said.header("x-content-type-options"), Some("nosniff"), "as every answer");
            assert!(wire.ends(Duration::from_secs(20)).await, "{hosts:?}: nothing more is read");
        }
    }
    assert_eq!(office.log_end(), log, "nothing was taken");
    let old = get("/healthz").replace("HTTP/1.1", "HTTP/1.0").replace(host, "");
    assert_eq!(wire(&office).await.ask(old.as_bytes()).await.unwrap().status, 200, "older clients need not");
    assert_eq!(wire(&office).await.ask(delivery.as_bytes()).await.unwrap().status, 200);
    assert_eq!(office.log_end(), log + 1);
}

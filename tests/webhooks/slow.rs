//! Senders that take their time: each ends in bounded time, and any number of them stops nobody else.

use std::time::{Duration, Instant};

use parlance_tests::served::{Office, Wire, head, posted};

use super::office;

const AT_MS: u64 = 1_767_225_600_000;
/// Between two bytes.
const DRIP: Duration = Duration::from_secs(1);
/// Bodies and heads have 10 and 15 s; more than this is no bound.
const END_WAIT: Duration = Duration::from_secs(40);

/// What became of a slow connection.
#[derive(Debug, PartialEq)]
enum Ended {
    Answered(u16),
    Closed,
}

/// Sends the head, then a byte of `rest` each second, until it is answered or ended.
async fn drip(office: &Office, opening: Vec<u8>, rest: u8) -> tokio::task::JoinHandle<(Ended, Duration)> {
    let mut wire = Wire::open(office.served.address).await.expect("it listens");
    tokio::spawn(async move {
        let began = Instant::now();
        wire.say(&opening).await.expect("it reads");
        loop {
            match tokio::time::timeout(DRIP, wire.answer()).await {
                Ok(Ok(said)) => return (Ended::Answered(said.status), began.elapsed()),
                Ok(Err(_)) => return (Ended::Closed, began.elapsed()),
                Err(_) if began.elapsed() > END_WAIT => panic!("it never ends"),
                Err(_) if wire.say(&[rest]).await.is_err() => return (Ended::Closed, began.elapsed()),
                Err(_) => {}
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_end_in_bounded_time_and_stop_nobody() {
    let office = office().await;
    let log = office.log_end();
    let path = office.messenger.path();
    let page = office.page();
    let request = page.deliver(&[page.message("psid-1", "m_slow", "Szia", AT_MS)]);
    let of_length =
        |length: usize| head(path, &request.clone().with_header("Content-Length", &length.to_string()));
    let half_a_head = of_length(200)[..100].to_vec();
    let in_chunks = head(path, &request.clone().with_header("Transfer-Encoding", "chunked"));
    let mut bodies = Vec::new();
    let mut heads = Vec::new();
    for _ in 0..50 {
        bodies.push(drip(&office, of_length(200), b' ').await);
        // Each declares, or may grow to, the largest body there is.
        bodies.push(drip(&office, of_length(1 << 20), b' ').await);
        bodies.push(drip(&office, in_chunks.clone(), b'0').await);
        heads.push(drip(&office, half_a_head.clone(), b'a').await);
    }
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(Wire::open(office.served.address).await.unwrap());
    }
    let mut slowest = Duration::ZERO;
    for number in 0..100_u64 {
        let event = page.message("psid-2", &format!("m_{number}"), "Szia", AT_MS + number);
        let bytes = posted(path, &page.deliver(&[event]));
        let began = Instant::now();
        let said = Wire::open(office.served.address).await.unwrap().ask(&bytes).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.body);
        slowest = slowest.max(began.elapsed());
    }
    println!("beside 250 slow connections the slowest of 100 deliveries took {slowest:?}");
    assert!(slowest < Duration::from_secs(5), "a delivery beside slow ones took {slowest:?}");
    for body in bodies {
        let (ended, after) = body.await.unwrap();
        let expected = [Ended::Answered(408), Ended::Answered(400), Ended::Answered(503)].contains(&ended);
        assert!(expected, "a slow body ended by {ended:?} after {after:?}");
    }
    for slow in heads {
        let (ended, after) = slow.await.unwrap();
        assert!(
            [Ended::Closed, Ended::Answered(408)].contains(&ended),
            "a slow head: {ended:?} after {after:?}"
        );
    }
    for mut wire in idle {
        assert!(wire.ends(END_WAIT).await, "an idle connection is ended");
    }
    assert_eq!(office.log_end(), log + 100);
}

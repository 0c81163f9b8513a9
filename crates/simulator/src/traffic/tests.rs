//! Traffic against a tiny webhook that keeps what it hears.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    routing::post,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};

use super::*;
use crate::signature;

/// Far more than a test waits for; it only ends one that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a lock can be had.
const LOCK: &str = "nobody panics while holding it";

#[derive(Default)]
struct Heard {
    all: Mutex<Vec<(Uri, HeaderMap, Bytes)>>,
    more: Notify,
}

struct Webhook {
    base: String,
    heard: Arc<Heard>,
}

impl Webhook {
    async fn start(status: StatusCode) -> Self {
        async fn hear(
            State((heard, status)): State<(Arc<Heard>, StatusCode)>,
            uri: Uri,
            headers: HeaderMap,
            body: Bytes,
        ) -> StatusCode {
            heard.all.lock().expect(LOCK).push((uri, headers, body));
            heard.more.notify_one();
            status
        }
        let heard = Arc::new(Heard::default());
        let router = Router::new()
            .route("/meta", post(hear))
            .route("/twilio", post(hear))
            .with_state((Arc::clone(&heard), status));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound listener"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, heard }
    }

    fn targets(&self) -> Vec<Target> {
        let page = Target {
            kind: Kind::Messenger,
            webhook_url: format!("{}/meta", self.base),
            secret: "secret".to_owned(),
            provider_id: "682498302938465".to_owned(),
        };
        let number = Target {
            kind: Kind::Twilio { account_sid: "AC1".to_owned(), pool_sid: None },
            webhook_url: format!("{}/twilio#rc=1&rp=all", self.base),
            secret: "12345".to_owned(),
            provider_id: "whatsapp:+14155238886".to_owned(),
        };
        vec![number, page]
    }

    /// Runs until so many deliveries were heard, and for what is under way then.
    async fn run(&self, seed: u64, options: Options, deliveries: usize) -> Tally {
        let (stop, stopped) = watch::channel(false);
        let sender = Sender::new(Duration::ZERO);
        let traffic = Traffic::new(seed, self.targets(), options, sender);
        let clock = AtomicU64::new(1_700_000_000_000);
        let running = tokio::spawn(traffic.run(move || clock.fetch_add(1_000, Ordering::Relaxed), stopped));
        time::timeout(PATIENCE, async {
            while self.heard.all.lock().expect(LOCK).len() < deliveries {
                self.heard.more.notified().await;
            }
        })
        .await
        .expect("traffic goes on until it is stopped");
        stop.send(true).expect("the run listens");
        time::timeout(PATIENCE, running).await.expect("the run ends").expect("the run does not panic")
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.heard.all.lock().expect(LOCK).iter().map(|(_, _, body)| body.clone()).collect()
    }
}

fn fast() -> Options {
    Options { rate: 5_000.0, ..Options::default() }
}

#[tokio::test]
async fn everything_is_signed_and_counted() {
    let webhook = Webhook::start(StatusCode::OK).await;
    let tally = webhook.run(1, Options { in_flight: 8, ..fast() }, 200).await;
    let heard = webhook.heard.all.lock().unwrap();
    for (uri, headers, body) in heard.iter() {
        if uri.path() == "/meta" {
            assert_eq!(headers["x-hub-signature-256"], signature::meta("secret", body).as_str());
        } else {
            let params: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
            let url = format!("{}/twilio", webhook.base);
            assert_eq!(headers["x-twilio-signature"], signature::twilio("12345", &url, &params).as_str());
        }
    }
    let sent = u64::try_from(heard.len()).unwrap();
    assert_eq!((tally.sent, tally.answered, tally.tries), (sent, sent, sent));
    assert_eq!((tally.failed, tally.repeated), (0, 0));
    assert!(tally.events >= tally.sent);
}

#[tokio::test]
async fn one_at_a_time_and_undisturbed_is_the_same_every_time() {
    let (one, other) = (Webhook::start(StatusCode::OK).await, Webhook::start(StatusCode::OK).await);
    one.run(4, fast(), 50).await;
    other.run(4, fast(), 50).await;
    assert_eq!(one.bodies()[..50], other.bodies()[..50]);
}

#[tokio::test]
async fn a_repetition_is_the_same_bytes_again() {
    let webhook = Webhook::start(StatusCode::OK).await;
    let tally = webhook.run(2, Options { repeat: 1.0, ..fast() }, 100).await;
    assert_eq!((tally.sent, tally.repeated * 2), (tally.answered, tally.sent));
    let mut times: BTreeMap<Bytes, u32> = BTreeMap::new();
    for body in webhook.bodies() {
        *times.entry(body).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 2));
}

#[tokio::test]
async fn disorder_changes_the_order_and_loses_nothing() {
    let (calm, wild) = (Webhook::start(StatusCode::OK).await, Webhook::start(StatusCode::OK).await);
    calm.run(3, fast(), 200).await;
    wild.run(3, Options { reorder: 0.5, ..fast() }, 100).await;
    let (calm, wild) = (calm.bodies(), wild.bodies());
    let mut ordered = calm[..wild.len()].to_vec();
    let mut shuffled = wild.clone();
    assert_ne!(ordered, shuffled);
    ordered.sort();
    shuffled.sort();
    assert_eq!(ordered, shuffled, "what was held back came at the end of the run at the latest");
    for (at, body) in wild.iter().enumerate() {
        let place = calm.iter().position(|known| known == body).unwrap();
        assert!(at.abs_diff(place) <= 2 * usize::try_from(HELD_BEHIND_MAX).unwrap(), "{at} was {place}");
    }
}

#[tokio::test]
async fn a_batch_holds_several_events_of_several_contacts() {
    let webhook = Webhook::start(StatusCode::OK).await;
    webhook.run(5, Options { batch: 20, ..fast() }, 60).await;
    let sizes: Vec<_> = webhook
        .bodies()
        .iter()
        .filter_map(|body| serde_json::from_slice::<Value>(body).ok())
        .map(|body| {
            let entries = body["entry"].as_array().unwrap();
            entries.iter().map(|entry| entry["messaging"].as_array().unwrap().len()).collect::<Vec<_>>()
        })
        .collect();
    assert!(
        sizes.iter().any(|entries| entries.len() > 5) && sizes.iter().flatten().any(|events| *events > 1)
    );
    assert!(sizes.iter().all(|entries| entries.iter().sum::<usize>() <= 22), "{sizes:?}");
}

#[tokio::test]
async fn a_webhook_that_refuses_is_counted_as_failed() {
    let webhook = Webhook::start(StatusCode::INTERNAL_SERVER_ERROR).await;
    let tally = webhook.run(6, Options { in_flight: 4, ..fast() }, 60).await;
    assert_eq!((tally.answered, tally.failed), (0, tally.sent));
    assert!(tally.tries > tally.sent, "it was tried again");
}

#[tokio::test]
async fn silence_ends_when_it_is_told_to() {
    let webhook = Webhook::start(StatusCode::OK).await;
    for rate in [0.0, -1.0, f64::NAN] {
        assert_eq!(webhook.run(7, Options { rate, ..Options::default() }, 0).await, Tally::default());
    }
    let (stop, stopped) = watch::channel(false);
    let traffic = Traffic::new(1, webhook.targets(), Options::default(), Sender::default());
    drop(stop);
    time::timeout(PATIENCE, traffic.run(|| 0, stopped)).await.expect("a sender that is gone is an end, too");
}

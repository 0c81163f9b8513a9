//! Many followers: sockets with one subscription each, and how long after a webhook's answer its message has reached
//! every one of them; and what a socket costs in memory. Messages are delivered one after the other, each once
//! all have the one before. All clients are one thread of this program: reading for so many is part of what is measured.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use parlance_simulator::Messenger;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig},
    },
};

use crate::{
    http::{Office, asking},
    measure::{head, millis, percentile, row},
    served::{Kind, Served},
    wire::{Wire, get, graphql, post},
    world::{APP_SECRET, PAGE, Place, World, contact_id, message_id},
};

/// A member's tabs and devices; the product lets in 256.
const SOCKETS_PER_MEMBER: usize = 200;
/// The product's own bound for an account.
const SOCKETS_MAX: usize = 2_048;
/// Sockets that are being opened at a time: the listener's queue holds more.
const OPENING: usize = 32;
/// For anything that should take milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of a socket's client: what it hears is short, and there are many of them.
const BUFFER_BYTES: usize = 4 << 10;
/// Of the head that answers an upgrade request.
const HEAD_BYTES_MAX: usize = 2 << 10;
/// Files that each of the two processes opens besides its sockets: the store, its readers, connections.
const OTHER_FILES: u64 = 200;
const BEGIN_MS: u64 = 1_790_000_000_000;

const QUERY: &str =
    "subscription { inboxChanged { position conversations { id unread lastMessage { text } } } }";

/// Lets this program, and the server that it starts, open as many files as there are sockets.
fn open_files(sockets: usize) -> anyhow::Result<()> {
    let needed = sockets as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    // No limit is as good as any.
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|most| most < needed) {
        bail!(
            "{sockets} sockets need {needed} open files; raise the hard limit, as root: ulimit -Hn {needed}"
        );
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum })
        .context("the soft limit of open files could not be raised")
}

/// What the contact's message `number` says.
fn said(number: usize) -> String {
    format!("Üzenet {number:06}")
}

/// The contact's message `number`, signed, as Meta delivers it.
fn delivery(office: &Office, number: usize) -> Vec<u8> {
    let page = Messenger::new(APP_SECRET, PAGE);
    let at_ms = BEGIN_MS + number as u64;
    let told = page.message(&contact_id(0), &message_id(number), &said(number), at_ms);
    let request = page.deliver(&[told]);
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    post(&office.accounts[0].webhook_path, &headers, &request.body)
}

/// An account with members, and a token of each.
fn fill(place: &Place, members: usize) -> anyhow::Result<(Office, Vec<String>)> {
    place.runtime()?.block_on(async {
        let mut world = World::create(place, 1).await?;
        world.parlance.start();
        let joined = world.members(&world.accounts[0], members).await?;
        let mut tokens = Vec::with_capacity(members);
        for member in joined {
            tokens.push(world.token(&world.accounts[0], member).await?);
        }
        let token = world.token(&world.accounts[0], world.accounts[0].admin).await?;
        let (home, accounts) = world.closed().await?;
        Ok((Office { home, accounts, token }, tokens))
    })
}

/// A message that came to a follower.
struct Arrival {
    number: usize,
    at: Instant,
}

/// A client that follows the inbox.
struct Follower(WebSocketStream<TcpStream>);

impl Follower {
    /// Opens a socket, subscribes, and hears where it begins.
    async fn open(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = "GET /graphql HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        // The server says nothing before the client does, so nothing after the head is lost.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            anyhow::ensure!(answer.len() < HEAD_BYTES_MAX, "an endless head");
            anyhow::ensure!(stream.read_buf(&mut answer).await? > 0, "the server closed the connection");
        }
        let answer = String::from_utf8_lossy(&answer);
        anyhow::ensure!(answer.starts_with("HTTP/1.1 101 "), "no socket: {answer}");
        let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(0);
        let mut this = Self(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await);
        this.say(&json!({ "type": "connection_init", "payload": { "token": token } })).await?;
        let ack: Value = serde_json::from_str(&this.hear().await?.0)?;
        anyhow::ensure!(ack["type"] == "connection_ack", "not let in: {ack}");
        this.say(&json!({ "type": "subscribe", "id": "1", "payload": { "query": QUERY } })).await?;
        let first: Value = serde_json::from_str(&this.hear().await?.0)?;
        let change = &first["payload"]["data"]["inboxChanged"];
        anyhow::ensure!(change["position"].is_string(), "not subscribed: {first}");
        Ok(this)
    }

    async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// The next message of the protocol, and when it was there.
    async fn hear(&mut self) -> anyhow::Result<(String, Instant)> {
        loop {
            let message = self.0.next().await.context("the socket ended")??;
            let at = Instant::now();
            match message {
                Message::Text(text) => return Ok((text.as_str().to_owned(), at)),
                Message::Ping(_) => self.0.flush().await?,
                Message::Pong(_) => {}
                other => bail!("closed: {other:?}"),
            }
        }
    }

    /// Hears the messages `0..count`, in order, each once.
    async fn follow(mut self, count: usize, arrivals: mpsc::Sender<Arrival>) -> anyhow::Result<Self> {
        for number in 0..count {
            let (text, at) = self.hear().await?;
            // Looking for it costs less than parsing, which would keep the others waiting.
            let told = format!("\"unread\":true,\"lastMessage\":{{\"text\":\"{}\"}}", said(number));
            anyhow::ensure!(text.contains(&told), "message {number} was to come, not {text}");
            arrivals.send(Arrival { number, at }).await?;
        }
        Ok(self)
    }
}

async fn open(address: SocketAddr, tokens: &[String], sockets: usize) -> anyhow::Result<Vec<Follower>> {
    let opening = (0..sockets).map(|n| async move {
        let opened = timeout(PATIENCE, Follower::open(address, &tokens[n / SOCKETS_PER_MEMBER])).await;
        opened.with_context(|| format!("socket {n} is not open in time"))?
    });
    let opened: Vec<_> = stream::iter(opening).buffer_unordered(OPENING).collect().await;
    opened.into_iter().collect()
}

/// How long things took.
#[derive(Default)]
struct Times {
    /// From sending a webhook to its answer.
    answered: Vec<Duration>,
    /// From the answer to each client.
    arrived: Vec<Duration>,
    /// From the answer until the last client had it.
    by_all: Vec<Duration>,
}

/// Delivers one message after the other, each once all have the one before.
async fn deliver(
    address: SocketAddr,
    deliveries: &[Vec<u8>],
    arrivals: &mut mpsc::Receiver<Arrival>,
    sockets: usize,
) -> anyhow::Result<Times> {
    let mut times = Times::default();
    for (number, delivery) in deliveries.iter().enumerate() {
        // The server ends a connection that is silent for long, as it is while sockets are opened.
        let mut wire = Wire::connect(address).await?;
        let asked = Instant::now();
        wire.ask_well(delivery).await?;
        let answered = Instant::now();
        times.answered.push(answered - asked);
        let mut last = Duration::ZERO;
        for _ in 0..sockets {
            let arrival = timeout(PATIENCE, arrivals.recv()).await.context("it does not reach all")?;
            let arrival = arrival.context("a follower is gone")?;
            anyhow::ensure!(arrival.number == number, "told twice: {}", arrival.number);
            let after = arrival.at.saturating_duration_since(answered);
            times.arrived.push(after);
            last = last.max(after);
        }
        times.by_all.push(last);
    }
    Ok(times)
}

pub fn run(place: &Place, sockets: usize, messages: usize) -> anyhow::Result<()> {
    anyhow::ensure!((1..=SOCKETS_MAX).contains(&sockets), "sockets: 1 to {SOCKETS_MAX}");
    anyhow::ensure!((1..=1_000_000).contains(&messages), "messages: 1 to 1,000,000");
    open_files(sockets)?;
    let (office, tokens) = fill(place, sockets.div_ceil(SOCKETS_PER_MEMBER))?;
    let deliveries: Vec<_> = (0..messages).map(|number| delivery(&office, number)).collect();
    asking()?.block_on(async {
        let served = Served::start(Kind::Whole, &office.home)?;
        let mut wire = Wire::connect(served.address).await?;
        wire.ask_well(&get("/readyz")).await?;
        // What the first request of all allocates is no socket's.
        wire.ask_well(&graphql(&office.token, "{ account { name } }", &json!({}))).await?;
        let (before_mib, _) = served.memory()?;
        let begin = Instant::now();
        let followers = open(served.address, &tokens, sockets).await?;
        let opened = begin.elapsed();
        let (idle_mib, _) = served.memory()?;
        let (arrival, mut arrivals) = mpsc::channel(sockets);
        let mut following = JoinSet::new();
        for follower in followers {
            following.spawn(follower.follow(messages, arrival.clone()));
        }
        drop(arrival);
        let mut times = tokio::select! {
            times = deliver(served.address, &deliveries, &mut arrivals, sockets) => times?,
            error = failed(&mut following) => return Err(error),
        };
        let (after_mib, most_mib) = served.memory()?;
        let each = |mib: f64| format!("{:.1} KiB", (mib - before_mib) * 1024.0 / sockets as f64);

        head(&["sockets", "messages", "opened in", "before", "idle", "each", "after", "each", "at most"]);
        row([
            sockets.to_string(),
            messages.to_string(),
            millis(opened),
            format!("{before_mib:.1} MiB"),
            format!("{idle_mib:.1} MiB"),
            each(idle_mib),
            format!("{after_mib:.1} MiB"),
            each(after_mib),
            format!("{most_mib:.1} MiB"),
        ]);
        println!();
        head(&["from", "to", "p50", "p99", "max"]);
        for (from, to, times) in [
            ("webhook asked", "its answer", &mut times.answered),
            ("its answer", "a client", &mut times.arrived),
            ("its answer", "the last client", &mut times.by_all),
        ] {
            let most = percentile(times, 100);
            row([
                from.into(),
                to.into(),
                millis(percentile(times, 50)),
                millis(percentile(times, 99)),
                millis(most),
            ]);
        }
        Ok(())
    })
}

/// Resolves to what went wrong with a follower; never, as long as nothing does.
async fn failed(following: &mut JoinSet<anyhow::Result<Follower>>) -> anyhow::Error {
    // Those that are through keep their sockets, so that the others are not served more easily.
    let mut through = Vec::new();
    while let Some(ended) = following.join_next().await {
        match ended.map_err(anyhow::Error::from).flatten() {
            Ok(follower) => through.push(follower),
            Err(error) => return error,
        }
    }
    std::future::pending().await
}

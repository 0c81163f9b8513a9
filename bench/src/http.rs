//! Ingestion as providers see it: signed Messenger deliveries over HTTP at 64 connections that are kept open,
//! answered when they are durable, by turns with the floor. Requests are built and signed before the clock
//! starts, and what asks is one thread.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use parlance_simulator::Messenger;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    floor::Log,
    measure::{head, median, millis, per_second, percentile, rate, ratio, row},
    seen,
    served::{Kind, Served},
    wire::{Wire, get, post},
    world::{APP_SECRET, Account, PAGE, Place, World, contact_id, message_id, text},
};

pub const CONNECTIONS: usize = 64;
/// Conversations begin, go on, and leave snapshots.
const MESSAGES_PER_CONTACT: usize = 20;
/// Events of a floor's transaction.
const FLOOR_EVENTS: usize = 1_000;
/// What the clocks of the pages say: some moment in the past, as a provider's time is.
const BEGIN_MS: u64 = 1_790_000_000_000;
/// How often the read models are asked whether they show everything, and how often at most.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS_MAX: usize = 20_000;

/// A server's folder, closed, and what is known of what is in it.
pub struct Office {
    pub folder: TempDir,
    pub accounts: Vec<Account>,
    /// Of the first account's admin.
    pub token: String,
}

impl Office {
    pub fn open(place: &Place, accounts: usize) -> anyhow::Result<Self> {
        // The runtime ends with the store's last task; then the folder is free.
        place.runtime()?.block_on(async {
            let world = World::create(place, accounts).await?;
            let token = world.token(&world.accounts[0], world.accounts[0].admin).await?;
            let (folder, accounts) = world.closed()?;
            Ok(Self { folder, accounts, token })
        })
    }

    /// A contact's message `number`, as Meta delivers it.
    pub fn delivery(&self, account: usize, contact: usize, number: usize) -> Vec<u8> {
        let page = Messenger::new(APP_SECRET, PAGE);
        let at_ms = BEGIN_MS + number as u64;
        let told = page.message(&contact_id(contact), &message_id(number), &text(), at_ms);
        let request = page.deliver(&[told]);
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        post(&self.accounts[account].webhook_path, &headers, &request.body)
    }

    /// `count` messages in turn from every account.
    pub fn deliveries(&self, count: usize) -> Vec<Vec<u8>> {
        let accounts = self.accounts.len();
        let contacts = (count / accounts / MESSAGES_PER_CONTACT).max(1);
        (0..count).map(|n| self.delivery(n % accounts, n / accounts % contacts, n)).collect()
    }
}

/// What asks: one thread, so that the other core is the server's.
pub fn asking() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Asks all of them at once from so many connections, each one after the other; gives how long every answer took.
pub async fn ask_all(
    served: &Served,
    requests: Vec<Vec<u8>>,
    connections: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut shares: Vec<Vec<Vec<u8>>> = (0..connections).map(|_| Vec::new()).collect();
    for (n, request) in requests.into_iter().enumerate() {
        shares[n % connections].push(request);
    }
    let mut running = JoinSet::new();
    for share in shares {
        let mut wire = Wire::connect(served.address).await?;
        running.spawn(async move {
            let mut answered = Vec::with_capacity(share.len());
            for request in share {
                let begin = Instant::now();
                wire.ask_well(&request).await?;
                answered.push(begin.elapsed());
            }
            anyhow::Ok(answered)
        });
    }
    let mut answered = Vec::new();
    while let Some(share) = running.join_next().await {
        answered.extend(share??);
    }
    Ok(answered)
}

/// One of the server's own figures, its labels given whole.
pub async fn figure(wire: &mut Wire, name: &str) -> anyhow::Result<f64> {
    wire.ask_well(&get("/metrics")).await?;
    let text = std::str::from_utf8(wire.body())?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    Ok(value.unwrap_or(0.0))
}

/// Waits until the read models show everything.
pub async fn shown(served: &Served) -> anyhow::Result<()> {
    let mut wire = Wire::connect(served.address).await?;
    for _ in 0..LOOKS_MAX {
        if figure(&mut wire, "parlance_projection_behind_events").await? == 0.0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    anyhow::bail!("the read models do not catch up")
}

/// A turn of a server.
struct Turn {
    elapsed: Duration,
    /// Until the read models showed everything, where they run.
    shown: Option<Duration>,
    answered: Vec<Duration>,
    idle_mib: f64,
    most_mib: f64,
}

fn turn(office: &Office, kind: Kind, count: usize) -> anyhow::Result<Turn> {
    let requests = office.deliveries(count);
    asking()?.block_on(async {
        let served = Served::start(kind, office.folder.path())?;
        let mut wire = Wire::connect(served.address).await?;
        wire.ask_well(&get("/readyz")).await?;
        let (idle_mib, _) = served.memory()?;
        let begin = Instant::now();
        let answered = ask_all(&served, requests, CONNECTIONS).await?;
        let elapsed = begin.elapsed();
        let shown = match kind {
            Kind::Whole => {
                shown(&served).await?;
                Some(begin.elapsed())
            }
            _ => None,
        };
        let told = "parlance_told_total{kind=\"messenger\",outcome=\"recorded\"}";
        let recorded = figure(&mut wire, told).await?;
        anyhow::ensure!(recorded == count as f64, "{recorded} of {count} were recorded");
        let (_, most_mib) = served.memory()?;
        Ok(Turn { elapsed, shown, answered, idle_mib, most_mib })
    })
}

fn floor(folder: &Path, place: &Place, count: usize) -> anyhow::Result<f64> {
    let log = Log::read(&folder.join("parlance.db"))?;
    Ok(rate(count, log.write(place, count, FLOOR_EVENTS)?))
}

pub fn run(place: &Place, rounds: usize, events: usize, seconds: u64) -> anyhow::Result<()> {
    head(&["accounts", "server", "answered", "p50", "p99", "shown", "floor", "ratio", "idle", "at most"]);
    let mut most = 0.0;
    for accounts in [1, 100] {
        for kind in [Kind::WithoutReadModels, Kind::Whole] {
            let (mut rates, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            let (mut shown, mut answered) = (Vec::new(), Vec::new());
            let (mut idle, mut peak) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let office = Office::open(place, accounts)?;
                let turn = turn(&office, kind, events)?;
                let floor = floor(office.folder.path(), place, events)?;
                let product = rate(events, turn.elapsed);
                rates.push(product);
                floors.push(floor);
                ratios.push(product / floor);
                shown.extend(turn.shown.map(|elapsed| rate(events, elapsed)));
                answered.extend(turn.answered);
                idle.push(turn.idle_mib);
                peak.push(turn.most_mib);
            }
            let shown = (!shown.is_empty()).then(|| median(shown));
            if let (1, Some(shown)) = (accounts, shown) {
                most = shown;
            }
            row([
                accounts.to_string(),
                format!("{kind:?}"),
                per_second(median(rates)),
                millis(percentile(&mut answered, 50)),
                millis(percentile(&mut answered, 99)),
                shown.map_or_else(|| "-".to_owned(), per_second),
                per_second(median(floors)),
                ratio(median(ratios)),
                format!("{:.0} MiB", median(idle)),
                format!("{:.0} MiB", median(peak)),
            ]);
        }
    }
    println!();
    seen::run(place, rounds, most / 2.0, Duration::from_secs(seconds))
}

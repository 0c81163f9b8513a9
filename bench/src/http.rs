//! Ingestion as providers see it: signed Messenger deliveries over HTTP at 64 connections that are kept open,
//! answered when they are durable, by turns with the floor. Requests are built and signed before the clock
//! starts, and what asks is one thread.

use std::time::{Duration, Instant};

use parlance_simulator::Messenger;
use tokio::task::JoinSet;

use crate::{
    floor::Log,
    measure::{median, millis, per_second, percentile, rate, ratio},
    report::Report,
    seen,
    served::{Kind, Served},
    wire::{Wire, get, post},
    world::{APP_SECRET, Account, Home, PAGE, Place, World, contact_id, message_id, text},
};

pub const CONNECTIONS: usize = 64;
/// Conversations begin, go on, and leave snapshots.
const MESSAGES_PER_CONTACT: usize = 20;
/// What the clocks of the pages say: some moment in the past, as a provider's time is.
const BEGIN_MS: u64 = 1_790_000_000_000;
/// How often the read models are asked whether they show everything, and how often at most.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS_MAX: usize = 20_000;

/// A world, closed, and what is known of what is in it.
pub struct Office {
    pub home: Home,
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
            let (home, accounts) = world.closed().await?;
            Ok(Self { home, accounts, token })
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
        let served = Served::start(kind, &office.home)?;
        Wire::connect(served.address).await?.ask_well(&get("/readyz")).await?;
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
        // A connection that was idle all that time may be closed by now.
        let recorded = figure(&mut Wire::connect(served.address).await?, told).await?;
        anyhow::ensure!(recorded == count as f64, "{recorded} of {count} were recorded");
        let (_, most_mib) = served.memory()?;
        Ok(Turn { elapsed, shown, answered, idle_mib, most_mib })
    })
}

/// Many turns of one kind of server.
#[derive(Default)]
struct Turns {
    rates: Vec<f64>,
    floors: Vec<f64>,
    ratios: Vec<f64>,
    shown: Vec<f64>,
    answered: Vec<Duration>,
    idle: Vec<f64>,
    most: Vec<f64>,
}

impl Turns {
    fn measure(place: &Place, rounds: usize, events: usize, of: (usize, Kind)) -> anyhow::Result<Self> {
        let mut turns = Self::default();
        for _ in 0..rounds {
            let office = Office::open(place, of.0)?;
            let turn = turn(&office, of.1, events)?;
            let floor = rate(events, Log::read(place, &office.home)?.write(place, events)?);
            let product = rate(events, turn.elapsed);
            turns.rates.push(product);
            turns.floors.push(floor);
            turns.ratios.push(product / floor);
            turns.shown.extend(turn.shown.map(|elapsed| rate(events, elapsed)));
            turns.answered.extend(turn.answered);
            turns.idle.push(turn.idle_mib);
            turns.most.push(turn.most_mib);
        }
        Ok(turns)
    }

    /// A row of the table; gives how much was shown in a second, where that was looked at.
    fn tell(mut self, report: &mut Report, (accounts, kind): (usize, Kind)) -> Option<f64> {
        let shown = (!self.shown.is_empty()).then(|| median(self.shown));
        let (of, p99) = (median(self.ratios), percentile(&mut self.answered, 99));
        let (idle, most) = (median(self.idle), median(self.most));
        let goals = report.goals;
        let goals = match (kind, accounts) {
            (Kind::Whole, _) => vec![
                report.at_most("idle", goals.idle_mb, " MB", megabytes(idle)),
                report.at_most("under load", goals.most_mb, " MB", megabytes(most)),
            ],
            (_, 1) => vec![
                report.at_least("ratio", goals.of_bare, of),
                report.at_most_ms("p99", goals.answered_ms, p99),
            ],
            _ => vec![report.at_least("ratio", goals.of_bare_many, of)],
        };
        report.row([
            accounts.to_string(),
            kind.told().to_owned(),
            per_second(median(self.rates)),
            millis(percentile(&mut self.answered, 50)),
            millis(p99),
            shown.map_or_else(|| "-".to_owned(), per_second),
            per_second(median(self.floors)),
            ratio(of),
            format!("{idle:.0} MiB"),
            format!("{most:.0} MiB"),
            goals.join("; "),
        ]);
        shown
    }
}

fn megabytes(mib: f64) -> f64 {
    mib * f64::from(1 << 20) / 1e6
}

pub fn run(
    place: &Place,
    report: &mut Report,
    rounds: usize,
    events: usize,
    seconds: u64,
) -> anyhow::Result<()> {
    report.head(&[
        "accounts", "server", "answered", "p50", "p99", "shown", "floor", "ratio", "idle", "at most", "goals",
    ]);
    let mut most = 0.0;
    for accounts in [1, 100] {
        for kind in [Kind::WithoutReadModels, Kind::Whole] {
            let turns = Turns::measure(place, rounds, events, (accounts, kind))?;
            if let (Some(shown), 1) = (turns.tell(report, (accounts, kind)), accounts) {
                most = shown;
            }
        }
    }
    report.line("");
    seen::run(place, report, rounds, most / 2.0, Duration::from_secs(seconds))
}

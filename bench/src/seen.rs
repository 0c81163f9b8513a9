//! From a webhook's answer until its message is seen through GraphQL, with deliveries arriving at half of the
//! rate that the whole server keeps up with, whether or not earlier ones are answered.
//!
//! Every so often a delivery is the first of its contact. Once it is answered, a connection of its own asks for
//! that very conversation until it is there: that is what a page would see, and as one row by its id costs
//! the server next to nothing. Waiting for such a connection counts.

use std::{
    cell::RefCell,
    collections::VecDeque,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    sync::mpsc,
    task::{JoinSet, LocalSet},
};

use crate::{
    http::{CONNECTIONS, Office, asking, figure, shown},
    measure::{median, millis, per_second, percentile, rate},
    report::Report,
    served::{Kind, Served},
    wire::{Wire, graphql},
    world::{Place, contact_id},
};

/// How often deliveries are let in.
const TICK: Duration = Duration::from_millis(1);
/// One of so many is looked for.
const SAMPLE_EVERY: usize = 50;
/// Connections that look for what was answered.
const LOOKING: usize = 8;
const LOOKS_MAX: usize = 10_000;
/// Contacts of the deliveries that nobody looks for.
const CONTACTS: usize = 1_000;
const QUERY: &str = "query($id: ID!) { conversation(id: $id) { messageCount } }";

/// A delivery, and what it makes visible, if that is looked for.
struct Due {
    delivery: Vec<u8>,
    look: Option<Vec<u8>>,
}

/// What was answered and is to be looked for.
struct Answered {
    look: Vec<u8>,
    at: Instant,
}

fn due(office: &Office, number: usize) -> Due {
    let sampled = number.is_multiple_of(SAMPLE_EVERY);
    let contact = if sampled { CONTACTS + number } else { number % CONTACTS };
    let account = &office.accounts[0];
    let look = sampled.then(|| {
        let id = account.ring.ids.conversation(account.channel, &contact_id(contact));
        graphql(&office.token, QUERY, &json!({ "id": id.to_string() }))
    });
    Due { delivery: office.delivery(0, contact, number), look }
}

type Queue = Rc<RefCell<VecDeque<Due>>>;

/// Sends what is due, one after the other.
async fn send(
    mut wire: Wire,
    queue: Queue,
    news: Rc<tokio::sync::Semaphore>,
    answered: mpsc::UnboundedSender<Answered>,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    while let Ok(permit) = news.acquire().await {
        permit.forget();
        let Some(Due { delivery, look }) = queue.borrow_mut().pop_front() else { break };
        let begin = Instant::now();
        wire.ask_well(&delivery).await?;
        let at = Instant::now();
        times.push(at - begin);
        if let Some(look) = look {
            answered.send(Answered { look, at })?;
        }
    }
    Ok(times)
}

/// Looks for what was answered until it is there.
async fn look(
    mut wire: Wire,
    waiting: Rc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Answered>>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(Answered { look, at }) = next else { return Ok(times) };
        let mut looks = 0;
        loop {
            wire.ask_well(&look).await?;
            if wire.body().starts_with(br#"{"data":{"conversation":{"#) {
                break;
            }
            looks += 1;
            anyhow::ensure!(looks < LOOKS_MAX, "it is never shown: {}", String::from_utf8_lossy(wire.body()));
        }
        times.push(at.elapsed());
    }
}

/// Lets them in at `pace`, and gives how long answers and being seen took.
async fn arrive(
    served: &Served,
    dues: Vec<Due>,
    pace: f64,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let queue = Queue::default();
    let news = Rc::new(tokio::sync::Semaphore::new(0));
    let (answered, waiting) = mpsc::unbounded_channel();
    let waiting = Rc::new(tokio::sync::Mutex::new(waiting));
    let (mut sending, mut looking) = (JoinSet::new(), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let wire = Wire::connect(served.address).await?;
        sending.spawn_local(send(wire, Rc::clone(&queue), Rc::clone(&news), answered.clone()));
    }
    for _ in 0..LOOKING {
        looking.spawn_local(look(Wire::connect(served.address).await?, Rc::clone(&waiting)));
    }
    drop(answered);
    let (begin, mut sent) = (Instant::now(), 0);
    let mut dues = dues.into_iter();
    let mut ticks = tokio::time::interval(TICK);
    while dues.len() > 0 {
        ticks.tick().await;
        let by_now = (begin.elapsed().as_secs_f64() * pace) as usize;
        for due in dues.by_ref().take(by_now.saturating_sub(sent)) {
            sent += 1;
            queue.borrow_mut().push_back(due);
            news.add_permits(1);
        }
    }
    // One permit more for each: it finds nothing, and ends.
    news.add_permits(CONNECTIONS);
    let (mut to_answer, mut to_see) = (Vec::new(), Vec::new());
    while let Some(times) = sending.join_next().await {
        to_answer.extend(times??);
    }
    while let Some(times) = looking.join_next().await {
        to_see.extend(times??);
    }
    Ok((to_answer, to_see))
}

pub fn run(
    place: &Place,
    report: &mut Report,
    rounds: usize,
    pace: f64,
    time: Duration,
) -> anyhow::Result<()> {
    report.head(&[
        "asked",
        "took",
        "looked for",
        "answered p50",
        "answered p99",
        "seen p50",
        "seen p99",
        "by 10 ms",
        "goal",
    ]);
    let count = (pace * time.as_secs_f64()) as usize;
    let (mut answered, mut seen) = (Vec::new(), Vec::new());
    let (mut took, mut in_time) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let office = Office::open(place, 1)?;
        let dues = (0..count).map(|number| due(&office, number)).collect();
        asking()?.block_on(LocalSet::new().run_until(async {
            let served = Served::start(Kind::Whole, &office.home)?;
            let begin = Instant::now();
            let (to_answer, to_see) = arrive(&served, dues, pace).await?;
            took.push(rate(count, begin.elapsed()));
            answered.extend(to_answer);
            seen.extend(to_see);
            shown(&served).await?;
            let mut wire = Wire::connect(served.address).await?;
            let all = figure(&mut wire, "parlance_projection_lag_seconds_count").await?;
            let soon = figure(&mut wire, "parlance_projection_lag_seconds_bucket{le=\"0.01\"}").await?;
            in_time.push(soon / all);
            anyhow::Ok(())
        }))?;
    }
    let p99 = percentile(&mut seen, 99);
    let goal = report.at_most_ms("seen p99", report.goals.seen_ms, p99);
    report.row([
        per_second(pace),
        per_second(median(took)),
        seen.len().to_string(),
        millis(percentile(&mut answered, 50)),
        millis(percentile(&mut answered, 99)),
        millis(percentile(&mut seen, 50)),
        millis(p99),
        format!("{:.1} %", 100.0 * median(in_time)),
        goal,
    ]);
    Ok(())
}

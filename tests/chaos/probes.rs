//! How long what is done in an account is not shown: accounts in which one thing is done after the other over living
//! servers, each time until a living server shows it. Their buckets are everywhere, so that whichever server
//! dies, work of some of them has to be taken over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parlance_tests::PATIENCE;
use parlance_tests::served::{Office, Person};
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use super::{
    dice::Dice,
    fleet::Fleet,
    hands::outside,
    told::{Asker, Told},
};

/// Accounts, their buckets drawn anew in every run: a server without any of them is rare.
const ACCOUNTS: usize = 6;
/// Between two probes of an account.
const PACE: Duration = Duration::from_millis(60);
/// Between two looks where something went wrong.
const AGAIN: Duration = Duration::from_millis(20);
/// A server that is stopped while it is asked answers when it goes on: it is left sooner.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Something that was done, and shown.
#[derive(Clone, Copy, Debug)]
struct Probe {
    answered: Instant,
    shown: Instant,
}

/// The longest that something was not shown, of so many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Longest {
    pub wait: Duration,
    pub probes: u32,
}

pub struct Probes {
    latest: Vec<watch::Receiver<Option<Probe>>>,
    at_work: Vec<JoinHandle<Longest>>,
    over: Arc<AtomicBool>,
}

struct Prober {
    admin: Person,
    fleet: Arc<Fleet>,
    asker: Arc<Asker>,
    over: Arc<AtomicBool>,
    latest: watch::Sender<Option<Probe>>,
    dice: Dice,
}

impl Prober {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    async fn run(self) -> Longest {
        let mut longest = Longest::default();
        let mut available = true;
        while self.goes_on() {
            available = !available;
            let input = json!({ "available": available });
            let address = self.fleet.address(&self.dice);
            let changing = self.asker.change(address, &self.admin.token, "setAvailability", input);
            let Ok(Told::Done(position)) = timeout(ANSWER_MAX, changing).await else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            let answered = Instant::now();
            if let Some(shown) = self.until_shown(position).await {
                // Without a database nobody can show anything.
                let wait = shown.saturating_duration_since(answered.max(self.fleet.postgres.back()));
                longest.wait = longest.wait.max(wait);
                longest.probes += 1;
                self.latest.send_replace(Some(Probe { answered, shown }));
            }
            tokio::time::sleep(PACE).await;
        }
        longest
    }

    async fn until_shown(&self, position: u64) -> Option<Instant> {
        let query = "query($at: Position) { account(atLeast: $at) { id } }";
        loop {
            let address = self.fleet.address(&self.dice);
            let variables = json!({ "at": outside(position) });
            let asking = self.asker.ask(address, &self.admin.token, query, variables);
            if let Ok(Some(_)) = timeout(ANSWER_MAX, asking).await {
                return Some(Instant::now());
            }
            if !self.goes_on() {
                return None;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl Probes {
    pub fn begin(office: &Office, fleet: &Arc<Fleet>, asker: &Arc<Asker>, seed: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (mut latest, mut at_work) = (Vec::new(), Vec::new());
        for number in 0..ACCOUNTS {
            let (_, admin) = office.another_account();
            let (tell, told) = watch::channel(None);
            let prober = Prober {
                admin,
                fleet: Arc::clone(fleet),
                asker: Arc::clone(asker),
                over: Arc::clone(&over),
                latest: tell,
                dice: Dice::new(seed, 300 + number as u64),
            };
            latest.push(told);
            at_work.push(tokio::spawn(prober.run()));
        }
        Self { latest, at_work, over }
    }

    /// Waits until in every account something is shown that was done after `since`; how long after it that was.
    pub async fn all_shown_since(&self, since: Instant) -> Duration {
        let mut last = since;
        for latest in &self.latest {
            let mut latest = latest.clone();
            let shown = latest.wait_for(|probe| probe.is_some_and(|probe| probe.answered >= since));
            let probe = timeout(PATIENCE, shown).await.expect("work is taken over").expect("it goes on");
            last = last.max(probe.expect("there is one").shown);
        }
        last - since
    }

    /// Ends them; the longest that something on a living server was not shown.
    pub async fn finish(&mut self) -> Longest {
        self.over.store(true, Ordering::Relaxed);
        let mut longest = Longest::default();
        for prober in self.at_work.drain(..) {
            let one = prober.await.expect("no prober panics");
            longest = Longest { wait: longest.wait.max(one.wait), probes: longest.probes + one.probes };
        }
        longest
    }
}

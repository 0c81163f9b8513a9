//! The providers: they deliver to whichever server, and deliver again what was not answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parlance_tests::served::Wire;
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};

use super::{dice::Dice, fleet::Fleet, told::Asker};
use crate::webhooks::mailbag::{Letter, Mailbag};

/// Connections with a request on each.
const SENDERS: usize = 6;
/// A delivery is given up, and sent again, as providers do.
const ANSWER_MAX: Duration = Duration::from_secs(4);
/// Between two deliveries on a connection: a load that leaves a small machine room for what is tested.
const PACE: Duration = Duration::from_millis(150);
/// Whoever meets a server that is gone looks for another one this much later.
const AGAIN: Duration = Duration::from_millis(20);

pub struct Post {
    pub bag: Arc<Mutex<Mailbag>>,
    senders: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

struct Sender {
    bag: Arc<Mutex<Mailbag>>,
    fleet: Arc<Fleet>,
    asker: Arc<Asker>,
    over: Arc<AtomicBool>,
    dice: Dice,
}

impl Sender {
    async fn run(self) {
        while let Some(letter) = self.next().await {
            if !self.deliver(&letter).await {
                self.bag.lock().await.cut_off(letter.0);
                tokio::time::sleep(AGAIN).await;
            } else if !self.over.load(Ordering::Relaxed) {
                tokio::time::sleep(PACE).await;
            }
        }
    }

    /// What is to be sent; `None`: everything was answered, and nothing new is to come.
    async fn next(&self) -> Option<Letter> {
        let mut bag = self.bag.lock().await;
        if self.over.load(Ordering::Relaxed) { bag.again() } else { Some(bag.next()) }
    }

    async fn deliver(&self, (index, request): &Letter) -> bool {
        let at = self.fleet.any_address(&self.dice);
        let asking = async { Wire::open(at).await?.ask(request).await };
        match timeout(ANSWER_MAX, asking).await {
            Ok(Ok(said)) if said.status == 200 => {
                self.bag.lock().await.acknowledged(*index);
                true
            }
            Ok(Ok(said)) => {
                if said.status != 503 {
                    self.asker.strange(format!("delivery {index}: {} {}", said.status, said.body));
                }
                false
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }
}

impl Post {
    pub fn begin(bag: Mailbag, fleet: &Arc<Fleet>, asker: &Arc<Asker>, seed: u64) -> Self {
        let (bag, over) = (Arc::new(Mutex::new(bag)), Arc::new(AtomicBool::new(false)));
        let senders = (0..SENDERS).map(|number| {
            let sender = Sender {
                bag: Arc::clone(&bag),
                fleet: Arc::clone(fleet),
                asker: Arc::clone(asker),
                over: Arc::clone(&over),
                dice: Dice::new(seed, 100 + number as u64),
            };
            tokio::spawn(sender.run())
        });
        let senders = senders.collect();
        Self { bag, senders, over }
    }

    /// Nothing new; everything that was sent is delivered.
    pub async fn finish(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for sender in self.senders.drain(..) {
            sender.await.expect("no sender panics");
        }
        let bag = self.bag.lock().await;
        let open = bag.deliveries.iter().filter(|delivery| !delivery.acknowledged).count();
        assert_eq!(open, 0, "every delivery is answered in the end");
    }
}

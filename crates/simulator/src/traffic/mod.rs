//! Runs a town against webhook addresses: at a rate, in batches, with repetitions and disorder as the providers promise
//! them. What is said is the town's, how it is sent and retried the sender's.

mod counts;
mod target;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

pub use counts::{Counts, Tally};
use rand::{RngExt, SeedableRng, rngs::StdRng};
pub use target::{Kind, Target};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{self, Instant},
};

use crate::{
    messenger::BATCH_MAX,
    request::Request,
    sender::{META_ANSWER_MAX, Sender},
    town::Town,
};

/// Events a second at most, far above what one machine answers.
const RATE_MAX: f64 = 100_000.0;

/// A delivery that is held back lets at most so many later ones pass, which also bounds how many are held.
const HELD_BEHIND_MAX: u32 = 8;

/// How far a run that fell behind its rate catches up: timers wake once a millisecond, so a fast run always lags a
/// little; what was missed while a webhook was away for long is not poured over it.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// How long the end of a run waits for answers: as long as a provider waits for one. Retries are not waited for.
const DRAIN_MAX: Duration = META_ANSWER_MAX;

/// The wait for an event at a rate near zero, where the quotient is no duration any more.
const GAP_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How a town is run. Probabilities are from 0 to 1; what is out of bounds, or no number, is taken for the nearest bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Events a second; 0 is silence.
    pub rate: f64,
    /// Events of a Messenger body at most, from 1 to 1,000; a body's own number is drawn. A step of the town is never
    /// cut, so that a body may have two more. Twilio sends one message a request.
    pub batch: usize,
    /// The probability that a delivery is sent again, as it is, after it was answered.
    pub repeat: f64,
    /// The probability that a delivery is held back behind up to eight later ones.
    pub reorder: f64,
    /// Every delivery starts late by a drawn time up to this one.
    pub delay_max: Duration,
    /// Deliveries under way at once, at least 1. Only with 1 of them is everything delivered in order: deliveries side
    /// by side may overtake each other, as they do in reality.
    pub in_flight: usize,
}

impl Default for Options {
    /// One event a second, each in a body of its own, in order, once.
    fn default() -> Self {
        Self { rate: 1.0, batch: 1, repeat: 0.0, reorder: 0.0, delay_max: Duration::ZERO, in_flight: 1 }
    }
}

/// A town with the addresses it writes to.
#[derive(Debug)]
pub struct Traffic {
    town: Town,
    targets: Vec<Target>,
    options: Options,
    sender: Sender,
    counts: Arc<Counts>,
    rng: StdRng,
}

/// A delivery before it is started.
#[derive(Debug)]
struct Delivery {
    url: String,
    request: Request,
    events: u64,
    delay: Duration,
    /// The wait before it is sent again, if it is.
    again: Option<Duration>,
}

/// A delivery that lets later ones pass.
#[derive(Debug)]
struct Held {
    delivery: Delivery,
    behind: u32,
}

impl Traffic {
    /// The same seed, targets and options make the same bodies, but for the times in them.
    ///
    /// # Panics
    ///
    /// If there is no target.
    pub fn new(seed: u64, targets: Vec<Target>, options: Options, sender: Sender) -> Self {
        let town = Town::of(seed, targets.iter().map(Target::channel));
        let rng = StdRng::seed_from_u64(seed);
        Self { town, targets, options: options.bounded(), sender, counts: Arc::default(), rng }
    }

    /// What has been sent and answered, also while it runs.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Runs until `stop` is true or its sender is gone, then sends what is held back and waits up to 20 seconds for
    /// answers. A task that is aborted instead ends everything at once. `clock` tells Unix milliseconds.
    pub async fn run(mut self, clock: impl Fn() -> u64 + Send, mut stop: watch::Receiver<bool>) -> Tally {
        let mut flights = Flights::new(self.options.in_flight);
        let mut held: Vec<Held> = Vec::new();
        let mut due = Instant::now();
        while self.options.rate > 0.0 {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = time::sleep_until(due) => {}
            }
            let (events, deliveries) = self.compose(clock());
            due += gap(events, self.options.rate);
            due = Instant::now().checked_sub(CATCH_UP_MAX).map_or(due, |earliest| due.max(earliest));
            for delivery in deliveries {
                if self.rng.random_bool(self.options.reorder) {
                    held.push(Held { delivery, behind: self.rng.random_range(1..=HELD_BEHIND_MAX) });
                    continue;
                }
                let mut next = vec![delivery];
                for held in &mut held {
                    held.behind = held.behind.saturating_sub(1);
                }
                next.extend(held.extract_if(.., |held| held.behind == 0).map(|held| held.delivery));
                for delivery in next {
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => {
                            // No room became free before the end: it goes with those held back.
                            held.push(Held { delivery, behind: 0 });
                        }
                        permit = flights.room() => self.start(delivery, permit, &mut flights),
                    }
                }
            }
        }
        if self.options.rate <= 0.0 {
            // Only the end of the run is waited for; that the sender is gone is such an end, too.
            let _ = stop.wait_for(|stop| *stop).await;
        }
        let drained = time::timeout(DRAIN_MAX, async {
            for Held { delivery, .. } in held {
                let permit = flights.room().await;
                self.start(delivery, permit, &mut flights);
            }
            while flights.tasks.join_next().await.is_some() {}
        });
        // What is still without an answer is given up with the flights; the counts show how many they were.
        let _ = drained.await;
        self.counts.tally()
    }

    /// The next step of the town, filled up to a batch, as deliveries, with the number of its events.
    fn compose(&mut self, at_ms: u64) -> (u32, Vec<Delivery>) {
        let step = self.town.next(at_ms);
        let place = self
            .targets
            .iter()
            .position(|target| target.channel() == step.channel)
            .expect("the town was made of the targets");
        let mut happenings = step.events;
        if self.targets[place].kind == Kind::Messenger {
            let wanted = self.rng.random_range(1..=self.options.batch);
            while happenings.len() < wanted {
                happenings.extend(self.town.next_in(place, at_ms).events);
            }
        }
        let target = &self.targets[place];
        let requests = target.requests(&happenings);
        let Self { rng, options, .. } = self;
        let mut deliveries = Vec::new();
        for (events, request) in requests {
            let delay = drawn_delay(rng, options.delay_max);
            let again = rng.random_bool(options.repeat).then(|| drawn_delay(rng, options.delay_max));
            deliveries.push(Delivery { url: target.webhook_url.clone(), request, events, delay, again });
        }
        (u32::try_from(happenings.len()).expect("a batch is bounded"), deliveries)
    }

    fn start(&self, delivery: Delivery, permit: OwnedSemaphorePermit, flights: &mut Flights) {
        let (sender, counts) = (self.sender.clone(), self.counts());
        flights.tasks.spawn(async move {
            let _room = permit;
            let Delivery { url, request, events, delay, again } = delivery;
            time::sleep(delay).await;
            counts.starts(events);
            counts.ends(&sender.deliver(&url, &request).await);
            if let Some(delay) = again {
                time::sleep(delay).await;
                counts.repeats();
                counts.ends(&sender.deliver(&url, &request).await);
            }
        });
    }
}

impl Options {
    fn bounded(self) -> Self {
        // A comparison with what is no number is false, so it becomes the lower bound.
        let within = |value: f64, max: f64| if value > 0.0 { value.min(max) } else { 0.0 };
        Self {
            rate: within(self.rate, RATE_MAX),
            batch: self.batch.clamp(1, BATCH_MAX),
            repeat: within(self.repeat, 1.0),
            reorder: within(self.reorder, 1.0),
            delay_max: self.delay_max,
            in_flight: self.in_flight.clamp(1, Semaphore::MAX_PERMITS),
        }
    }
}

/// Deliveries under way. Dropping it ends them.
struct Flights {
    tasks: JoinSet<()>,
    rooms: Arc<Semaphore>,
}

impl Flights {
    fn new(rooms: usize) -> Self {
        Self { tasks: JoinSet::new(), rooms: Arc::new(Semaphore::new(rooms)) }
    }

    /// Waits for room for one more.
    async fn room(&mut self) -> OwnedSemaphorePermit {
        // Forgets those that came to their end, which are no more than there are rooms.
        while self.tasks.try_join_next().is_some() {}
        Arc::clone(&self.rooms).acquire_owned().await.expect("the rooms are never closed")
    }
}

fn gap(events: u32, rate: f64) -> Duration {
    Duration::try_from_secs_f64(f64::from(events) / rate).unwrap_or(GAP_MAX).min(GAP_MAX)
}

fn drawn_delay(rng: &mut StdRng, max: Duration) -> Duration {
    if max.is_zero() { max } else { rng.random_range(Duration::ZERO..=max) }
}

//! One disturbance after the other, drawn by the seed, each until everything is shown again.

use std::time::{Duration, Instant};

use parlance_private_postgres::Stop;

use super::{LEASE, MARGIN, PROGRAM, fleet::Fleet, number, world::World};

/// Servers on the one database.
const SERVERS: usize = 3;
/// What a stopped server sleeps beyond its lease at least, and what at random besides.
const BEYOND: Duration = Duration::from_millis(500);
const AT_RANDOM_MS: usize = 2_000;
/// How long it is calm before the next one, at most.
const CALM_MS: usize = 600;

#[derive(Clone, Copy, Debug)]
enum Disturbance {
    /// `kill -9` of one server.
    Kill,
    /// `kill -9` of two.
    KillTwo,
    /// SIGSTOP of one, until another has its work.
    Pause,
    /// SIGSTOP of one, and `kill -9` of another.
    PauseAndKill,
    /// PostgreSQL stopped and started.
    Restart,
    /// PostgreSQL crashed and started.
    Crash,
    /// PostgreSQL crashed while a server is killed.
    CrashAndKill,
    /// SIGTERM of one.
    End,
}

const ALL: [Disturbance; 8] = [
    Disturbance::Kill,
    Disturbance::KillTwo,
    Disturbance::Pause,
    Disturbance::PauseAndKill,
    Disturbance::Restart,
    Disturbance::Crash,
    Disturbance::CrashAndKill,
    Disturbance::End,
];
/// What there is time for in every run of the tests.
const SHORT: [Disturbance; 3] = [Disturbance::PauseAndKill, Disturbance::CrashAndKill, Disturbance::Restart];

impl World {
    async fn disturb(&self, what: Disturbance) -> Duration {
        tokio::time::sleep(Duration::from_millis(self.dice.below(CALM_MS) as u64)).await;
        let one = self.fleet.any_living(&self.dice);
        let other = (one + 1 + self.dice.below(SERVERS - 1)) % SERVERS;
        let begun = Instant::now();
        match what {
            Disturbance::Kill => self.fleet.kill(one),
            Disturbance::KillTwo | Disturbance::PauseAndKill => {
                let first = if matches!(what, Disturbance::KillTwo) { Fleet::kill } else { Fleet::pause };
                first(&self.fleet, one);
                self.fleet.kill(other);
            }
            Disturbance::Pause => self.fleet.pause(one),
            Disturbance::Restart => self.fleet.postgres.restart(Stop::Fast),
            Disturbance::Crash => self.fleet.postgres.restart(Stop::Immediate),
            Disturbance::CrashAndKill => {
                self.fleet.kill(one);
                self.fleet.postgres.restart(Stop::Immediate);
            }
            Disturbance::End => self.fleet.end(one),
        }
        // A database that is gone and servers that end take their time, which is not theirs who take over.
        let since = match what {
            Disturbance::Restart | Disturbance::Crash | Disturbance::CrashAndKill => {
                self.fleet.postgres.back()
            }
            _ => begun,
        };
        let taken = self.probes.all_shown_since(since).await;
        match what {
            Disturbance::Kill | Disturbance::CrashAndKill | Disturbance::End => {
                self.fleet.begin(one, PROGRAM);
            }
            Disturbance::KillTwo => [one, other].into_iter().for_each(|one| self.fleet.begin(one, PROGRAM)),
            Disturbance::Pause | Disturbance::PauseAndKill => {
                if matches!(what, Disturbance::PauseAndKill) {
                    self.fleet.begin(other, PROGRAM);
                }
                let asleep = LEASE + BEYOND + Duration::from_millis(self.dice.below(AT_RANDOM_MS) as u64);
                tokio::time::sleep(asleep.saturating_sub(begun.elapsed())).await;
                self.fleet.go_on(one);
            }
            Disturbance::Restart | Disturbance::Crash => {}
        }
        self.probes.all_shown_since(Instant::now()).await;
        taken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_is_lost_or_done_twice_whatever_happens_to_servers_and_database() {
    let seconds = number("PARLANCE_CHAOS_SECONDS", 0);
    let seed = number("PARLANCE_CHAOS_SEED", u64::from(std::process::id()));
    let Some(world) = World::open(PROGRAM, SERVERS, seed).await else { return };
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    let mut happened = 0;
    let mut run = async |what: Disturbance| {
        let taken = world.disturb(what).await;
        happened += 1;
        longest = longest.max(taken);
        println!(
            "{happened:>4} after {:>6.1?} {what:?}: everything shown {taken:.1?} later",
            begun.elapsed()
        );
        assert!(taken <= LEASE + MARGIN, "{what:?}: work was taken over after {taken:?}");
    };
    if seconds == 0 {
        for what in SHORT {
            run(what).await;
        }
    }
    while begun.elapsed().as_secs() < seconds {
        run(*world.dice.one_of(&ALL)).await;
    }
    println!("{happened} disturbances in {:?}; the longest takeover: {longest:?}", begun.elapsed());
    world.finish(&[PROGRAM]).await;
}

//! An upgrade without a pause, and back: the servers of an earlier release are replaced one by one under load, after
//! the newer one's `migrate`, and work side by side with it. Without `PARLANCE_OLD_BINARY` both are this build;
//! `tests/rolling/run` makes an earlier one.

use std::time::{Duration, Instant};

use parlance_tests::served::run;
use tokio::task::block_in_place;

use super::{PROGRAM, number, world::World};

/// Servers at a time.
const SERVERS: usize = 2;

/// The variable that names an earlier release's program.
const OLD: &str = "PARLANCE_OLD_BINARY";

impl World {
    /// One server is asked to end, and another program takes its place.
    async fn replace(&self, index: usize, program: &str, what: &str) {
        let begun = Instant::now();
        self.fleet.end(index);
        self.fleet.begin(index, program);
        let taken = begun.elapsed();
        self.probes.all_shown_since(Instant::now()).await;
        println!("server {index} is {what} after {taken:.1?}");
    }

    /// For a while: longer, where there are two builds.
    async fn side_by_side(&self) {
        let seconds = if std::env::var_os(OLD).is_some() { 10 } else { 1 };
        let until = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < until {
            self.probes.all_shown_since(Instant::now()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn servers_are_replaced_one_by_one_by_another_release_and_back_under_load() {
    let (old, new) = (std::env::var(OLD).unwrap_or_else(|_| PROGRAM.to_owned()), PROGRAM);
    let seed = number("PARLANCE_CHAOS_SEED", u64::from(std::process::id()));
    let Some(world) = World::open(&old, SERVERS, seed).await else { return };
    world.side_by_side().await;
    let migrated = block_in_place(|| run(new, world.office.folder.path(), &["migrate"]));
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    print!("{}", String::from_utf8_lossy(&migrated.stdout));
    // The old one goes on with the newer tables.
    world.side_by_side().await;
    world.replace(0, new, "new").await;
    world.side_by_side().await;
    world.replace(1, new, "new").await;
    world.side_by_side().await;
    world.replace(0, &old, "old again").await;
    world.side_by_side().await;
    world.replace(0, new, "new").await;
    world.finish(&[&old, new]).await;
}

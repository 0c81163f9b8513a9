//! Everything at once: the servers, the load on them, and what is known of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parlance_tests::{
    Home, PATIENCE,
    served::{Office, Person, run},
};
use serde_json::json;
use tokio::task::block_in_place;

use super::{
    LEASE, MARGIN, PUBLIC_URL,
    dice::Dice,
    fleet::{Fleet, Postgres},
    follower::{Followed, Follower, Rows, load},
    hands::Hands,
    posting::Post,
    probes::Probes,
    told::{Asker, Told},
    truth,
};
use crate::webhooks::mailbag::Mailbag;

/// Two who may change no settings, beside the admin, who alone may delete.
const MEMBERS: [&str; 2] = ["bea@example.hu", "cecil@example.hu"];
/// Between two tries of something that a living server puts off.
const AGAIN: Duration = Duration::from_millis(50);

pub struct World {
    pub office: Office,
    pub fleet: Arc<Fleet>,
    pub probes: Probes,
    pub dice: Dice,
    asker: Arc<Asker>,
    post: Post,
    hands: Hands,
    followers: Vec<(Person, Follower)>,
}

impl World {
    /// Opens it, its servers of this program, and lets the load begin. `None`: there is no PostgreSQL.
    pub async fn open(program: &str, servers: usize, seed: u64) -> Option<Self> {
        println!("PARLANCE_CHAOS_SEED={seed}");
        let postgres = Arc::new(Postgres::start().await?);
        let home = Home::on(&postgres.database.url);
        let mut office = Office::open_in(home, program, &["--public-url", PUBLIC_URL]).await;
        let mut people = vec![office.admin.clone()];
        for email in MEMBERS {
            people.push(office.member(email, &[]).await);
        }
        assert!(block_in_place(|| office.served.end()), "a server ends well");
        let folder = office.folder.path();
        let fleet = Fleet::start(postgres, folder, &office.providers.url, servers, program);
        let asker = Arc::new(Asker::new());
        let probes = block_in_place(|| Probes::begin(&office, &fleet, &asker, seed));
        let post = Post::begin(Mailbag::new(&office, seed), &fleet, &asker, seed);
        let hands = Hands::begin(&people, &fleet, &asker, seed);
        let followers = [0, 1].map(|number| {
            let me = people[number].clone();
            let follower = Follower::begin(&me, &fleet, &asker, seed + number as u64);
            (me, follower)
        });
        let followers = followers.into();
        let dice = Dice::new(seed, 0);
        let world = Self { office, fleet, probes, dice, asker, post, hands, followers };
        world.probes.all_shown_since(Instant::now()).await;
        Some(world)
    }

    /// Where the account's log ends, as a change without effect tells it; everything is quiet.
    async fn head(&self) -> u64 {
        let begun = Instant::now();
        loop {
            let address = self.fleet.address(&self.dice);
            let told = self.asker.change(address, &self.office.admin.token, "updateAccount", json!({})).await;
            if let Told::Done(position) = told {
                return position;
            }
            assert!(begun.elapsed() < PATIENCE, "a quiet server answers; it told {told:?}");
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn loaded(&self, me: &Person, head: u64) -> Rows {
        let begun = Instant::now();
        loop {
            let address = self.fleet.address(&self.dice);
            if let Some(rows) = load(&self.asker, address, me, head).await {
                return rows;
            }
            assert!(begun.elapsed() < PATIENCE, "a quiet server shows everything");
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Lets the load come to its end, everything being up, and holds what there is against what was answered.
    /// `programs`: those that verify the read models, each by its own replay.
    pub async fn finish(mut self, programs: &[&str]) {
        self.hands.finish().await;
        self.post.finish().await;
        let longest = self.probes.finish().await;
        let head = self.head().await;
        for (me, follower) in std::mem::take(&mut self.followers) {
            let Followed { rows, streams, changes, loads } = follower.finish(head).await;
            let loaded = self.loaded(&me, head).await;
            assert_eq!(rows, loaded, "what {} was told is what a fresh load shows", me.email);
            println!(
                "{}: {} conversations after {changes} changes over {streams} streams, loaded {loads} times",
                me.email,
                rows.len()
            );
        }
        block_in_place(|| self.fleet.end_all());
        self.asker.nothing_strange();
        let bag = self.post.bag.lock().await;
        let notes = std::mem::take(&mut *self.hands.notes.lock().expect("no panic while locked"));
        for program in programs {
            let verified =
                block_in_place(|| run(program, self.office.folder.path(), &["projections", "verify"]));
            assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
            print!("{program}: {}", String::from_utf8_lossy(&verified.stdout));
        }
        let counted = truth::check(&self.office, &self.fleet.folders(), &bag, &notes).await;
        println!("{} deliveries; {counted}", bag.deliveries.len());
        println!("{} probes; the longest that anything was not shown: {:?}", longest.probes, longest.wait);
        assert!(longest.wait <= LEASE + MARGIN, "work was taken over after {:?}", longest.wait);
    }
}

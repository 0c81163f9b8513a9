//! `kill -9` at random moments while webhooks arrive, again and again on the same folder. Whoever sends them is
//! not the one who dies: what got a 2xx is in the log exactly once, and what got nothing is sent again.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use parlance_tests::{
    PATIENCE,
    served::{Office, Wire},
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::{
    ledger::check,
    mailbag::{Letter, Mailbag, text},
    office,
};

/// Connections with a request on each.
const SENDERS: usize = 64;
/// The log is read whole after every so many rounds, and after the last.
const CHECK_EVERY: u32 = 5;

/// The mailbag among its senders.
#[derive(Clone)]
struct Post {
    mailbag: Arc<Mutex<Mailbag>>,
    answered: Arc<Notify>,
}

impl Post {
    async fn bag(&self) -> MutexGuard<'_, Mailbag> {
        self.mailbag.lock().await
    }

    /// Sends one delivery after the other until there is none, or until the server is gone; whether that cut one off.
    async fn carry(self, address: SocketAddr, next: fn(&mut Mailbag) -> Option<Letter>) -> bool {
        let Ok(mut wire) = Wire::open(address).await else { return false };
        loop {
            let Some((index, request)) = next(&mut *self.bag().await) else { return false };
            match wire.ask(&request).await {
                Ok(said) => {
                    assert_eq!(said.status, 200, "delivery {index}: {}", said.body);
                    self.bag().await.acknowledged(index);
                    self.answered.notify_one();
                }
                Err(_) => {
                    self.bag().await.cut_off(index);
                    return true;
                }
            }
        }
    }

    /// One life of the server: it is sent webhooks until the dice say that it dies. Gives the requests in flight by then.
    async fn live(&self, office: &mut Office) -> usize {
        let (answers, moment) = {
            let bag = self.bag().await;
            (1 + bag.below(300), u64::from(bag.below(3_000)))
        };
        let address = office.served.address;
        let senders: Vec<_> =
            (0..SENDERS).map(|_| tokio::spawn(self.clone().carry(address, |bag| Some(bag.next())))).collect();
        for _ in 0..answers {
            tokio::time::timeout(PATIENCE, self.answered.notified()).await.expect("it lives and answers");
        }
        // With the next answer, or some part of a millisecond later, between any two system calls.
        let _ = tokio::time::timeout(Duration::from_micros(moment), self.answered.notified()).await;
        office.served.kill();
        let mut cut_off = 0;
        for sender in senders {
            cut_off += usize::from(sender.await.expect("no sender panics"));
        }
        cut_off
    }

    /// Everything that was cut off is sent again, and answered.
    async fn finish(&self, office: &Office) {
        let address = office.served.address;
        let senders: Vec<_> =
            (0..SENDERS).map(|_| tokio::spawn(self.clone().carry(address, Mailbag::again))).collect();
        for sender in senders {
            assert!(!sender.await.expect("no sender panics"), "it lives and answers");
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_over_http_outlives_kill_nine() {
    let rounds = u32::try_from(number("PARLANCE_HTTP_KILL_ROUNDS", 4)).unwrap();
    let seed = number("PARLANCE_KILL_SEED", 20_260_101);
    println!("seed {seed}");
    let begin = Instant::now();
    let mut office = office().await;
    let post = Post {
        mailbag: Arc::new(Mutex::new(Mailbag::new(&office, seed))),
        answered: Arc::new(Notify::new()),
    };
    let (mut kills_in_flight, mut requests_in_flight) = (0, 0);
    for round in 1..=rounds {
        let cut_off = post.live(&mut office).await;
        println!(
            "round {round}: {} drawn so far, {cut_off} in flight at the kill",
            post.bag().await.deliveries.len()
        );
        kills_in_flight += u32::from(cut_off > 0);
        requests_in_flight += cut_off;
        if round % CHECK_EVERY == 0 || round == rounds {
            check(&office, &*post.bag().await).await;
        }
        office.start();
    }
    assert!(kills_in_flight * 5 >= rounds * 4, "only {kills_in_flight} of {rounds} kills cut something off");
    post.finish(&office).await;
    let bag = post.bag().await;
    assert!(bag.deliveries.iter().all(|delivery| delivery.acknowledged), "nothing is left to be answered");
    everything_is_shown(&office, &bag).await;
    assert!(office.served.end(), "it ends well");
    let counted = check(&office, &bag).await;
    println!(
        "{rounds} kills, {kills_in_flight} with requests in flight ({requests_in_flight} in all); {} deliveries, \
         {counted}, in {:?}",
        bag.deliveries.len(),
        begin.elapsed()
    );
}

/// Every text is in a thread once.
async fn everything_is_shown(office: &Office, bag: &Mailbag) {
    let told = bag.deliveries.iter().flat_map(|delivery| &delivery.messages);
    let told: BTreeSet<String> = told.map(|(_, id)| text(id)).collect();
    // A mutation that changes nothing tells where the log ends; what was told by then has to be shown.
    let input = json!({ "available": true });
    let head = office.change(&office.admin, "setAvailability", "member { id }", input).await;
    let list = "query($after: String, $atLeast: Position) { conversations(section: UNASSIGNED, first: 100, \
                after: $after, atLeast: $atLeast) { nodes { id } pageInfo { hasNextPage endCursor } } }";
    let thread = "query($id: ID!, $after: String) { conversation(id: $id) { messages(first: 100, after: $after) \
                  { nodes { text } pageInfo { hasNextPage endCursor } } } }";
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let listing = json!({ "atLeast": head["position"] });
    for conversation in pages(office, list, listing, |data| data["conversations"].take()).await {
        let opening = json!({ "id": conversation["id"] });
        for message in pages(office, thread, opening, |data| data["conversation"]["messages"].take()).await {
            *shown.entry(message["text"].as_str().expect("a text").to_owned()).or_default() += 1;
        }
    }
    assert_eq!(shown.len(), told.len(), "as many texts are shown as were told");
    assert!(shown.iter().all(|(text, times)| *times == 1 && told.contains(text)), "each is shown once");
}

/// All nodes of a list, page by page.
async fn pages(
    office: &Office,
    query: &str,
    mut variables: Value,
    list: impl Fn(&mut Value) -> Value,
) -> Vec<Value> {
    let mut nodes = Vec::new();
    loop {
        let mut page = list(&mut office.ask(&office.admin, query, variables.clone()).await);
        nodes.extend(page["nodes"].as_array_mut().map(std::mem::take).expect("a page has nodes"));
        if page["pageInfo"]["hasNextPage"] != true {
            return nodes;
        }
        variables["after"] = page["pageInfo"]["endCursor"].take();
    }
}

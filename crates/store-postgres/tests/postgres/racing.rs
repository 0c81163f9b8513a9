//! Several stores on one database, and several processes that are killed: one log.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use parlance_domain::{AccountId, Position};
use parlance_store::EventLog as _;
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use uuid::Uuid;

use crate::support::{
    self,
    log::{Random, Told, check, seed, write_one},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_stores_write_one_gapless_log_and_readers_see_it_grow_in_order() {
    const STORES: u64 = 4;
    const EACH: usize = 60;
    let Some(database) = support::database().await else { return };
    let seed = seed();
    let account = AccountId::new(Random(seed).id());
    let mut writers = Vec::new();
    for number in 0..STORES {
        let store = support::store(&database).await;
        for task in 0..2 {
            let (store, mut random) = (store.clone(), Random(seed ^ (number * 2 + task + 1)));
            writers.push(tokio::spawn(async move {
                let mut told: Vec<Told> = Vec::new();
                while told.len() < EACH {
                    told.extend(write_one(&store, account, &mut random).await);
                }
                told
            }));
        }
    }
    let store = support::store(&database).await;
    let (over, is_over) = tokio::sync::watch::channel(false);
    let reader = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut seen = 0;
            loop {
                // What was there when the writers had ended is still to be read.
                let last = *is_over.borrow();
                let page = store.read(account, Position::new(seen), 50).await.expect("a log can be read");
                for event in &page {
                    seen += 1;
                    assert_eq!(event.position.number(), seen, "a position before the one before it");
                }
                if page.is_empty() && last {
                    return seen;
                }
            }
        })
    };
    let mut told = Vec::new();
    for writer in writers {
        told.extend(writer.await.expect("no writer panics"));
    }
    over.send(true).expect("the reader is there");
    let count = check(&store, account, &told).await;
    assert_eq!(reader.await.expect("the reader does not panic"), count as u64);
    assert_eq!(told.iter().map(|told| told.count).sum::<u64>(), count as u64, "nothing but what was told");
}

/// What a writer's process is told: a database's address, an account, what its random numbers begin with.
const WRITER: &str = "PARLANCE_WRITER";
/// The name of the test that such a process runs.
const WRITER_TEST: &str = "racing::a_process_that_writes";
/// How a line begins that tells of an acknowledged append.
const TOLD: &str = "told";

/// No test unless it is asked for by the one below: then it is one of its processes, and writes until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_writes() {
    let Ok(given) = std::env::var(WRITER) else { return };
    let [url, account, seed] = given.split(' ').collect::<Vec<_>>()[..] else { panic!("{given}") };
    let account = AccountId::new(account.parse().expect("an id"));
    let mut random = Random(seed.parse().expect("a number"));
    let options = PostgresOptions { connections: 2, ..PostgresOptions::default() };
    let store = PostgresStore::connect(url, options).await.expect("the database is connected to");
    // Ends by itself when nobody reads what it tells, so that none is ever left behind.
    loop {
        let Some(told) = write_one(&store, account, &mut random).await else { continue };
        let line = format!("{TOLD} {} {} {}\n", told.cause.uuid(), told.first.number(), told.count);
        let mut out = std::io::stdout();
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// A process of its own, killed when this goes.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a writer; its acknowledgements go to `tell`, by a thread that ends with it.
fn start_writer(url: &str, account: AccountId, seed: u64, tell: mpsc::Sender<Told>) -> Writer {
    let mut command = Command::new(std::env::current_exe().expect("this test has a file"));
    command.args(["--exact", WRITER_TEST, "--nocapture"]);
    command.env(WRITER, format!("{url} {} {seed}", account.uuid()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a process starts");
    let out = child.stdout.take().expect("it tells by its output");
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // The harness writes the test's name before the first line, and who is killed may end within one.
            let Some(told) = line.find(TOLD).and_then(|at| parse(&line[at..])) else { continue };
            if tell.send(told).is_err() {
                break;
            }
        }
    });
    Writer(child)
}

fn parse(line: &str) -> Option<Told> {
    let mut words = line.split(' ').skip(1);
    let cause = words.next()?.parse::<Uuid>().ok()?;
    let first = words.next()?.parse().ok()?;
    let count = words.next()?.parse().ok()?;
    Some(Told { cause: parlance_domain::CommandId::new(cause), first: Position::new(first), count })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_at_random_leave_one_log() {
    const PROCESSES: usize = 3;
    const KILLS: usize = 9;
    /// Acknowledgements between two kills, at most.
    const BETWEEN: u64 = 40;
    const TOLD_MAX: Duration = Duration::from_secs(60);
    let Some(database) = support::database().await else { return };
    let mut random = Random(seed());
    let account = AccountId::new(random.id());
    let (tell, told) = mpsc::channel();
    let mut writers: Vec<_> =
        (0..PROCESSES).map(|_| start_writer(&database.url, account, random.next(), tell.clone())).collect();
    let kills: Vec<_> = (0..KILLS).map(|_| (random.below(BETWEEN) + 1, random.next())).collect();
    let url = database.url.clone();
    let killing = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        for (after, number) in kills {
            for _ in 0..after {
                all.push(told.recv_timeout(TOLD_MAX).expect("appends go on"));
            }
            let at = usize::try_from(number % PROCESSES as u64).expect("a small number");
            drop(std::mem::replace(&mut writers[at], start_writer(&url, account, number, tell.clone())));
        }
        drop((writers, tell));
        // Until the last of the threads that listen to them has ended.
        all.extend(told.iter());
        all
    });
    let told = killing.await.expect("killing does not panic");
    let store = support::store(&database).await;
    // Sessions of the killed may be at work yet: they end before the log is looked at.
    let (client, connection) =
        tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let wait = "SELECT last_position FROM log_heads FOR UPDATE";
    client.query(wait, &[]).await.expect("the head is free");
    assert!(check(&store, account, &told).await >= told.len());
    println!("{} acknowledged", told.len());
}

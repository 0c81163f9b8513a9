//! What PostgreSQL does for every call of the log and the keys, told by itself: no table is read but along an index,
//! and along no more of it than was asked for.

use parlance_domain::{AccountId, CommandId, DedupeToken, KeyId, Position};
use parlance_store::{AccountKeys, EventLog, KeyOp, Keys as _, Outcome, Snapshot};
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio_postgres::NoTls;

use crate::support::{
    self,
    log::{Random, batch, seed, streams},
    proxy::{Cut, Proxy},
};

/// Sessions with this say what each of their statements does, those inside of functions too.
const EXPLAINED: &str = "options=-c%20session_preload_libraries%3Dauto_explain\
    %20-c%20auto_explain.log_min_duration%3D0%20-c%20auto_explain.log_nested_statements%3Don";

/// Tables of accounts' data that the log's statements may touch.
const TABLES: [&str; 6] =
    ["events", "log_heads", "snapshots", "account_keys", "data_keys", "erasures_pending"];

async fn fill(store: &impl EventLog, account: AccountId, random: &mut Random) {
    for stream in streams(account) {
        let cause = CommandId::new(random.id());
        let mut batch = batch(account, stream, 0, 800, cause);
        for event in &mut batch.events {
            event.dedupe = Some(DedupeToken::from_bytes(random.id().into_bytes()));
        }
        for _ in 0..40 {
            batch.keys.push(KeyOp::Create { key: KeyId::new(random.id()), wrapped: vec![1; 73] });
        }
        batch.snapshots.push(Snapshot { stream, version: 800, shape: 1, state: vec![2; 90] });
        assert!(matches!(store.append(batch).await, Ok(Outcome::Appended(_))));
    }
}

/// Everything that the log and the keys are asked, once.
async fn ask_everything(store: &PostgresStore, proxy: &Proxy, account: AccountId, random: &mut Random) {
    let stream = streams(account)[0];
    let (key, cause) = (KeyId::new(random.id()), CommandId::new(random.id()));
    let token = DedupeToken::from_bytes(random.id().into_bytes());
    let mut next = batch(account, stream, 800, 2, cause);
    next.events[0].dedupe = Some(token);
    let keys = AccountKeys { account_key: vec![1], id_key: vec![2] };
    next.keys =
        vec![KeyOp::CreateAccount(keys), KeyOp::Create { key, wrapped: vec![3; 73] }, KeyOp::Destroy { key }];
    next.snapshots = vec![Snapshot { stream, version: 802, shape: 1, state: vec![] }];
    assert!(matches!(store.append(next.clone()).await, Ok(Outcome::Appended(_))));
    assert!(matches!(store.append(next).await, Ok(Outcome::Rejected(_))));
    let lost = batch(account, stream, 802, 2, cause);
    proxy.cut_next(Cut::After);
    assert!(matches!(store.append(lost).await, Ok(Outcome::Appended(_))));
    let after = Position::new(1_000);
    store.head(account).await.expect("a head");
    assert_eq!(store.read(account, after, 10).await.expect("a page").len(), 10);
    assert_eq!(store.read_stream(account, stream, 700, 5).await.expect("a page").len(), 5);
    assert_eq!(store.load(account, stream, 1).await.expect("a load").events.len(), 2);
    assert_eq!(store.caused_by(account, cause, after).await.expect("positions").len(), 4);
    assert!(store.position_of(account, token).await.expect("a position").is_some());
    assert_eq!(store.touched(account, after, 9).await.expect("what was touched").len(), 9);
    for after in [None, Some(account)] {
        store.heads(after, 5).await.expect("heads");
    }
    assert!(store.account_keys(account).await.expect("keys").is_some());
    store.data_keys(account, vec![key, KeyId::new(random.id())]).await.expect("keys");
}

/// The plans of a server's log, each as its lines.
fn plans(log: &str) -> Vec<Vec<&str>> {
    let mut plans: Vec<Vec<&str>> = Vec::new();
    for line in log.lines() {
        if line.contains(" plan:") && line.contains("duration: ") {
            plans.push(Vec::new());
        } else if let (Some(plan), true) = (plans.last_mut(), line.starts_with('\t')) {
            plan.push(line.trim());
        }
    }
    plans
}

/// The condition that a look at a table seeks along its index; `None`: it reads everything.
fn condition<'a>(plan: &[&'a str], at: usize) -> Option<&'a str> {
    let node = |line: &str| line.contains("(cost=");
    plan[at + 1..].iter().take_while(|line| !node(line)).find_map(|line| line.strip_prefix("Index Cond: "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_of_the_log_is_a_seek() {
    let Some(server) = support::listening() else { return };
    let database = server.empty_database().await;
    PostgresStore::migrate(&database.url).await.expect("an empty database is migrated");
    let mut random = Random(seed());
    let accounts = [AccountId::new(random.id()), AccountId::new(random.id())];
    let plain = support::store(&database).await;
    for account in accounts {
        fill(&plain, account, &mut random).await;
    }
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    client.batch_execute("ANALYZE").await.expect("statistics can be made");
    let proxy = Proxy::before(server.port()).await;
    let url = format!("postgres://parlance@127.0.0.1:{}/{}?{EXPLAINED}", proxy.port, database.name);
    let options = PostgresOptions { connections: 2, ..PostgresOptions::default() };
    let store = PostgresStore::connect(&url, options).await.expect("it is connected to");
    // What it asks by itself at first is not what is cut.
    store.erased().await;
    ask_everything(&store, &proxy, accounts[0], &mut random).await;
    drop(store);

    let log = std::fs::read_to_string(server.folder().join("log")).expect("the server writes a log");
    let plans = plans(&log);
    let mut looks = 0;
    for plan in &plans {
        for (at, line) in plan.iter().enumerate() {
            let looked_at = TABLES.iter().find(|table| {
                line.contains("Scan") && line.split(" on ").nth(1).is_some_and(|on| on.starts_with(**table))
            });
            let Some(table) = looked_at else { continue };
            looks += 1;
            let whole = plan.join("\n");
            assert!(line.contains("Index "), "{table} is read as a whole:\n{whole}");
            // Heads are walked in their order by whoever lists them, and so is what is to leave the files: there are
            // rows of the kind for as long as that takes. Everything else is one account's.
            let Some(condition) = condition(plan, at) else {
                assert!(
                    ["log_heads", "erasures_pending"].contains(table) && whole.contains("Limit"),
                    "{table} has no condition:\n{whole}"
                );
                continue;
            };
            assert!(condition.contains("account_id"), "{whole}");
            let further = ["position", "version", "dedupe", "key_id", "stream_id"];
            let is_narrow = ["log_heads", "account_keys"].contains(table)
                || further.iter().any(|column| condition.contains(column));
            assert!(is_narrow, "all of an account is read: {condition}\n{whole}");
        }
    }
    assert!(plans.len() > 25 && looks > 20, "{} plans, {looks} looks", plans.len());
}

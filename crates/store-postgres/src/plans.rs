//! What PostgreSQL does for the statements: generic plans, as every connection has them, looked at with and without
//! rows. Every table is read by an index and no further than the answer reaches.

use parlance_private_postgres::{Database, Server};
use parlance_projections::{TABLES, inbox::CONVERSATIONS, thread::MESSAGES};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    PostgresOptions, PostgresStore,
    connection::Connection,
    pages::{DELIVERIES_PAGE, NEWEST_FIRST, OLDEST_FIRST, PRESENT_MEMBERS, SECTION_PAGE},
    read_models::HELD,
    rows::SQL,
    sign_ins::FORGET_TOKENS,
    tokens::{
        FIND_TOKENS, LIST_TOKENS, LOCK_ALL, LOCK_ALL_AND_GIVEN, REMOVE_ALL, REMOVE_OLDEST, TOUCH_TOKENS,
    },
};

const ACCOUNT: Uuid = Uuid::from_u128(7);
/// As long as a screen's page.
const LIMIT: u64 = 26;

/// A migrated database and one of the store's own connections. `None`: there is no PostgreSQL here.
async fn connection() -> Option<(Database, Connection)> {
    let database = Server::shared()?.empty_database().await;
    PostgresStore::migrate(&database.url).await.expect("an empty database is migrated");
    let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await;
    let connection = store.expect("it is connected to").inner.pool.get().await;
    Some((database, connection.expect("a connection")))
}

/// A scan of a table or an index, or a sort.
#[derive(Debug)]
struct Node {
    kind: String,
    index: Option<String>,
    table: Option<String>,
    /// In all its loops together, those that a filter passed over included.
    rows: u64,
}

#[derive(Debug)]
struct Plan {
    nodes: Vec<Node>,
    /// Pages touched.
    pages: u64,
    /// Rows of the answer.
    rows: u64,
}

impl Plan {
    fn of(explained: &Value) -> Self {
        let root = &explained[0]["Plan"];
        let pages = ["Shared Hit Blocks", "Shared Read Blocks"].map(|name| root[name].as_u64().unwrap_or(0));
        let mut plan = Self { nodes: Vec::new(), pages: pages.iter().sum(), rows: rows(root) };
        plan.walk(root);
        plan
    }

    fn walk(&mut self, node: &Value) {
        let text = |name: &str| node[name].as_str().map(str::to_owned);
        self.nodes.push(Node {
            kind: text("Node Type").expect("every node has a type"),
            index: text("Index Name"),
            table: text("Relation Name"),
            rows: rows(node),
        });
        node["Plans"].as_array().into_iter().flatten().for_each(|inner| self.walk(inner));
    }

    fn scans(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.table.is_some() && !node.kind.starts_with("Modify"))
    }

    /// Every table by an index, or by places that an index gave.
    fn seeks(&self, text: &str) {
        for node in self.scans() {
            let seeks = ["Index Scan", "Index Only Scan", "Tid Scan"].contains(&node.kind.as_str());
            assert!(seeks, "{text}\n{self:#?}");
        }
        for node in &self.nodes {
            let joins = ["Hash Join", "Merge Join"].contains(&node.kind.as_str());
            assert!(!joins, "{text}\n{self:#?}");
        }
    }

    fn rows_by(&self, index: &str) -> u64 {
        let by = self.nodes.iter().filter(|node| node.index.as_deref() == Some(index));
        by.map(|node| node.rows).sum()
    }

    fn sorted(&self) -> u64 {
        self.nodes.iter().filter(|node| node.kind.contains("Sort")).map(|node| node.rows).max().unwrap_or(0)
    }
}

fn rows(node: &Value) -> u64 {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let rows = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, rounded")]
    let rows = rows.round() as u64;
    rows
}

/// The generic plan of a statement, without running it: the values do not matter.
async fn planned(connection: &Connection, text: &str) -> Plan {
    let statement = connection.prepare(text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let nulls = vec!["NULL"; statement.params().len()].join(", ");
    explained(connection, text, "COSTS OFF", &nulls).await
}

/// The generic plan of a statement, run.
async fn run(connection: &Connection, text: &str, values: &[&str]) -> Plan {
    explained(connection, text, "ANALYZE, BUFFERS, TIMING OFF", &values.join(", ")).await
}

async fn explained(connection: &Connection, text: &str, how: &str, values: &str) -> Plan {
    let prepare = format!("DEALLOCATE ALL; PREPARE looked_at AS {text}");
    connection.batch_execute(&prepare).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let explain = format!("EXPLAIN ({how}, FORMAT JSON) EXECUTE looked_at ({values})");
    let rows = connection.simple_query(&explain).await.expect("a plan is told");
    let json: String = rows
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    Plan::of(&serde_json::from_str(&json).expect("plans are JSON"))
}

/// Statements, and the index that each goes by.
fn texts() -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> = [
        (SECTION_PAGE.as_str(), "inbox_conversations_by_place"),
        (&OLDEST_FIRST, "thread_messages_by_place"),
        (&NEWEST_FIRST, "thread_messages_by_place"),
        (&PRESENT_MEMBERS, "members_pkey"),
        (&DELIVERIES_PAGE, "deliveries_by_position"),
        (HELD, "inbox_conversations_by_assignee"),
        (FIND_TOKENS, "tokens_pkey"),
        (LIST_TOKENS, "tokens_by_member"),
        (TOUCH_TOKENS, "tokens_pkey"),
    ]
    .map(|(text, index)| (text, index.to_owned()))
    .into();
    for (sql, table) in SQL.iter().zip(TABLES) {
        // Without any of the key's columns every index that begins with account and generation is as good.
        let some = sql.find[1..].iter().chain(&sql.remove[1..]).chain(table.counters.then_some(&sql.prune));
        let walks = [&sql.scan_after, &sql.scan_first, &sql.drop_after, &sql.drop_first];
        texts.extend(some.chain(walks).map(|text| (text.as_str(), format!("{}_pkey", table.name))));
    }
    texts
}

/// Conversations: 6,000 in one bucket, 6,000 in buckets of their own, the newest 6,000 in sixty; a thread of 6,000 messages and 12,000 of one;
/// so many members and deliveries, too. Everything looked at, as autovacuum does.
async fn fill(connection: &Connection) {
    for (table, values) in [
        (
            CONVERSATIONS.name,
            "1, id(n), 1, id(CASE WHEN n <= 6000 THEN 1 WHEN n <= 12000 THEN n ELSE 20000 + n % 60 END), 'open', NULL, NULL, id(n), n, n, NULL, NULL,
             1, n, NULL, ''",
        ),
        (
            MESSAGES.name,
            "1, CASE WHEN n <= 6000 THEN id(1) ELSE id(n) END, id(n), (n % 10 > 0)::int, 1, 'in', 'text', n, n, NULL, n,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        ),
        ("members", "1, id(n), 'active', 0, 1, 1, NULL"),
        ("deliveries", "1, id(n), id(n), 'unknown', 1, n, n, n, 'kept'"),
    ] {
        let text = format!(
            "CREATE FUNCTION pg_temp.id(n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE
                 AS $$ SELECT decode(md5(n::text), 'hex') $$;
             INSERT INTO {table} SELECT '{ACCOUNT}'::uuid, {} FROM generate_series(1, 18000) AS n;
             ANALYZE {table}; DROP FUNCTION pg_temp.id",
            values.replace("id(", "pg_temp.id(")
        );
        connection.batch_execute(&text).await.unwrap_or_else(|error| panic!("{table}: {error:?}"));
    }
}

fn id(n: u64) -> String {
    format!("decode(md5('{n}'), 'hex')")
}

#[tokio::test]
async fn every_statement_seeks_before_there_are_rows_and_after() {
    let Some((_database, connection)) = connection().await else { return };
    for filled in [false, true] {
        if filled {
            fill(&connection).await;
        }
        for (text, index) in texts() {
            let plan = planned(&connection, text).await;
            plan.seeks(text);
            let by: Vec<_> = plan.nodes.iter().filter_map(|node| node.index.as_ref()).collect();
            assert!(
                !by.is_empty() && by.iter().all(|by| **by == index),
                "{index}, {filled}: {text}\n{plan:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_section_page_reads_what_it_shows_however_deep_it_is() {
    let Some((_database, connection)) = connection().await else { return };
    fill(&connection).await;
    let (account, limit) = (format!("'{ACCOUNT}'"), LIMIT.to_string());
    let page = async |buckets: std::ops::Range<u64>, before: u64| {
        let named = buckets.map(id).collect::<Vec<_>>().join(", ");
        let (channels, before) = (format!("ARRAY[{named}]"), before.to_string());
        let states = format!("array_fill('open'::text, ARRAY[cardinality({channels})])");
        let nobody = format!("array_fill(''::bytea, ARRAY[cardinality({channels})])");
        let values = [&account, "1", &channels, &states, &nobody, &before, &before, &limit];
        let plan = run(&connection, &SECTION_PAGE, &values.map(|value| value)).await;
        plan.seeks(&SECTION_PAGE);
        assert_eq!(plan.rows, LIMIT, "{plan:#?}");
        plan
    };
    let by_place = "inbox_conversations_by_place";
    // One bucket, of which the first page is shown, and the two hundredth.
    let (first, deep) = (page(1..2, 10_000).await, page(1..2, 800).await);
    for plan in [&first, &deep] {
        assert!(plan.rows_by(by_place) <= 1 + LIMIT, "{plan:#?}");
        assert!(plan.sorted() <= LIMIT, "{plan:#?}");
    }
    assert!(deep.pages <= first.pages + first.pages / 5, "{} and {} pages", first.pages, deep.pages);
    // Six thousand buckets: a seek each, and only as many are walked as the page is long, no further than it reaches.
    let many = page(6_001..12_001, 20_000).await;
    assert!(many.rows_by(by_place) <= 6_000 + 2 * LIMIT, "{many:#?}");
    // Sixty that hold a hundred each: none is walked for what the others have newer.
    let rich = page(20_000..20_060, 20_000).await;
    assert!(rich.rows_by(by_place) <= 60 + 2 * LIMIT, "{rich:#?}");
    // Twenty: two of each are looked at, which fill the page, and then no more than it reaches.
    let some = page(20_000..20_020, 20_000).await;
    assert!(some.rows_by(by_place) <= 40 + 2 * LIMIT, "{some:#?}");
}

#[tokio::test]
async fn threads_members_and_deliveries_are_read_no_further_than_shown() {
    let Some((_database, connection)) = connection().await else { return };
    fill(&connection).await;
    let (account, limit) = (format!("'{ACCOUNT}'"), LIMIT.to_string());
    let threads = format!("ARRAY[{}, {}, {}]", id(1), id(7_001), id(0));
    for (text, beyond) in
        [(&*OLDEST_FIRST, 0), (&*OLDEST_FIRST, 3_000), (&*NEWEST_FIRST, 9_999), (&*NEWEST_FIRST, 3_000)]
    {
        let beyond = beyond.to_string();
        let plan = run(&connection, text, &[&account, "1", &threads, &beyond, &beyond, &limit]).await;
        plan.seeks(text);
        assert!((LIMIT..=LIMIT + 1).contains(&plan.rows), "{plan:#?}");
        assert!(plan.rows_by("thread_messages_by_place") <= LIMIT + 1, "{plan:#?}");
        assert_eq!(plan.sorted(), 0, "{plan:#?}");
    }
    let after = "''::bytea";
    for (text, index, from) in [
        (&*PRESENT_MEMBERS, "members_pkey", after),
        (&*DELIVERIES_PAGE, "deliveries_by_position", "9000"),
        (&SQL[CONVERSATIONS.id].scan_after, "inbox_conversations_pkey", after),
    ] {
        let plan = run(&connection, text, &[&account, "1", from, &limit]).await;
        assert_eq!((plan.rows, plan.rows_by(index), plan.sorted()), (LIMIT, LIMIT, 0), "{plan:#?}");
    }
    // Many keys: a seek each.
    let keys = (1..2_001).map(id).collect::<Vec<_>>().join(", ");
    let text = &SQL[CONVERSATIONS.id].find[1];
    let plan = run(&connection, text, &[&account, "1", &format!("ARRAY[{keys}]")]).await;
    plan.seeks(text);
    assert_eq!(plan.rows_by("inbox_conversations_pkey"), 2_000, "{plan:#?}");
}

#[tokio::test]
async fn a_generation_is_dropped_by_walking_on() {
    let Some((_database, connection)) = connection().await else { return };
    fill(&connection).await;
    let account = format!("'{ACCOUNT}'");
    let step = &SQL[CONVERSATIONS.id];
    let first = run(&connection, &step.drop_first, &[&account, "1", "1000"]).await;
    // From the middle on: what was removed before is not walked again.
    let next = run(&connection, &step.drop_after, &[&account, "1", r"'\x20'", "1000"]).await;
    for plan in [first, next] {
        assert_eq!(plan.rows_by("inbox_conversations_pkey"), 1_000, "{plan:#?}");
        plan.seeks(&step.drop_after);
    }
}

#[tokio::test]
async fn whoever_changes_a_member_s_tokens_looks_at_no_other_s() {
    const EACH: u64 = 20;
    let Some((_database, connection)) = connection().await else { return };
    let account = format!("'{ACCOUNT}'");
    let text = format!(
        "INSERT INTO tokens (account_id, token_hash, token_id, kind, member_id, scopes, created_at)
         SELECT {account}, sha256(n::text::bytea), md5(n::text)::uuid, 'session', md5((n % 500)::text)::uuid, '', n
         FROM generate_series(1, 500 * {EACH}) AS n; ANALYZE tokens"
    );
    // Before there is one, too: a plan stays until the table is looked at again.
    for text in [LOCK_ALL, LOCK_ALL_AND_GIVEN, REMOVE_OLDEST, REMOVE_ALL, FORGET_TOKENS] {
        let plan = planned(&connection, text).await;
        assert!(plan.nodes.iter().any(|node| node.index.as_deref() == Some("tokens_by_member")), "{plan:#?}");
    }
    connection.batch_execute(&text).await.expect("tokens are put");
    let hash = |n: u64| format!("sha256('{n}')");
    let (member, kind, given) = ("md5('7')::uuid", "'session'", hash(8));
    let some = format!("ARRAY[{}]", (1..=EACH).map(hash).collect::<Vec<_>>().join(", "));
    for (text, values) in [
        (LOCK_ALL, vec![&*account, member, kind]),
        (LOCK_ALL_AND_GIVEN, vec![&account, member, kind, &given]),
        (REMOVE_OLDEST, vec![&account, member, kind, "4"]),
        (REMOVE_ALL, vec![&account, member, kind, "NULL"]),
        (FORGET_TOKENS, vec![&account, member, "9999999"]),
        (TOUCH_TOKENS, vec![&account, &some, "9999999"]),
    ] {
        connection.batch_execute("BEGIN").await.expect("a transaction begins");
        let plan = run(&connection, text, &values).await;
        connection.batch_execute("ROLLBACK").await.expect("it is taken back");
        plan.seeks(text);
        // By the member, each by its key to be locked, and once more to be changed.
        let read: u64 = plan.scans().map(|scan| scan.rows).sum();
        assert!((EACH..=3 * (EACH + 1)).contains(&read), "{read} rows: {text}\n{plan:#?}");
    }
}

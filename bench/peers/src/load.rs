//! Commands from many tasks at once, for a given time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use cqrs_es::{
    CqrsFramework, Query,
    persist::{GenericQuery, PersistedEventStore},
};
use postgres_es::{PostgresCqrs, PostgresEventRepository, PostgresViewRepository};
use sqlx::{Pool, Postgres};
use tokio::task::JoinSet;

use crate::conversation::{Conversation, InboxRow, message, metadata};

/// As the other contenders have it: conversations begin and go on.
pub const MESSAGES_PER_CONVERSATION: usize = 20;

pub type InboxViews = PostgresViewRepository<InboxRow, Conversation>;
pub type InboxQuery = GenericQuery<InboxViews, InboxRow, Conversation>;

/// The tables as `postgres-es` documents them in its `db/init.sql`; there are two logs, one to be replayed.
const TABLES: [&str; 4] = [
    "CREATE TABLE events (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        sequence bigint CHECK (sequence >= 0) NOT NULL,
        event_type text NOT NULL,
        event_version text NOT NULL,
        payload json NOT NULL,
        metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    )",
    "CREATE TABLE replayed_events (LIKE events INCLUDING ALL)",
    "CREATE TABLE inbox (
        view_id text NOT NULL,
        version bigint CHECK (version >= 0) NOT NULL,
        payload json NOT NULL,
        PRIMARY KEY (view_id)
    )",
    "CREATE TABLE replayed_inbox (LIKE inbox INCLUDING ALL)",
];

pub async fn create_tables(pool: &Pool<Postgres>) -> anyhow::Result<()> {
    for table in TABLES {
        sqlx::query(table).execute(pool).await?;
    }
    Ok(())
}

/// What listens to the events.
#[derive(Clone, Copy, Debug)]
pub enum Queries {
    None,
    OneView,
}

/// A query into a table of views, that says what goes wrong.
pub fn inbox(pool: &Pool<Postgres>, table: &str) -> InboxQuery {
    let mut query = GenericQuery::new(Arc::new(InboxViews::new(table, pool.clone())));
    query.use_error_handler(Box::new(|error| panic!("the view cannot be written: {error}")));
    query
}

fn cqrs(pool: &Pool<Postgres>, queries: Queries) -> PostgresCqrs<Conversation> {
    let store = PersistedEventStore::new_event_store(PostgresEventRepository::new(pool.clone()));
    let queries: Vec<Box<dyn Query<Conversation>>> = match queries {
        Queries::None => Vec::new(),
        Queries::OneView => vec![Box::new(inbox(pool, "inbox"))],
    };
    CqrsFramework::new(store, queries, ())
}

/// Each task has conversations of its own, so that none conflicts with another's. How many commands were answered, and
/// how many in a second.
pub async fn append(
    pool: &Pool<Postgres>,
    queries: Queries,
    tasks: usize,
    seconds: f64,
) -> anyhow::Result<(usize, f64)> {
    let cqrs = Arc::new(cqrs(pool, queries));
    let answered = Arc::new(AtomicUsize::new(0));
    let (begin, most) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let (cqrs, answered) = (Arc::clone(&cqrs), Arc::clone(&answered));
        running.spawn(async move {
            let mut number = 0;
            while begin.elapsed() < most {
                let conversation = number / MESSAGES_PER_CONVERSATION;
                let id = format!("{queries:?}/{tasks}/{task}/{conversation}");
                cqrs.execute_with_metadata(&id, message(number), metadata(number)).await?;
                number += 1;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = running.join_next().await {
        task??;
    }
    let count = answered.load(Ordering::Relaxed);
    Ok((count, count as f64 / begin.elapsed().as_secs_f64()))
}

//! Stock `cqrs-es` with `postgres-es` on the database whose address is given: appends, with and without a view, and
//! replays. Prints one JSON document: what it did in a second, or why it cannot.

mod conversation;
mod load;
mod replay;

use clap::Parser;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;

use crate::load::Queries;

/// Commands at once.
const TASKS: [usize; 4] = [1, 8, 32, 512];

#[derive(Parser)]
struct Args {
    /// `postgres://…` of an empty database.
    url: String,
    /// How long each load goes on.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Events of the log that is replayed into a view.
    #[arg(long, default_value_t = 4_000)]
    events: usize,
    /// Connections of the pool. The library's own pool has 10; 32 tasks do better with as many.
    #[arg(long, default_value_t = 32)]
    connections: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let pool = PgPoolOptions::new()
        .min_connections(args.connections)
        .max_connections(args.connections)
        .connect(&args.url)
        .await?;
    load::create_tables(&pool).await?;
    let mut rates = Vec::new();
    for (queries, what) in [(Queries::None, "append"), (Queries::OneView, "append_with_view")] {
        for tasks in TASKS {
            let (count, per_second) = load::append(&pool, queries, tasks, args.seconds).await?;
            rates.push(json!({ "what": what, "tasks": tasks, "count": count, "per_second": per_second }));
        }
    }
    let (count, per_second) = replay::without_writing(&pool).await?;
    rates.push(json!({ "what": "replay", "tasks": 1, "count": count, "per_second": per_second }));
    let (count, per_second) = replay::into_view(&pool, args.events).await?;
    rates.push(json!({ "what": "replay_into_view", "tasks": 1, "count": count, "per_second": per_second }));
    let cannot = [json!({ "what": "read_log", "why": "postgres-es has no order across aggregates" })];
    println!("{}", json!({ "peer": "cqrs-es 0.5.0 + postgres-es 0.5.0", "rates": rates, "cannot": cannot }));
    Ok(())
}

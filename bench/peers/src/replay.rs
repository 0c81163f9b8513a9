//! The log read from its beginning, without and with writing a view.

use std::time::Instant;

use anyhow::Context as _;
use cqrs_es::persist::{PersistedEventRepository as _, QueryReplay, SerializedEvent};
use postgres_es::PostgresEventRepository;
use sqlx::{Pool, Postgres};

use crate::{
    conversation::{Conversation, message, metadata},
    load::{MESSAGES_PER_CONVERSATION, inbox},
};

/// Reads and decodes everything that was appended. How many events, and how many in a second.
pub async fn without_writing(pool: &Pool<Postgres>) -> anyhow::Result<(usize, f64)> {
    let repository = PostgresEventRepository::new(pool.clone()).with_streaming_channel_size(1_000);
    let begin = Instant::now();
    let mut events = repository.stream_all_events::<Conversation>().await?;
    let mut count = 0;
    while let Some(event) = events.next::<Conversation>(&[]).await {
        std::hint::black_box(event?);
        count += 1;
    }
    let elapsed = begin.elapsed();
    // Its stream ends in silence when the database fails.
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(pool).await?;
    anyhow::ensure!(i64::try_from(count)? == stored, "{count} of {stored} events were replayed");
    Ok((count, count as f64 / elapsed.as_secs_f64()))
}

/// Replays a log of so many events into an empty view.
pub async fn into_view(pool: &Pool<Postgres>, events: usize) -> anyhow::Result<(usize, f64)> {
    let log =
        || PostgresEventRepository::new(pool.clone()).with_tables("replayed_events", "replayed_snapshots");
    let numbers: Vec<usize> = (0..events).collect();
    for (conversation, numbers) in numbers.chunks(MESSAGES_PER_CONVERSATION).enumerate() {
        let events = numbers.iter().enumerate().map(|(place, number)| {
            Ok(SerializedEvent::new(
                format!("{conversation}"),
                place + 1,
                "conversation".to_owned(),
                "MessageReceived".to_owned(),
                "1".to_owned(),
                serde_json::to_value(message(*number))?,
                serde_json::to_value(metadata(*number))?,
            ))
        });
        let events = events.collect::<anyhow::Result<Vec<_>>>()?;
        log().persist::<Conversation>(&events, None).await?;
    }
    let begin = Instant::now();
    QueryReplay::new(log(), inbox(pool, "replayed_inbox")).replay_all().await?;
    let elapsed = begin.elapsed();
    let shown: String =
        sqlx::query_scalar("SELECT sum((payload->>'messages')::bigint)::text FROM replayed_inbox")
            .fetch_one(pool)
            .await
            .context("the view is empty")?;
    anyhow::ensure!(shown == events.to_string(), "{shown} of {events} events are in the view");
    Ok((events, events as f64 / elapsed.as_secs_f64()))
}

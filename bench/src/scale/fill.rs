//! The accounts, made by statements straight into the tables: one as large as is asked for, and many small ones, so
//! that an account is as selective as it is in earnest.

use anyhow::Context as _;
use parlance_domain::AccountId;
use parlance_store_postgres::PostgresStore;
use tokio_postgres::Client;

use super::Size;

/// Of every account.
const CHANNELS: usize = 20;
/// Members, kept deliveries, and tokens of a member: of the large account, and of a small one.
const LARGE: [usize; 2] = [200, 10_000];
const SMALL: [usize; 2] = [10, 20];
const TOKENS: usize = 50;
/// When the log begins, in microseconds; a message a second.
const BEGIN: i64 = 1_700_000_000_000_000;
/// Tables whose indexes are made at the end, in order: a tenth of the time.
const LARGE_TABLES: [&str; 4] = ["events", "thread_messages", "inbox_conversations", "data_keys"];

/// The number of an account as its id.
pub async fn account(client: &Client, seed: u64, number: usize) -> anyhow::Result<AccountId> {
    let id = client.query_one(&format!("SELECT md5('{seed} account {number}')::uuid"), &[]).await?;
    Ok(AccountId::new(id.get(0)))
}

/// Migrates an empty database and fills it. One that was filled with as much stays as it is.
pub async fn fill(url: &str, client: &Client, seed: u64, size: Size) -> anyhow::Result<()> {
    PostgresStore::migrate(url).await?;
    let held = "SELECT coalesce(max(last_position), 0) FROM log_heads";
    let held: i64 = client.query_one(held, &[]).await?.get(0);
    if usize::try_from(held)? >= size.messages {
        eprintln!("filled before");
        return Ok(());
    }
    anyhow::ensure!(held == 0, "the database holds something else: another one is needed, an empty one");
    client.batch_execute("BEGIN").await?;
    // Of this transaction, so that nothing of it needs to be logged.
    client.batch_execute("TRUNCATE events, thread_messages, inbox_conversations, data_keys").await?;
    let indexes = take_indexes(client).await?;
    part(client, seed, [1, size.others], super::SMALL, SMALL).await?;
    part(client, seed, [0, 0], [size.conversations, size.messages], LARGE).await?;
    for make in indexes {
        eprintln!("{make}");
        client.batch_execute(&make).await.with_context(|| make.clone())?;
    }
    client.batch_execute("COMMIT").await?;
    client.batch_execute("VACUUM (ANALYZE)").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

/// Drops the large tables' indexes; how each is made again.
async fn take_indexes(client: &Client) -> anyhow::Result<Vec<String>> {
    let found = client
        .query(
            "SELECT coalesce('ALTER TABLE ' || t.relname || ' DROP CONSTRAINT ' || c.conname, 'DROP INDEX ' || i.relname),
                    coalesce('ALTER TABLE ' || t.relname || ' ADD CONSTRAINT ' || c.conname || ' '
                             || pg_get_constraintdef(c.oid), pg_get_indexdef(i.oid))
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
             LEFT JOIN pg_constraint c ON c.conindid = i.oid
             WHERE t.relname = ANY ($1) ORDER BY i.relname",
            &[&LARGE_TABLES.as_slice()],
        )
        .await?;
    let mut again = Vec::new();
    for row in found {
        client.batch_execute(row.get(0)).await?;
        again.push(row.get(1));
    }
    Ok(again)
}

async fn part(
    client: &Client,
    seed: u64,
    [first, last]: [usize; 2],
    [conversations, messages]: [usize; 2],
    [members, deliveries]: [usize; 2],
) -> anyhow::Result<()> {
    let mut text = include_str!("fill.sql").replace("{begin}", &BEGIN.to_string());
    text = text.replace("{seed}", &seed.to_string());
    for (name, number) in [
        ("{first}", first),
        ("{last}", last),
        ("{conversations}", conversations),
        ("{messages}", messages),
        ("{members}", members),
        ("{deliveries}", deliveries),
        ("{channels}", CHANNELS),
        ("{tokens}", TOKENS),
        ("{bytes}", super::CONTENT_BYTES),
    ] {
        text = text.replace(name, &number.to_string());
    }
    client.batch_execute(&text).await.context("filling")
}

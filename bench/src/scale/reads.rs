//! Everything that a request or a fold reads by, asked once.

use parlance_domain::{CommandId, DedupeToken, KeyId, Position, StreamRef, StreamType};
use parlance_projections::{RowKey, TABLES, Touch, inbox::CHANNELS, inbox::COUNTS, inbox::State};
use parlance_store::{
    BUCKETS, EventLog as _, FIRST_GENERATION, Keys as _, Leases as _, MEMBERSHIPS_MAX, PAGE_MAX, Pages as _,
    ReadModels as _, SignIns as _, TOKENS_PER_MEMBER_MAX, ThreadOrder, TokenKind, Tokens as _, Wanted,
};
use parlance_store_postgres::PostgresStore;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    looked::{Bound, Looked},
    sample::{FAR, ITEMS, Sample, far},
};

/// Events of a page of the log, and of what was touched.
const EVENTS: usize = 1_000;
/// What a cold load reads behind its snapshot, and the snapshot.
const LOADED: usize = 1_000 + 1;

/// Only where there are as many buckets as a page is long, it is known how far the page reaches before they are walked.
const WALKED: &str = "a seek a bucket, a page of at most as many buckets as it is long";

fn most(buckets: usize) -> usize {
    buckets + (buckets.min(ITEMS) + 1) * ITEMS
}

pub async fn ask(
    store: &PostgresStore,
    client: &Client,
    sample: &Sample,
    looked: &mut Looked,
) -> anyhow::Result<()> {
    sections(store, client, sample, looked).await?;
    threads(store, sample, looked).await?;
    rows(store, sample, looked).await?;
    log(store, client, sample, looked).await?;
    besides(store, client, sample, looked).await
}

async fn sections(
    store: &PostgresStore,
    client: &Client,
    sample: &Sample,
    looked: &mut Looked,
) -> anyhow::Result<()> {
    let (account, generation) = (sample.account, FIRST_GENERATION);
    let me = Some(sample.busy);
    for (name, buckets) in [
        ("largest bucket", sample.buckets.iter().take(1).map(|(bucket, _)| *bucket).collect()),
        ("unassigned", sample.unassigned()),
        ("mine", sample.section(|bucket| bucket.state == State::Open && bucket.assignee == me)),
        (
            "others'",
            sample.section(|bucket| {
                bucket.state == State::Open && bucket.assignee.is_some() && bucket.assignee != me
            }),
        ),
        ("closed", sample.section(|bucket| bucket.state == State::Closed)),
    ] {
        let bound = (most(buckets.len()), WALKED);
        let page = |after| store.section_page(account, generation, buckets.clone(), after, ITEMS);
        let call = format!("section_page, {name} ({} buckets), page 1", buckets.len());
        looked.at(&call, bound, page(None)).await?;
        if let Some(place) = far(client, account, &buckets).await? {
            let call = format!("section_page, {name} ({} buckets), page {FAR}", buckets.len());
            looked.at(&call, bound, page(Some(place))).await?;
        }
    }
    let keys = sample.channels.iter().map(|channel| vec![channel.uuid().into()]).collect();
    let wanted =
        vec![Wanted { table: &COUNTS, keys }, Wanted { table: &CHANNELS, keys: vec![RowKey::new()] }];
    let buckets = sample.unassigned();
    let most = sample.buckets.len() + sample.channels.len() + most(buckets.len());
    let choose = move |_: &[Vec<parlance_projections::Row>]| Ok(buckets);
    let asked = store.chosen_section_page(account, generation, wanted, choose, None, ITEMS);
    let why = "all buckets that hold anything, a row a channel, and as a section";
    looked.at("chosen_section_page, all channels", (most, why), asked).await?;
    for channel in [None, sample.buckets.last().map(|(bucket, _)| bucket.channel.uuid())] {
        let after = sample.conversations.first().map(|id| id.uuid());
        let bound = match channel {
            None => (ITEMS, "the limit"),
            // A policy's, and it goes on where it was: every conversation of the member is looked at once.
            Some(_) => (sample.busy_holds, "whatever the member holds: a policy's, once"),
        };
        let call = if channel.is_some() { "held_conversations, of a channel" } else { "held_conversations" };
        let busy = sample.busy.uuid();
        let asked = store.held_conversations(account, generation, busy, channel, after, ITEMS);
        looked.at(call, bound, asked).await?;
    }
    Ok(())
}

async fn threads(store: &PostgresStore, sample: &Sample, looked: &mut Looked) -> anyhow::Result<()> {
    let (account, generation) = (sample.account, FIRST_GENERATION);
    let limit = (ITEMS + 1, "the limit");
    for (order, name) in
        [(ThreadOrder::OldestFirst, "oldest first"), (ThreadOrder::NewestFirst, "newest first")]
    {
        let page = |beyond| store.thread_pages(account, generation, vec![sample.long], order, beyond, ITEMS);
        looked.at(&format!("thread_pages, the longest, {name}, page 1"), limit, page(None)).await?;
        if sample.long_far.is_some() {
            let call = format!("thread_pages, the longest, {name}, page {FAR}");
            looked.at(&call, limit, page(sample.long_far)).await?;
        }
    }
    let many: Vec<_> = sample.conversations.iter().copied().take(ITEMS).collect();
    let bound = (2 * many.len(), "a row and a seek a thread");
    let asked = store.thread_pages(account, generation, many, ThreadOrder::NewestFirst, None, 1);
    looked.at("thread_pages, newest of 25", bound, asked).await?;
    let present = (2 * ITEMS, "the limit, and the removed among them");
    looked.at("present_members", present, store.present_members(account, generation, None, ITEMS)).await?;
    let asked = store.present_members(account, generation, Some(sample.busy), ITEMS);
    looked.at("present_members, further", present, asked).await?;
    for before in [None, Some(Position::new(5_000))] {
        let call = if before.is_some() { "deliveries_page, further" } else { "deliveries_page" };
        looked.at(call, limit, store.deliveries_page(account, generation, before, ITEMS)).await?;
    }
    Ok(())
}

/// Every table, by whole keys and by the beginnings of keys.
async fn rows(store: &PostgresStore, sample: &Sample, looked: &mut Looked) -> anyhow::Result<()> {
    let (account, generation) = (sample.account, FIRST_GENERATION);
    for table in TABLES {
        let name = table.name;
        let scan = |after| store.scan_rows(account, generation, table, after, ITEMS);
        let limit = (ITEMS, "the limit");
        let first = looked.at(&format!("scan_rows {name}"), limit, scan(None)).await?;
        let after = first.first().map(|row| row[..table.key.len()].to_vec());
        let next = looked.at(&format!("scan_rows {name}, further"), limit, scan(after)).await?;
        for count in 1..=table.key.len() {
            let mut keys: Vec<RowKey> = next.iter().map(|row| row[..count].to_vec()).collect();
            keys.dedup();
            if table.id == parlance_projections::thread::MESSAGES.id && count == 1 {
                // No screen and no fold asks for all of the longest.
                keys = sample.conversations.iter().take(ITEMS).map(|id| vec![id.uuid().into()]).collect();
            }
            let asked = keys.len();
            let told = |rows: usize| Bound { rows: rows + asked, why: "the answer, a seek a key" };
            let wanted = vec![Wanted { table, keys: keys.clone() }];
            let call = format!("find_rows {name} by {count} of {}", table.key.len());
            let found = store.find_rows(account, generation, wanted);
            looked.told_of(&call, found, |found| told(found.iter().map(Vec::len).sum())).await?;
            let touches = keys.into_iter().map(|prefix| Touch { table: table.id, prefix }).collect();
            let call = format!("load_rows {name} by {count} of {}", table.key.len());
            let found = store.load_rows(account, generation, touches);
            looked
                .told_of(&call, found, |found| told(found.iter().map(|(_, rows)| rows.len()).sum()))
                .await?;
        }
    }
    Ok(())
}

async fn log(
    store: &PostgresStore,
    client: &Client,
    sample: &Sample,
    looked: &mut Looked,
) -> anyhow::Result<()> {
    let account = sample.account;
    let amid = Position::new(sample.position.number() / 2);
    looked.at("head", (1, "one row"), store.head(account)).await?;
    looked.at("read", (EVENTS, "the limit"), store.read(account, amid, EVENTS)).await?;
    looked.at("touched", (EVENTS, "the limit"), store.touched(account, amid, EVENTS)).await?;
    let long = StreamRef::new(StreamType::Conversation, sample.long.uuid());
    for after in [0, 20_000] {
        let call = if after == 0 { "read_stream" } else { "read_stream, further" };
        looked.at(call, (ITEMS, "the limit"), store.read_stream(account, long, after, ITEMS)).await?;
    }
    looked.at("load, by a snapshot", (2, "the snapshot, what follows"), store.load(account, long, 1)).await?;
    // A shape that no snapshot has.
    looked.at("load, without one", (LOADED, "a page of the stream"), store.load(account, long, 2)).await?;
    let some = sample.conversations.iter().take(ITEMS);
    let some = some.map(|id| StreamRef::new(StreamType::Conversation, id.uuid())).collect();
    looked
        .at("load_many, of 25", (LOADED, "a page of each stream"), store.load_many(account, some, 1))
        .await?;
    let row = client
        .query_one(
            "SELECT causation_id, dedupe FROM events WHERE account_id = $1 AND position = $2",
            &[&account.uuid(), &i64::try_from(amid.number())?],
        )
        .await?;
    let before = Position::new(amid.number() - 1);
    let asked = store.caused_by(account, CommandId::new(row.get(0)), before);
    looked.at("caused_by", (PAGE_MAX, "a window of the log"), asked).await?;
    let token = DedupeToken::from_bytes(row.get::<_, Uuid>(1).into_bytes());
    looked.at("position_of", (1, "one row"), store.position_of(account, token)).await?;
    for after in [None, Some(account)] {
        let call = if after.is_some() { "heads, further" } else { "heads" };
        looked.at(call, (ITEMS, "the limit"), store.heads(after, ITEMS)).await?;
    }
    Ok(())
}

async fn besides(
    store: &PostgresStore,
    client: &Client,
    sample: &Sample,
    looked: &mut Looked,
) -> anyhow::Result<()> {
    let (account, generation) = (sample.account, FIRST_GENERATION);
    looked.at("account_keys", (1, "one row"), store.account_keys(account)).await?;
    let keys: Vec<_> = sample.conversations.iter().map(|id| KeyId::new(id.uuid())).collect();
    let each = (keys.len(), "a row a key");
    looked.at("data_keys, 100", each, store.data_keys(account, keys)).await?;
    looked.at("pending_erasures", (ITEMS, "the limit"), store.pending_erasures(ITEMS)).await?;
    let each = (sample.tokens.len(), "a row a hash");
    looked.at("find_tokens, 100", each, store.find_tokens(account, sample.tokens.clone())).await?;
    let most = (TOKENS_PER_MEMBER_MAX, "a member's tokens");
    looked.at("list_tokens", most, store.list_tokens(account, sample.busy, TokenKind::Api)).await?;
    looked.at("password", (1, "one row"), store.password(account, sample.busy)).await?;
    let email = client.query_one("SELECT sha256('one 1')", &[]).await?;
    let email = parlance_store::EmailHash(email.get::<_, &[u8]>(0).try_into()?);
    looked.at("memberships", (MEMBERSHIPS_MAX, "the limit"), store.memberships(email)).await?;
    let projections = (2 * TABLES.len(), "a row a projection");
    looked.at("checkpoint", (1, "one row"), store.checkpoint(account, "inbox", generation)).await?;
    looked.at("checkpoints", projections, store.checkpoints(account)).await?;
    let parked = (ITEMS, "what is parked");
    looked.at("parked_streams", parked, store.parked_streams(account, generation, None)).await?;
    let asked = store.parked_streams(account, generation, Some("inbox"));
    looked.at("parked_streams, of one", parked, asked).await?;
    looked.at("policy_checkpoint", (1, "one row"), store.policy_checkpoint(account, "departure")).await?;
    looked.at("holdings", (usize::from(BUCKETS), "a row a bucket"), store.holdings()).await?;
    Ok(())
}

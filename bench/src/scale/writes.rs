//! Everything that a request or a fold writes, asked once. It leaves the read models as they were, besides an account
//! of one event and some events of a stream of their own.

use std::time::Duration;

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, MemberId, OperatorId, Position,
    StreamRef, StreamType, Timestamp, TokenId,
};
use parlance_projections::{Change, Row, TABLES};
use parlance_store::{
    AccountBucket, AccountKeys, BUCKETS, Batch, EmailHash, EventLog as _, Expectation, FIRST_GENERATION,
    Fence, KeyOp, Keys as _, Leases as _, NewEvent, Outcome, PageWrite, Pages as _, ParkedStream,
    ReadModels as _, ServerId, Sessions, SignIns as _, Snapshot, StoredPassword, StoredToken,
    TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind, Tokens as _, Wanted,
};
use parlance_store_postgres::PostgresStore;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    looked::Looked,
    sample::{ITEMS, Sample},
};

pub async fn ask(
    store: &PostgresStore,
    client: &Client,
    sample: &Sample,
    looked: &mut Looked,
) -> anyhow::Result<()> {
    appends(store, client, sample, looked).await?;
    pages(store, sample, looked).await?;
    tokens(store, sample, looked).await?;
    sign_ins(store, sample, looked).await?;
    leases(store, sample, looked).await
}

async fn fresh(client: &Client) -> anyhow::Result<Uuid> {
    Ok(client.query_one("SELECT gen_random_uuid()", &[]).await?.get(0))
}

fn event(stream: StreamRef, version: u64, cause: CommandId, key: KeyId, token: Uuid) -> NewEvent {
    NewEvent {
        stream,
        version,
        event_type: "MessageReceived",
        schema_version: 1,
        recorded_at: Timestamp::default(),
        actor: Actor::Member(MemberId::new(stream.id)),
        correlation: CorrelationId::new(cause.uuid()),
        causation: cause,
        payload: b"{}".to_vec(),
        sealed: Some(vec![7; super::CONTENT_BYTES]),
        key: Some(key),
        dedupe: Some(DedupeToken::from_bytes(token.into_bytes())),
    }
}

async fn appends(
    store: &PostgresStore,
    client: &Client,
    sample: &Sample,
    looked: &mut Looked,
) -> anyhow::Result<()> {
    let account = sample.account;
    // Two streams, one of them the longest of all; a key that is made and one that is destroyed, and snapshots.
    let new = StreamRef::new(StreamType::Conversation, fresh(client).await?);
    let long = StreamRef::new(StreamType::Conversation, sample.long.uuid());
    let at = "SELECT max(version) FROM events WHERE account_id = $1 AND stream_type = 'conversation' AND stream_id = $2";
    let at: i64 = client.query_one(at, &[&account.uuid(), &long.id]).await?.get(0);
    let at = u64::try_from(at)?;
    let (cause, key) = (CommandId::new(fresh(client).await?), KeyId::new(fresh(client).await?));
    let mut batch = Batch::new(account);
    batch.expectations =
        vec![Expectation { stream: new, version: 0 }, Expectation { stream: long, version: at }];
    for (stream, version) in [(new, 1), (new, 2), (new, 3), (long, at + 1)] {
        batch.events.push(event(stream, version, cause, key, fresh(client).await?));
    }
    batch.keys = vec![KeyOp::Create { key, wrapped: vec![3; 73] }];
    batch.snapshots = vec![Snapshot { stream: new, version: 3, shape: 1, state: vec![4; 300] }];
    let bound = (batch.events.len(), "a row an event");
    let outcome = looked.at("append", bound, store.append(batch.clone())).await?;
    anyhow::ensure!(matches!(outcome, Outcome::Appended(_)), "not appended: {outcome:?}");
    let outcome = looked.at("append, of what is known", bound, store.append(batch)).await?;
    anyhow::ensure!(matches!(outcome, Outcome::Rejected(_)), "appended twice: {outcome:?}");
    let mut batch = Batch::new(account);
    batch.keys = vec![KeyOp::Destroy { key }];
    // The key is looked for before it is changed.
    looked.at("append, of an erasure", (2, "twice a row a key"), store.append(batch)).await?;
    let pending = looked.at("pending_erasures", (ITEMS, "the limit"), store.pending_erasures(ITEMS)).await?;
    // A page of keys is looked at as a whole, a few times.
    let page = (256, "a page of the table");
    looked.at("confirm_erasures", page, store.confirm_erasures(pending)).await?;
    let account = AccountId::new(fresh(client).await?);
    let mut batch = Batch::new(account);
    let stream = StreamRef::new(StreamType::Account, account.uuid());
    batch.expectations = vec![Expectation { stream, version: 0 }];
    batch.events.push(event(stream, 1, cause, key, fresh(client).await?));
    let keys = AccountKeys { account_key: vec![1; 73], id_key: vec![2; 73] };
    batch.keys = vec![KeyOp::CreateAccount(keys), KeyOp::Create { key, wrapped: vec![3; 73] }];
    looked.at("append, of a new account", (1, "one row"), store.append(batch)).await?;
    Ok(())
}

/// A page of folds that takes rows of every table away and puts them back.
async fn pages(store: &PostgresStore, sample: &Sample, looked: &mut Looked) -> anyhow::Result<()> {
    let (account, generation) = (sample.account, FIRST_GENERATION);
    let (mut there, mut away, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for table in TABLES {
        let rows = store.scan_rows(account, generation, table, None, ITEMS).await?;
        let width = table.key.len();
        let key = |row: &Row| row[..width].to_vec();
        there.extend(rows.iter().map(|row| Change::Put { table: table.id, row: row.clone() }));
        // One goes by the beginning of its key and whatever begins so with it, the others by their keys.
        let Some(first) = rows.first() else { continue };
        for count in 1..width {
            let prefix = first[..count].to_vec();
            let wanted = vec![Wanted { table, keys: vec![prefix.clone()] }];
            let begun = store.find_rows(account, generation, wanted).await?.concat();
            away.push(Change::RemovePrefix { table: table.id, prefix });
            back.extend(begun.into_iter().map(|row| Change::Put { table: table.id, row }));
        }
        away.extend(rows.iter().skip(1).map(|row| Change::Remove { table: table.id, key: key(row) }));
        back.extend(rows.iter().map(|row| Change::Put { table: table.id, row: row.clone() }));
        if table.counters {
            let by = |number: i64| {
                let by = vec![number; table.columns.len()];
                let add = |row: &Row| Change::Add { table: table.id, key: key(row), by: by.clone() };
                rows.iter().map(add).collect::<Vec<_>>()
            };
            back.extend(by(1));
            back.extend(by(-1));
        }
    }
    let most = back.len();
    let stream = StreamRef::new(StreamType::Conversation, sample.long.uuid());
    let parked = ParkedStream {
        projection: "inbox".to_owned(),
        stream,
        position: Position::new(1),
        events: 1,
        reason: "to be looked at".to_owned(),
    };
    for (call, changes, parked) in [
        ("write_pages, rows put again", there, vec![]),
        ("write_pages, rows removed", away, vec![]),
        ("write_pages, rows put, counters changed", back, vec![parked]),
    ] {
        let from = store.checkpoint(account, "inbox", generation).await?;
        let to = from.unwrap_or_default();
        let fence = Some(Fence(fence_of(store, account).await?));
        let projection = "inbox";
        let page = PageWrite { account, generation, projection, fence, from, to, changes, parked };
        // Removed by its place, a row is come upon twice.
        looked.at(call, (2 * most, "twice a row a change"), store.write_pages(vec![page])).await?;
    }
    let new = PageWrite {
        account,
        generation: parlance_store::Generation(2),
        projection: "inbox",
        fence: None,
        from: None,
        to: store.checkpoint(account, "inbox", generation).await?.unwrap_or_default(),
        changes: vec![],
        parked: vec![],
    };
    looked.at("write_pages, a new generation", (1, "one row"), store.write_pages(vec![new.clone()])).await?;

    let dropped = store.drop_generation(account, "inbox", &TABLES, new.generation);
    looked.at("drop_generation, nothing in it", (2, "a row, twice"), dropped).await?;
    let fence = Some(Fence(fence_of(store, account).await?));
    let set = store.set_policy_checkpoint(account, "departure", sample.position, fence);
    looked.at("set_policy_checkpoint", (1, "one row"), set).await?;
    Ok(())
}

async fn fence_of(store: &PostgresStore, account: AccountId) -> anyhow::Result<u64> {
    let holdings = store.holdings().await?;
    let of = holdings.iter().find(|holding| holding.bucket == AccountBucket::of(account));
    of.map(|holding| holding.fence.0).ok_or_else(|| anyhow::anyhow!("every bucket has a fence"))
}

async fn tokens(store: &PostgresStore, sample: &Sample, looked: &mut Looked) -> anyhow::Result<()> {
    let (account, member) = (sample.account, sample.busy);
    let most = (3 * TOKENS_PER_MEMBER_MAX, "a member's tokens, locked, looked at and taken");
    let token = |id: u128, kind| StoredToken {
        id: TokenId::new(Uuid::from_u128(id)),
        kind,
        member,
        name: None,
        scopes: String::new(),
        created_at: Timestamp::from_micros(1),
        expires_at: None,
        last_used_at: None,
    };
    let hash = |number: u8| TokenHash([number; 32]);
    let each = (3 * sample.tokens.len(), "three times a row a hash");
    let used = store.touch_tokens(account, sample.tokens.clone(), Timestamp::from_micros(9));
    looked.at("touch_tokens, 100", each, used).await?;
    looked.at("put_token", most, store.put_token(account, hash(1), token(1, TokenKind::Invitation))).await?;
    let (given, password) = (hash(1), Some(password(1)));
    let exchanged = store.exchange_token(account, given, hash(2), token(2, TokenKind::Session), password);
    let exchanged = looked.at("exchange_token", most, exchanged).await?;
    anyhow::ensure!(exchanged, "an invitation was not taken");
    let put = store.put_token_for_oldest(account, hash(3), token(3, TokenKind::Session), 1);
    looked.at("put_token_for_oldest", most, put).await?;
    let id = TokenId::new(Uuid::from_u128(3));
    let removed = store.remove_token(account, member, TokenKind::Session, id);
    looked.at("remove_token", most, removed).await?;
    let removed = store.remove_tokens(account, member, TokenKind::Api, None);
    looked.at("remove_tokens", most, removed).await?;
    let operator = OperatorId::new(Uuid::from_u128(1));
    let new = TokenHash(*account_bytes(sample).first_chunk().unwrap_or(&[0; 32]));
    let known = looked.at("find_operator_token", (1, "one row"), store.find_operator_token(new)).await?;
    if known.is_none() {
        let put = store.put_operator_token(new, operator, Timestamp::default());
        looked.at("put_operator_token", (1, "one row"), put).await?;
    }
    Ok(())
}

fn account_bytes(sample: &Sample) -> Vec<u8> {
    sample.account.bytes().repeat(2)
}

fn password(number: u8) -> StoredPassword {
    StoredPassword {
        recipe: 1,
        salt: [number; 16],
        verifier: [number; 32],
        set_at: Timestamp::from_micros(2),
    }
}

async fn sign_ins(store: &PostgresStore, sample: &Sample, looked: &mut Looked) -> anyhow::Result<()> {
    let (account, member) = (sample.account, sample.busy);
    let most = (3 * TOKENS_PER_MEMBER_MAX, "a member's tokens, locked, looked at and taken");
    let (old, sessions) = (Some(password(1)), Sessions::End { but: None });
    let set = store.set_password(account, member, password(2), old, sessions);
    let set = looked.at("set_password", most, set).await?;
    anyhow::ensure!(set, "the password was another one");
    let forgotten = store.forget_member(account, member, Timestamp::from_micros(i64::MAX));
    looked.at("forget_member", most, forgotten).await?;
    let email = EmailHash(*account_bytes(sample).first_chunk().unwrap_or(&[0; 32]));
    looked.at("enter_membership", (1, "one row"), store.enter_membership(email, account, member)).await?;
    looked.at("sign_in_key", (1, "one row"), store.sign_in_key(vec![1; 73])).await?;
    if store.key_check().await?.is_none() {
        store.set_key_check(vec![1]).await?;
    }
    looked.at("key_check", (1, "one row"), store.key_check()).await?;
    Ok(())
}

async fn leases(store: &PostgresStore, sample: &Sample, looked: &mut Looked) -> anyhow::Result<()> {
    let server = ServerId(sample.account.uuid());
    let buckets = (4 * usize::from(BUCKETS), "some looks at every bucket");
    looked.at("beat", buckets, store.beat(server, Duration::from_secs(10))).await?;
    looked.at("beat, again", buckets, store.beat(server, Duration::from_secs(10))).await?;
    looked.at("leave", buckets, store.leave(server)).await?;
    Ok(())
}

//! Pages of screens. One statement gathers from any number of buckets or threads: for each it walks the index of
//! places with the limit pushed in, and reads no further than the page can reach.

use std::sync::{LazyLock, Mutex};

use parlance_domain::{AccountId, ConversationId, MemberId, Position};
use parlance_projections::{
    Row, Table, deliveries::DELIVERIES, inbox::CONVERSATIONS, members::MEMBERS, thread::MESSAGES,
};
use parlance_store::{
    Bucket, Generation, PAGE_ROWS_MAX, Pages, Place, RefusedBecause, StoreError, ThreadOrder, Wanted,
};

use crate::{
    PostgresStore,
    connection::Connection,
    error::{Failure, corrupt},
    numbers::{self, signed},
    pipeline::{BEGIN_LOOKING, Call, Open, read, read_at_once},
    rows::{self, check_named, columns},
};

/// So few buckets are walked a page each: to look first how far the page reaches would cost as much.
const FEW_BUCKETS: usize = 4;

/// Only the buckets with the newest first conversations can give anything to a page, as many as the page is long; so
/// every bucket costs one seek, and no more than that many are walked. Of each so many are looked at first that together
/// they fill the page (of many buckets: one): nothing on the page is older than the last that it would have of these,
/// and no bucket is walked below that floor.
pub(crate) static SECTION_PAGE: LazyLock<String> = LazyLock::new(|| {
    let walk = |of: &str| {
        format!(
            "FROM inbox_conversations AS c
             WHERE c.account_id = $1 AND c.generation = $2
               AND c.channel_id = {of}.channel AND c.state = {of}.state
               AND coalesce(c.assignee, ''::bytea) = {of}.assignee
               AND (c.last_message_at, c.last_message_position) < ($6, $7)"
        )
    };
    let order = "ORDER BY c.last_message_at DESC, c.last_message_position DESC";
    let (named, newest) = (walk("named"), walk("newest"));
    let columns = columns(&CONVERSATIONS, "c");
    format!(
        "WITH named AS MATERIALIZED (
             SELECT * FROM unnest($3::bytea[], $4::text[], $5::bytea[]) AS bucket (channel, state, assignee)),
         begun AS MATERIALIZED (
             SELECT named.channel, named.state, named.assignee, first.at, first.place, first.number
             FROM named CROSS JOIN LATERAL (
                 SELECT one.at, one.place, row_number() OVER () AS number
                 FROM (SELECT c.last_message_at AS at, c.last_message_position AS place {named} {order}
                       LIMIT CASE WHEN cardinality($3) < {FEW_BUCKETS} THEN 1
                             ELSE ($8::bigint + cardinality($3) - 1) / cardinality($3) END) AS one) AS first),
         newest AS MATERIALIZED (
             SELECT channel, state, assignee FROM begun WHERE number = 1 ORDER BY at DESC, place DESC LIMIT $8),
         floor AS MATERIALIZED (
             SELECT coalesce((SELECT ARRAY[at, place] FROM begun ORDER BY at DESC, place DESC
                              OFFSET greatest($8 - 1, 0) LIMIT 1),
                             ARRAY[-9223372036854775808, -9223372036854775808]) AS of)
         SELECT page.* FROM floor CROSS JOIN newest CROSS JOIN LATERAL (
             SELECT {columns} {newest}
               AND (c.last_message_at, c.last_message_position) >= (floor.of[1], floor.of[2])
             {order} LIMIT $8) AS page
         ORDER BY page.last_message_at DESC, page.last_message_position DESC LIMIT $8"
    )
});

pub(crate) static OLDEST_FIRST: LazyLock<String> = LazyLock::new(|| thread_pages(">", "ASC"));
pub(crate) static NEWEST_FIRST: LazyLock<String> = LazyLock::new(|| thread_pages("<", "DESC"));

/// `beyond` and `direction` are literals above, never what comes in. A thread's rows come in its order: a subquery with
/// a limit cannot be run but thread by thread.
fn thread_pages(beyond: &str, direction: &str) -> String {
    format!(
        "SELECT wanted.place, page.* FROM unnest($3::bytea[]) WITH ORDINALITY AS wanted (conversation, place)
         CROSS JOIN LATERAL (
             SELECT {} FROM thread_messages AS m
             WHERE m.account_id = $1 AND m.generation = $2 AND m.conversation_id = wanted.conversation
               AND m.present = 1 AND (m.at, m.position) {beyond} ($4, $5)
             ORDER BY m.at {direction}, m.position {direction} LIMIT $6) AS page",
        columns(&MESSAGES, "m")
    )
}

pub(crate) static PRESENT_MEMBERS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM members
         WHERE account_id = $1 AND generation = $2 AND member_id > $3 AND standing <> 'removed'
         ORDER BY member_id LIMIT $4",
        columns(&MEMBERS, "members")
    )
});

pub(crate) static DELIVERIES_PAGE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM deliveries
         WHERE account_id = $1 AND generation = $2 AND position < $3 AND position > 0
         ORDER BY position DESC LIMIT $4",
        columns(&DELIVERIES, "deliveries")
    )
});

impl Pages for PostgresStore {
    async fn find_rows(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let wanted = &wanted;
        self.read_with(|connection| async move {
            let calls = calls(account, generation, wanted)?;
            found(wanted, &read_at_once(&connection, &calls).await?)
        })
        .await
    }

    async fn section_page(
        &self,
        account: AccountId,
        generation: Generation,
        buckets: Vec<Bucket>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let buckets = &buckets;
        self.read_with(|connection| async move {
            let call = section(account, generation, buckets, after, limit)?;
            selected(&connection, call, &CONVERSATIONS).await
        })
        .await
    }

    async fn chosen_section_page(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
        choose: impl FnOnce(&[Vec<Row>]) -> Result<Vec<Bucket>, StoreError> + Send + 'static,
        after: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Vec<Row>>, Vec<Row>), StoreError> {
        let (wanted, choose) = (&wanted, &Mutex::new(Some(choose)));
        self.read_with(|connection| async move {
            let calls = calls(account, generation, wanted)?;
            let open = Open::new(&connection);
            let found = found(wanted, &open.read(Some(BEGIN_LOOKING), &calls, None).await?)?;
            let choose = choose.lock().expect("no panic while locked").take();
            // Whoever chooses does so once; a connection that is lost between the two halves is rare.
            let choose = choose
                .ok_or_else(|| StoreError::Unavailable("the connection was lost amid a page".to_owned()))?;
            let buckets = choose(&found)?;
            let page = match buckets.is_empty() {
                true => None,
                false => Some(section(account, generation, &buckets, after, limit)?),
            };
            let page = open.read(None, page.as_slice(), Some("COMMIT")).await?;
            open.over();
            let page = page.iter().flatten().map(|row| rows::row(&CONVERSATIONS, row, 0));
            Ok((found, page.collect::<Result<_, _>>()?))
        })
        .await
    }

    async fn thread_pages(
        &self,
        account: AccountId,
        generation: Generation,
        conversations: Vec<ConversationId>,
        order: ThreadOrder,
        beyond: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        if conversations.len() > PAGE_ROWS_MAX {
            return Err(StoreError::Refused(RefusedBecause::TooMany { limit: PAGE_ROWS_MAX }));
        }
        let (text, start) = match order {
            ThreadOrder::OldestFirst => (&*OLDEST_FIRST, (i64::MIN, i64::MIN)),
            ThreadOrder::NewestFirst => (&*NEWEST_FIRST, (i64::MAX, i64::MAX)),
        };
        let (at, position) = beyond.map_or(start, bound);
        let conversations = &conversations;
        self.read_with(|connection| async move {
            let ids: Vec<_> = conversations.iter().map(|id| id.uuid().into_bytes().to_vec()).collect();
            let call = Call::new(text).with(account.uuid()).with(generation.0).with(ids);
            let call = call.with(at).with(position).with(limited(limit));
            let mut pages = vec![Vec::new(); conversations.len()];
            for row in read(&connection, &[call]).await?.iter().flatten() {
                let page = pages.get_mut(rows::place(row)?);
                let page = page.ok_or_else(|| corrupt("a thread that nobody asked for"))?;
                page.push(rows::row(&MESSAGES, row, 1)?);
            }
            Ok(pages)
        })
        .await
    }

    async fn present_members(
        &self,
        account: AccountId,
        generation: Generation,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let after = after.map_or_else(Vec::new, |member| member.bytes().to_vec());
        let after = after.as_slice();
        self.read_with(|connection| async move {
            let call = Call::new(&PRESENT_MEMBERS).with(account.uuid()).with(generation.0);
            selected(&connection, call.with(after).with(limited(limit)), &MEMBERS).await
        })
        .await
    }

    async fn deliveries_page(
        &self,
        account: AccountId,
        generation: Generation,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let before = before.map_or(i64::MAX, |position| signed(position.number()));
        self.read_with(|connection| async move {
            let call = Call::new(&DELIVERIES_PAGE).with(account.uuid()).with(generation.0);
            selected(&connection, call.with(before).with(limited(limit)), &DELIVERIES).await
        })
        .await
    }
}

/// How many of their table's key columns the wanted keys have.
fn length(wanted: &Wanted) -> usize {
    wanted.keys.first().map_or(0, Vec::len)
}

/// One statement each; none where nothing is wanted.
fn calls(account: AccountId, generation: Generation, wanted: &[Wanted]) -> Result<Vec<Call<'_>>, StoreError> {
    let mut calls = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        check_named(wanted.keys.len())?;
        let length = length(wanted);
        if wanted.keys.iter().any(|key| key.len() != length) {
            let why = RefusedBecause::Malformed("keys of one question are beginnings of one length");
            return Err(StoreError::Refused(why));
        }
        if !wanted.keys.is_empty() {
            let keys: Vec<_> = wanted.keys.iter().map(Vec::as_slice).collect();
            calls.push(rows::find(account, generation, wanted.table, length, &keys)?);
        }
    }
    Ok(calls)
}

/// What the calls came to, for each of the wanted: in the order of the keys.
fn found(wanted: &[Wanted], answers: &[Vec<tokio_postgres::Row>]) -> Result<Vec<Vec<Row>>, Failure> {
    let mut answers = answers.iter();
    let mut all = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let mut placed = Vec::new();
        if !wanted.keys.is_empty() {
            for row in answers.next().into_iter().flatten() {
                placed.push((rows::place(row)?, rows::row(wanted.table, row, 1)?));
            }
        }
        // They come so, but nothing promises it.
        placed.sort_by_key(|(place, _)| *place);
        all.push(placed.into_iter().map(|(_, row)| row).collect());
    }
    Ok(all)
}

fn section(
    account: AccountId,
    generation: Generation,
    buckets: &[Bucket],
    after: Option<Place>,
    limit: usize,
) -> Result<Call<'static>, StoreError> {
    check_named(buckets.len())?;
    let (at, position) = after.map_or((i64::MAX, i64::MAX), bound);
    let bytes = |id: uuid::Uuid| id.into_bytes().to_vec();
    Ok(Call::new(&SECTION_PAGE)
        .with(account.uuid())
        .with(generation.0)
        .with(buckets.iter().map(|bucket| bytes(bucket.channel.uuid())).collect::<Vec<_>>())
        .with(buckets.iter().map(|bucket| bucket.state.as_str()).collect::<Vec<_>>())
        .with(
            buckets
                .iter()
                .map(|bucket| bucket.assignee.map(MemberId::uuid).map(bytes).unwrap_or_default())
                .collect::<Vec<_>>(),
        )
        .with(at)
        .with(position)
        .with(limited(limit)))
}

fn bound((at, position): Place) -> (i64, i64) {
    (at.micros(), signed(position.number()))
}

fn limited(limit: usize) -> i64 {
    numbers::rows(limit, PAGE_ROWS_MAX)
}

async fn selected(connection: &Connection, call: Call<'_>, table: &Table) -> Result<Vec<Row>, Failure> {
    let found = read(connection, &[call]).await?;
    found.iter().flatten().map(|row| rows::row(table, row, 0)).collect()
}

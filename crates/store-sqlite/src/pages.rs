//! Pages of screens. One statement gathers from any number of buckets or threads: for each it walks the index
//! of places with the limit pushed in, and only the rows of the page itself are read from the table.

use std::sync::LazyLock;

use parlance_domain::{AccountId, ConversationId, MemberId, Position};
use parlance_projections::{
    Row, Table, Value, deliveries::DELIVERIES, inbox::CONVERSATIONS, members::MEMBERS, thread::MESSAGES,
};
use parlance_store::{
    Bucket, Generation, PAGE_ROWS_MAX, Pages, Place, RefusedBecause, StoreError, ThreadOrder, Wanted,
};
use rusqlite::{Connection, ToSql, params};

use crate::{
    SqliteStore,
    error::failed,
    named::{names, tuples},
    sql::{SQL, signed, values},
};

/// Only the buckets with the newest first conversations can give anything to a page, as many as the page is
/// long; so every bucket costs one seek, and no more than that many are walked. `json_each` hands a walk's
/// places on without reading the rows.
static SECTION_PAGE: LazyLock<String> = LazyLock::new(|| {
    let walk = "FROM inbox_conversations AS c
        WHERE c.account_id = ?1 AND c.generation = ?2
          AND (c.last_message_at, c.last_message_position) < (?4, ?5)";
    let order = "ORDER BY c.last_message_at DESC, c.last_message_position DESC";
    let bucket = |from: &str| {
        format!("c.channel_id = {from}.channel AND c.state = {from}.state AND c.assignee IS {from}.assignee")
    };
    let (named, newest) = (bucket("named"), bucket("newest"));
    let columns = columns(&CONVERSATIONS, "found");
    format!(
        "WITH named AS MATERIALIZED (
            SELECT unhex(value ->> 0) AS channel, value ->> 1 AS state, unhex(value ->> 2) AS assignee
            FROM json_each(?3)),
         begun AS MATERIALIZED (
            SELECT channel, state, assignee,
                (SELECT json_array(c.last_message_at, c.last_message_position) {walk} AND {named}
                 {order} LIMIT 1) AS place
            FROM named),
         newest AS MATERIALIZED (
            SELECT channel, state, assignee FROM begun WHERE place IS NOT NULL
            ORDER BY place ->> 0 DESC, place ->> 1 DESC LIMIT ?6),
         page AS MATERIALIZED (
            SELECT place.value ->> 0 AS row, place.value ->> 1 AS at, place.value ->> 2 AS position
            FROM newest CROSS JOIN json_each((
                SELECT json_group_array(json_array(row, at, position)) FROM (
                    SELECT c.rowid AS row, c.last_message_at AS at, c.last_message_position AS position
                    {walk} AND {newest} {order} LIMIT ?6))) AS place
            ORDER BY at DESC, position DESC LIMIT ?6)
         SELECT {columns} FROM page CROSS JOIN inbox_conversations AS found ON found.rowid = page.row
         ORDER BY page.at DESC, page.position DESC"
    )
});

static OLDEST_FIRST: LazyLock<String> = LazyLock::new(|| thread_pages(">", "ASC"));
static NEWEST_FIRST: LazyLock<String> = LazyLock::new(|| thread_pages("<", "DESC"));

/// `beyond` and `direction` are literals above, never what comes in.
fn thread_pages(beyond: &str, direction: &str) -> String {
    let columns = columns(&MESSAGES, "found");
    format!(
        "SELECT {columns}, wanted.key FROM json_each(?3) AS wanted
         CROSS JOIN json_each((
            SELECT json_group_array(row) FROM (
                SELECT m.rowid AS row FROM thread_messages AS m
                WHERE m.account_id = ?1 AND m.generation = ?2 AND m.conversation_id = unhex(wanted.value)
                  AND m.present = 1 AND (m.at, m.position) {beyond} (?4, ?5)
                ORDER BY m.at {direction}, m.position {direction} LIMIT ?6))) AS place
         CROSS JOIN thread_messages AS found ON found.rowid = place.value
         ORDER BY wanted.key, place.key"
    )
}

fn columns(table: &Table, of: &str) -> String {
    let all = table.key.iter().chain(table.columns).map(|column| format!("{of}.{}", column.name));
    all.collect::<Vec<_>>().join(", ")
}

impl Pages for SqliteStore {
    async fn find_rows(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let wanted = named(wanted)?;
        self.readers.read(move |connection| find(connection, account, generation, &wanted)).await
    }

    async fn section_page(
        &self,
        account: AccountId,
        generation: Generation,
        buckets: Vec<Bucket>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let buckets = buckets_named(&buckets)?;
        self.readers
            .read(move |connection| section(connection, account, generation, &buckets, after, limit))
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
        let wanted = named(wanted)?;
        self.readers
            .read(move |connection| {
                let found = find(connection, account, generation, &wanted)?;
                let buckets = choose(&found)?;
                let page = match buckets.is_empty() {
                    true => Vec::new(),
                    false => {
                        let buckets = buckets_named(&buckets)?;
                        section(connection, account, generation, &buckets, after, limit)?
                    }
                };
                Ok((found, page))
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
        let wanted = names(&conversations, |id| Value::from(id.uuid()))?;
        let (text, start) = match order {
            ThreadOrder::OldestFirst => (&*OLDEST_FIRST, (i64::MIN, i64::MIN)),
            ThreadOrder::NewestFirst => (&*NEWEST_FIRST, (i64::MAX, i64::MAX)),
        };
        let (at, position) = beyond.map_or(start, bound);
        self.readers
            .read(move |connection| {
                let find = || {
                    let mut pages = vec![Vec::new(); conversations.len()];
                    let mut statement = connection.prepare_cached(text)?;
                    let bound = params![account.bytes(), generation.0, wanted, at, position, rows(limit)];
                    let mut found = statement.query(bound)?;
                    while let Some(row) = found.next()? {
                        let place: u32 = row.get(MESSAGES.key.len() + MESSAGES.columns.len())?;
                        pages[place as usize].push(values(&MESSAGES, row)?);
                    }
                    Ok(pages)
                };
                find().map_err(|error: rusqlite::Error| failed(&error))
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
        static TEXT: LazyLock<String> = LazyLock::new(|| {
            let columns = columns(&MEMBERS, "members");
            format!(
                "SELECT {columns} FROM members
                 WHERE account_id = ?1 AND generation = ?2 AND member_id > ?3 AND standing <> 'removed'
                 ORDER BY member_id LIMIT ?4"
            )
        });
        let after = after.map_or_else(Vec::new, |member| member.bytes().to_vec());
        self.readers
            .read(move |connection| {
                let bound = params![account.bytes(), generation.0, after, rows(limit)];
                select(connection, &TEXT, &MEMBERS, bound).map_err(|error| failed(&error))
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
        static TEXT: LazyLock<String> = LazyLock::new(|| {
            let columns = columns(&DELIVERIES, "deliveries");
            format!(
                "SELECT {columns} FROM deliveries
                 WHERE account_id = ?1 AND generation = ?2 AND position < ?3
                 ORDER BY position DESC LIMIT ?4"
            )
        });
        let before = before.map_or(i64::MAX, |position| signed(position.number()));
        self.readers
            .read(move |connection| {
                let bound = params![account.bytes(), generation.0, before, rows(limit)];
                select(connection, &TEXT, &DELIVERIES, bound).map_err(|error| failed(&error))
            })
            .await
    }
}

/// A table, how many of its key's columns are given, and the keys.
type Named = (&'static Table, usize, String);

fn named(wanted: Vec<Wanted>) -> Result<Vec<Named>, StoreError> {
    let named = |Wanted { table, keys }: Wanted| {
        let columns = keys.first().map_or(0, Vec::len);
        if columns > table.key.len() || keys.iter().any(|key| key.len() != columns) {
            let why = RefusedBecause::Malformed("keys of one question are beginnings of one length");
            return Err(StoreError::Refused(why));
        }
        Ok((table, columns, tuples(&keys, Clone::clone)?))
    };
    wanted.into_iter().map(named).collect()
}

fn find(
    connection: &Connection,
    account: AccountId,
    generation: Generation,
    wanted: &[Named],
) -> Result<Vec<Vec<Row>>, StoreError> {
    let find = |(table, columns, keys): &Named| {
        let bound = params![account.bytes(), generation.0, keys];
        select(connection, &SQL[table.id].find[*columns], table, bound)
    };
    wanted.iter().map(find).collect::<rusqlite::Result<_>>().map_err(|error| failed(&error))
}

fn buckets_named(buckets: &[Bucket]) -> Result<String, StoreError> {
    tuples(buckets, |bucket| {
        let assignee = bucket.assignee.map(MemberId::uuid);
        vec![bucket.channel.uuid().into(), bucket.state.as_str().into(), assignee.into()]
    })
}

fn section(
    connection: &Connection,
    account: AccountId,
    generation: Generation,
    buckets: &str,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let (at, position) = after.map_or((i64::MAX, i64::MAX), bound);
    let bound = params![account.bytes(), generation.0, buckets, at, position, rows(limit)];
    select(connection, &SECTION_PAGE, &CONVERSATIONS, bound).map_err(|error| failed(&error))
}

fn bound((at, position): Place) -> (i64, i64) {
    (at.micros(), signed(position.number()))
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit.min(PAGE_ROWS_MAX)).unwrap_or(0)
}

fn select(
    connection: &Connection,
    text: &str,
    table: &Table,
    bound: &[&dyn ToSql],
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(text)?;
    let found = statement.query_map(bound, |row| values(table, row))?;
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations;

    /// What SQLite says it will do, line by line.
    fn plan(text: &str) -> Vec<String> {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::migrations::runner().run(&mut connection).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let mut rows = statement.raw_query();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get(3).unwrap());
        }
        lines
    }

    fn count(plan: &[String], line: &str) -> usize {
        plan.iter().filter(|found| found.starts_with(line)).count()
    }

    #[test]
    fn every_bucket_is_a_seek_and_only_the_page_is_read_from_the_table() {
        let plan = plan(&SECTION_PAGE);
        let walk = "SEARCH c USING COVERING INDEX inbox_conversations_by_place (account_id=? AND generation=? AND \
            channel_id=? AND state=? AND assignee=? AND (last_message_at,last_message_position)<(?,?))";
        assert_eq!(count(&plan, walk), 2, "{plan:#?}");
        assert_eq!(count(&plan, "SEARCH found USING INTEGER PRIMARY KEY"), 1, "{plan:#?}");
        assert_eq!(count(&plan, "SEARCH"), 3, "{plan:#?}");
        assert_eq!(count(&plan, "SCAN c") + count(&plan, "SCAN found"), 0, "{plan:#?}");
    }

    #[test]
    fn every_thread_is_a_seek() {
        for (text, beyond) in [(&OLDEST_FIRST, ">"), (&NEWEST_FIRST, "<")] {
            let plan = plan(text);
            let index = "INDEX thread_messages_by_place (account_id=? AND generation=? AND conversation_id=?";
            let walk = plan.iter().find(|line| line.contains(index)).expect("a walk along the index");
            assert!(walk.contains(&format!("(at,position){beyond}(?,?)")), "{walk}");
            assert_eq!(count(&plan, "SEARCH"), 2, "{plan:#?}");
        }
    }

    #[test]
    fn every_wanted_key_is_a_seek() {
        for sql in SQL.iter() {
            for text in &sql.find {
                let plan = plan(text);
                assert_eq!(count(&plan, "SEARCH found USING"), 1, "{plan:#?}");
            }
        }
    }
}

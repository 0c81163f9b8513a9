//! The floor on PostgreSQL.

use std::{collections::HashMap, time::Duration};

use parlance_domain::AccountId;
use parlance_store_postgres::PostgresStore;
use uuid::Uuid;

use crate::{
    databases::{Database, connect},
    peers::{
        floor::{Thousands, recorded, single_sql, singles, writer},
        rows::{COLUMNS, Row},
    },
    world::Place,
};

/// A log as rows, in the order in which they were inserted.
pub struct Log(Vec<Row>);

impl Log {
    /// Reads what lies in a product's database.
    pub async fn read(url: &str) -> anyhow::Result<Self> {
        let client = connect(url).await?;
        let keys = client.query("SELECT account_id, key_id, wrapped FROM data_keys", &[]).await?;
        let mut keys: HashMap<(Uuid, Uuid), Vec<u8>> =
            keys.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
        // Nothing is ever removed from the log, so where rows lie is how they came.
        let events = client.query(&format!("SELECT {COLUMNS} FROM events ORDER BY ctid"), &[]).await?;
        let rows = events.iter().map(|row| {
            let account: Uuid = row.get(0);
            let event = recorded(AccountId::new(account), row)?;
            // The first event that is sealed with a key is the one that it was made for.
            let key = event.key.and_then(|key| Some((key.uuid(), keys.remove(&(account, key.uuid()))?)));
            Ok(Row { event, key })
        });
        Ok(Self(rows.collect::<anyhow::Result<_>>()?))
    }

    /// How many are sealed, and the bytes of all.
    pub fn sealed(&self) -> (usize, usize) {
        let sealed = self.0.iter().filter_map(|row| row.event.sealed.as_ref());
        sealed.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes.len()))
    }

    fn split(&self, count: usize) -> (&[Row], &[Row]) {
        self.0.split_at(self.0.len().saturating_sub(count))
    }

    pub fn write(&self, place: &Place, count: usize) -> anyhow::Result<Duration> {
        let database = empty(place)?;
        let (before, timed) = self.split(count);
        place.runtime()?.block_on(async {
            let client = writer(&database.url).await?;
            let thousands = Thousands::prepare(&client).await?;
            thousands.write(before).await?;
            thousands.write(timed).await
        })
    }

    /// One row, one commit: the least that a durable event takes.
    pub fn write_alone(&self, place: &Place, count: usize) -> anyhow::Result<Duration> {
        let database = empty(place)?;
        let (before, timed) = self.split(count);
        place.runtime()?.block_on(async {
            let client = writer(&database.url).await?;
            Thousands::prepare(&client).await?.write(before).await?;
            singles(&database.url, timed, 1, &single_sql()).await
        })
    }
}

/// The tables and indexes of the product's own migrations.
fn empty(place: &Place) -> anyhow::Result<Database> {
    let database = place.databases()?.create("floor")?;
    place.runtime()?.block_on(PostgresStore::migrate(&database.url))?;
    Ok(database)
}

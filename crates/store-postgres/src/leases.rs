//! Leases: one function call a beat, by the database's clock, on a connection of its own.

use std::time::Duration;

use parlance_store::{AccountBucket, BUCKETS, Beat, Fence, Holding, Lease, Leases, ServerId, StoreError};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Failure, corrupt},
    log::collect,
    numbers::unsigned,
};

/// No lease is longer; it is here so that times cannot run over.
const TTL_MAX: Duration = Duration::from_secs(366 * 24 * 3_600);

const BEAT: &str = "SELECT alive, held, fences FROM beat($1, $2, $3)";

const HOLDINGS: &str = "\
    SELECT bucket, fence,
           CASE WHEN expires_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint THEN server_id END
    FROM leases ORDER BY bucket";

impl Leases for PostgresStore {
    async fn beat(&self, server: ServerId, ttl: Duration) -> Result<Beat, StoreError> {
        let ttl = i64::try_from(ttl.min(TTL_MAX).as_micros()).unwrap_or(i64::MAX);
        // A beat twice is a beat.
        let buckets = i64::from(BUCKETS);
        let given: [(&(dyn ToSql + Sync), Type); 3] =
            [(&server.0, Type::UUID), (&ttl, Type::INT8), (&buckets, Type::INT8)];
        let row = self.inner.line.ask(&self.inner.address, BEAT, &given).await?;
        told(&row).map_err(|failure| failure.given_up())
    }

    async fn leave(&self, server: ServerId) -> Result<(), StoreError> {
        let given: [(&(dyn ToSql + Sync), Type); 1] = [(&server.0, Type::UUID)];
        self.inner.line.ask(&self.inner.address, "SELECT leave($1)", &given).await?;
        Ok(())
    }

    async fn holdings(&self) -> Result<Vec<Holding>, StoreError> {
        self.read_with(move |connection| async move {
            collect(&connection, HOLDINGS, &[], |row| {
                Ok(Holding {
                    bucket: bucket(row.try_get(0)?)?,
                    fence: Fence(unsigned(row.try_get(1)?)),
                    server: row.try_get::<_, Option<Uuid>>(2)?.map(ServerId),
                })
            })
            .await
        })
        .await
    }
}

fn told(row: &Row) -> Result<Beat, Failure> {
    let alive: i64 = row.try_get(0)?;
    let held: Option<Vec<i16>> = row.try_get(1)?;
    let fences: Option<Vec<i64>> = row.try_get(2)?;
    let held = held.into_iter().flatten().zip(fences.into_iter().flatten());
    let lease = |(number, fence)| Ok(Lease { bucket: bucket(number)?, fence: Fence(unsigned(fence)) });
    Ok(Beat {
        servers: usize::try_from(alive).unwrap_or_default(),
        held: held.map(lease).collect::<Result<_, Failure>>()?,
    })
}

fn bucket(number: i16) -> Result<AccountBucket, Failure> {
    let number = u16::try_from(number).map_err(|_| corrupt("a bucket below zero"))?;
    Ok(AccountBucket(number))
}

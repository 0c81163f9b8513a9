//! Telling: one connection, on which a commit does not wait for the disk; one NOTIFY under way at a time, a short
//! pause after each, and what comes meanwhile goes with the next.

use std::{sync::Arc, time::Duration};

use parlance_store::{Hint, StoreError};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, Statement};

use super::{CHANNEL, Waiting, wire};
use crate::{
    connection::{connect, jittered, settled},
    error::cannot_connect,
    url::Address,
};

/// After each: commits that notify wait for each other on all servers together, so nobody does it all the time.
const BETWEEN: Duration = Duration::from_millis(2);
/// To connect, and for one NOTIFY.
const TELL_MAX: Duration = Duration::from_secs(5);
/// Between two tries: at first, and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

pub(super) async fn run(address: Address, me: u64, waiting: Arc<Waiting>) {
    let mut teller = None;
    let mut pause = PAUSE_FIRST;
    loop {
        waiting.bell.notified().await;
        let payloads = wire::write(me, &waiting.take().hints());
        match timeout(TELL_MAX, tell(&address, &mut teller, &payloads)).await {
            Ok(Ok(())) => {
                pause = PAUSE_FIRST;
                waiting.told();
                sleep(BETWEEN).await;
                continue;
            }
            Ok(Err(error)) => tracing::warn!(%error, "hints were not told"),
            Err(_) => tracing::warn!("hints were not told in time"),
        }
        // What was to be told is lost by now, and the others shall know as much.
        teller = None;
        waiting.put(Hint::Missed);
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn tell(
    address: &Address,
    teller: &mut Option<(Client, Statement)>,
    payloads: &[String],
) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| StoreError::Unavailable(cannot_connect(&error));
    let (client, statement) = match teller {
        Some(teller) => teller,
        None => {
            let client = connect(address, &settled(address.config.clone(), TELL_MAX, "off")).await?;
            let text = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload";
            let statement = client.prepare(text).await.map_err(failed)?;
            teller.insert((client, statement))
        }
    };
    client.execute(statement, &[&CHANNEL, &payloads]).await.map_err(failed)?;
    Ok(())
}

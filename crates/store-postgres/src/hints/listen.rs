//! Listening: one connection, made again whenever it is lost. What was told meanwhile is lost, which is said.

use std::{future::poll_fn, time::Duration};

use parlance_store::{Hint, StoreError};
use tokio::{
    sync::{broadcast, mpsc},
    time::{sleep, timeout},
};
use tokio_postgres::AsyncMessage;

use super::{CHANNEL, wire};
use crate::{
    connection::{jittered, settled},
    error::cannot_connect,
    url::Address,
};

/// Between two tries to connect: at first, and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// To connect and to say LISTEN.
const LISTEN_MAX: Duration = Duration::from_secs(10);
/// Notifications that were read and not yet taken; the connection is not read on meanwhile.
const READ_MAX: usize = 1_024;

pub(super) async fn run(address: Address, me: u64, told: broadcast::Sender<Hint>) {
    let mut pause = PAUSE_FIRST;
    loop {
        match timeout(LISTEN_MAX, listening(&address)).await {
            Ok(Ok((_client, mut heard))) => {
                pause = PAUSE_FIRST;
                // Whatever was told before is lost on us.
                let _ = told.send(Hint::Missed);
                while let Some(payload) = heard.recv().await {
                    for hint in wire::read(me, &payload) {
                        // Nobody may listen yet.
                        let _ = told.send(hint);
                    }
                }
                tracing::info!("the connection for hints was lost");
            }
            Ok(Err(error)) => tracing::warn!(%error, "no connection for hints"),
            Err(_) => tracing::warn!("no connection for hints in time"),
        }
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// A connection that listens, and what it hears until it is lost.
async fn listening(
    address: &Address,
) -> Result<(tokio_postgres::Client, mpsc::Receiver<String>), StoreError> {
    let config = settled(address.config.clone(), LISTEN_MAX, "off");
    let failed = |error: &tokio_postgres::Error| StoreError::Unavailable(cannot_connect(error));
    let (client, mut connection) =
        config.connect(address.tls.clone()).await.map_err(|error| failed(&error))?;
    let (hear, heard) = mpsc::channel(READ_MAX);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notification) = message
                && notification.channel() == CHANNEL
                && hear.send(notification.payload().to_owned()).await.is_err()
            {
                break;
            }
        }
    });
    client.batch_execute(&format!("LISTEN {CHANNEL}")).await.map_err(|error| failed(&error))?;
    Ok((client, heard))
}

//! One connection beside the pool, for beats: what keeps the leases must not wait for requests. It is made again when
//! it is lost, and each question has a short bound, as the next one asks the same.

use std::time::Duration;

use parlance_store::StoreError;
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};
use tokio_postgres::{
    Client, Row,
    types::{ToSql, Type},
};

use crate::{
    connection::{Tries, connect, settled},
    error::{Failure, Meaning},
    url::Address,
};

/// An answer that comes later comes too late for a lease of a few seconds.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// Connecting goes on from one question to the next: the first of several hosts may be silent for as long as the address
/// allows, and only then the next one is tried.
const CONNECTING_MAX: Duration = Duration::from_secs(20);

#[derive(Default)]
pub(crate) struct Line {
    state: Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Closed,
    Connecting(JoinHandle<Result<Client, StoreError>>),
    Open(Client),
}

impl Drop for State {
    fn drop(&mut self) {
        if let Self::Connecting(connecting) = self {
            connecting.abort();
        }
    }
}

impl Line {
    /// Asks one thing that may be asked twice, and is answered with one row. One at a time; the bound counts from its
    /// turn on.
    pub(crate) async fn ask(
        &self,
        address: &Address,
        text: &str,
        given: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Row, StoreError> {
        let mut state = self.state.lock().await;
        let asking = ask_again(&mut state, address, text, given);
        if let Ok(answer) = timeout(ANSWER_MAX, asking).await {
            return answer;
        }
        if matches!(*state, State::Open(_)) {
            *state = State::Closed;
        }
        Err(StoreError::Unavailable("the database does not answer in time".to_owned()))
    }
}

async fn ask_again(
    state: &mut State,
    address: &Address,
    text: &str,
    given: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Row, StoreError> {
    let mut tries = Tries::within(ANSWER_MAX);
    loop {
        let failed = match state.client(address).await {
            Err(error) => error,
            Ok(client) => match client.query_typed_one(text, given).await {
                Ok(row) => return Ok(row),
                Err(error) => match Failure::from(error).meaning() {
                    Meaning::No(error) => return Err(error),
                    Meaning::Again(error) => error,
                    Meaning::Standby(error) => {
                        *state = State::Closed;
                        error
                    }
                    Meaning::Lost(why) => {
                        *state = State::Closed;
                        StoreError::Unavailable(why)
                    }
                },
            },
        };
        if !tries.again().await {
            return Err(failed);
        }
    }
}

impl State {
    /// Whoever stops waiting for it loses nothing.
    async fn client(&mut self, address: &Address) -> Result<&Client, StoreError> {
        if matches!(self, Self::Closed) || matches!(self, Self::Open(client) if client.is_closed()) {
            *self = Self::Connecting(tokio::spawn(connecting(address.clone())));
        }
        if let Self::Connecting(connecting) = self {
            let connected = connecting.await;
            *self = Self::Closed;
            let failed = |why: String| Err(StoreError::Unavailable(why));
            *self = Self::Open(connected.unwrap_or_else(|error| failed(error.to_string()))?);
        }
        match self {
            Self::Open(client) => Ok(client),
            _ => Err(StoreError::Unavailable("no connection to the database".to_owned())),
        }
    }
}

async fn connecting(address: Address) -> Result<Client, StoreError> {
    // The server ends what nobody waits for any more.
    let config = settled(address.config.clone(), ANSWER_MAX, "on");
    let late = |_| StoreError::Unavailable("no connection to the database in time".to_owned());
    timeout(CONNECTING_MAX, connect(&address, &config)).await.map_err(late)?
}

//! The pool, how its connections are set, and how work runs with one of them: what may be asked again after a lost
//! connection, and for how long.

use std::{
    future::Future,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::atomic::Ordering,
    time::Duration,
};

use deadpool_postgres::{Manager, ManagerConfig, RecyclingMethod, Runtime};
use parlance_store::StoreError;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::Config;

use crate::{
    PostgresOptions, PostgresStore,
    error::{Failure, Meaning, cannot_connect, unreachable},
    url::Address,
};

/// A pooled connection. Statements are prepared once for each by `prepare_cached`.
pub(crate) type Connection = deadpool_postgres::Object;

/// Waiting for a free connection: as long as a request may take at all.
const FREE_MAX: Duration = Duration::from_secs(5);
/// Tries of one thing: with the pauses between them they fill the time that there is.
pub(crate) const TRIES_MAX: u32 = 12;
/// The pause after the first try; each further one is twice as long, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The server ends a statement by itself; an answer that is later than that by so much does not come.
const ANSWER_LATE_MAX: Duration = Duration::from_secs(5);
/// A server that is stopped within a transaction keeps the locks of what it wrote: nobody could take over its work
/// before PostgreSQL ends its session. So this is no longer than a lease; between two statements of a server that runs
/// there are milliseconds, and what is cut off is done again.
const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(3);

/// What to do when the connection is lost and it is not known whether the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfLost {
    /// It reads, or doing it twice is doing it once.
    Again,
    /// Doing it twice would show, but asking again later is safe: it checks what it rests on.
    Unavailable,
    /// Nobody can tell.
    Unknown,
}

pub(crate) struct Pool {
    pool: deadpool_postgres::Pool,
    /// Appends that may be under way at once: however many wait, some connections are left to whoever reads.
    appends: Semaphore,
    answer_max: Duration,
    trying_max: Duration,
}

impl Pool {
    pub(crate) fn new(address: &Address, options: PostgresOptions) -> Result<Self, StoreError> {
        let config = settled(address.config.clone(), options.statement_timeout, "on");
        let manager = Manager::from_config(
            config,
            address.tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(options.connections.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(FREE_MAX))
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let appends = Semaphore::new(appends_max(options.connections));
        Ok(Self {
            pool,
            appends,
            answer_max: options.statement_timeout + ANSWER_LATE_MAX,
            trying_max: options.trying_max,
        })
    }

    pub(crate) async fn get(&self) -> Result<Connection, StoreError> {
        self.pool.get().await.map_err(|error| unreachable(&error))
    }

    /// A connection for an append; the permit goes with it.
    pub(crate) async fn get_to_append(&self) -> Result<(Connection, SemaphorePermit<'_>), StoreError> {
        let busy = || StoreError::Unavailable("too many appends are under way".to_owned());
        let permit = timeout(FREE_MAX, self.appends.acquire()).await.map_err(|_| busy())?;
        let permit = permit.map_err(|_| busy())?;
        Ok((self.get().await?, permit))
    }

    /// Runs `work`, with a bound for its answer: work that is dropped leaves its connection behind a statement that
    /// may never end, so all idle ones go with it.
    pub(crate) async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match timeout(self.answer_max, work).await {
            Ok(answer) => answer,
            Err(_) => {
                self.forget_idle();
                Err(Failure::Silent)
            }
        }
    }

    /// For one thing that is asked again.
    pub(crate) fn tries(&self) -> Tries {
        Tries::within(self.trying_max)
    }

    /// Connections that nobody uses are closed: they lead to a server that is not the one any more.
    pub(crate) fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }
}

/// Three of four.
fn appends_max(connections: usize) -> usize {
    (connections - connections / 4).max(1)
}

impl PostgresStore {
    fn counted<T>(&self, work: T) -> T {
        self.inner.worked.fetch_add(1, Ordering::Relaxed);
        work
    }

    /// Reads: asked again, within bounds, when the connection is lost.
    pub(crate) async fn read_with<T, F>(
        &self,
        work: impl Fn(Connection) -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        self.run(IfLost::Again, work).await
    }

    /// Runs `work` with a connection, and again, within bounds, where that is safe: when there was no connection to
    /// ask by, when PostgreSQL took it back for another transaction's sake, and as `if_lost` says.
    ///
    /// `work` is a closure that takes the connection and answers an `async move` block; it may be called many times.
    pub(crate) async fn run<T, F>(
        &self,
        if_lost: IfLost,
        work: impl Fn(Connection) -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let pool = &self.inner.pool;
        let mut tries = pool.tries();
        loop {
            let failed = match pool.get().await {
                Err(error) => error,
                Ok(connection) => match pool.answer(self.counted(work(connection))).await {
                    Ok(answer) => return Ok(answer),
                    Err(failure) => match failure.meaning() {
                        Meaning::No(error) => return Err(error),
                        Meaning::Again(error) => error,
                        Meaning::Standby(error) => {
                            pool.forget_idle();
                            error
                        }
                        Meaning::Lost(why) => match if_lost {
                            IfLost::Again => StoreError::Unavailable(why),
                            IfLost::Unavailable => return Err(StoreError::Unavailable(why)),
                            IfLost::Unknown => return Err(StoreError::Unknown(why)),
                        },
                    },
                },
            };
            if !tries.again().await {
                return Err(failed);
            }
        }
    }
}

/// Counts tries, and makes a pause between them.
pub(crate) struct Tries {
    until: Instant,
    made: u32,
    pause: Duration,
}

impl Tries {
    pub(crate) fn within(trying_max: Duration) -> Self {
        Self { until: Instant::now() + trying_max, made: 0, pause: PAUSE_FIRST }
    }

    /// Waits for the next try; `false`: there is none.
    pub(crate) async fn again(&mut self) -> bool {
        self.made += 1;
        let pause = jittered(self.pause);
        if self.made >= TRIES_MAX || Instant::now() + pause >= self.until {
            return false;
        }
        sleep(pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}

/// Between a half and the whole of it: many who lost their connection at once do not come back at once.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().build_hasher().finish() % 1_000).unwrap_or_default();
    pause / 2 + pause * random / 2_000
}

/// Every statement is written as seeks and walks along an index. Generic plans are made without the values, and some of
/// them before there are any rows; nothing else may then look cheaper for as long as they are kept.
const SEEK: &str = "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off \
     -c enable_sort=off -c enable_incremental_sort=off";

/// How sessions are set, whatever the database's or the role's own defaults. By the start of the session: it costs
/// no round trip, and no connection is ever without. Plans that are forced look dear, and compiling them costs hundreds
/// of times what they take: never.
pub(crate) fn settled(mut config: Config, statement_timeout: Duration, synchronous_commit: &str) -> Config {
    let settings = format!(
        "{} -c plan_cache_mode=force_generic_plan -c jit=off -c synchronous_commit={synchronous_commit} \
         -c default_transaction_isolation=read\\ committed -c timezone=UTC -c statement_timeout={} \
         -c idle_in_transaction_session_timeout={} -c client_connection_check_interval=1s {SEEK}",
        config.get_options().unwrap_or_default(),
        statement_timeout.as_millis(),
        IDLE_IN_TRANSACTION_MAX.as_millis(),
    );
    config.options(settings);
    if config.get_application_name().is_none() {
        config.application_name("parlance");
    }
    config
}

/// A connection beside the pool, for what must not share one. Its task ends with it.
pub(crate) async fn connect(
    address: &Address,
    config: &Config,
) -> Result<tokio_postgres::Client, StoreError> {
    let connected = config.connect(address.tls.clone()).await;
    let (client, connection) = connected.map_err(|error| StoreError::Unavailable(cannot_connect(&error)))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the database ended");
        }
    });
    Ok(client)
}

#[cfg(test)]
mod tests {
    use parlance_private_postgres::Server;

    use super::*;

    /// Longer than the bound by what a busy machine takes.
    const FREED_MAX: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn whoever_stops_within_a_transaction_soon_holds_nobody_up() {
        let Some(server) = Server::shared() else { return };
        let database = server.empty_database().await;
        let address = Address::parse(&database.url).unwrap();
        let config = settled(address.config.clone(), FREED_MAX, "on");
        let (stopped, other) =
            (connect(&address, &config).await.unwrap(), connect(&address, &config).await.unwrap());
        stopped.batch_execute("CREATE TABLE work (done integer)").await.unwrap();
        stopped.batch_execute("BEGIN; LOCK TABLE work").await.unwrap();
        other.batch_execute("INSERT INTO work VALUES (1)").await.expect("it is given up before this is");
        assert!(stopped.batch_execute("COMMIT").await.is_err(), "what was begun is gone");
    }
}

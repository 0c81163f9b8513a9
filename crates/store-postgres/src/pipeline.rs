//! Statements sent one after the other without waiting for answers in between: a page of a read model is two
//! round trips, however many statements it takes.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use tokio_postgres::{Row, Statement, types::ToSql};

use crate::{
    connection::Connection,
    error::{Failure, Meaning},
    rows::Array,
};

pub(crate) type Given<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// A statement and what it is given.
pub(crate) struct Call<'a> {
    pub text: &'static str,
    pub given: Vec<Given<'a>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text, given: Vec::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, value: impl ToSql + Sync + Send + 'a) -> Self {
        self.given.push(Box::new(value));
        self
    }

    #[must_use]
    pub(crate) fn with_arrays(mut self, arrays: Vec<Array<'a>>) -> Self {
        self.given.extend(arrays.into_iter().map(Array::given));
        self
    }

    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.given.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }
}

/// What one of the statements of a pipeline came to.
#[derive(Default)]
struct Done {
    rows: Vec<Row>,
    count: u64,
}

type Step<'a> = Pin<Box<dyn Future<Output = Result<Done, tokio_postgres::Error>> + Send + 'a>>;

/// The rows of each.
pub(crate) async fn read(connection: &Connection, calls: &[Call<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
    let done = pipeline(connection, None, calls, None, true).await?;
    Ok(done.into_iter().map(|done| done.rows).collect())
}

/// The same, all of one moment.
pub(crate) async fn read_at_once(
    connection: &Connection,
    calls: &[Call<'_>],
) -> Result<Vec<Vec<Row>>, Failure> {
    if calls.len() < 2 {
        return read(connection, calls).await;
    }
    let open = Open::new(connection);
    let done = pipeline(connection, Some(BEGIN_LOOKING), calls, Some("COMMIT"), true).await?;
    open.over();
    Ok(done.into_iter().map(|done| done.rows).collect())
}

pub(crate) const BEGIN_LOOKING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A transaction that is taken back unless it comes to its end, also when nobody waits for it any more.
pub(crate) struct Open<'a> {
    connection: Option<&'a Connection>,
}

impl<'a> Open<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection: Some(connection) }
    }

    /// Rows of each, in the transaction that `begin` begins; without it in the one that is open.
    pub(crate) async fn read(
        &self,
        begin: Option<&'static str>,
        calls: &[Call<'_>],
        end: Option<&'static str>,
    ) -> Result<Vec<Vec<Row>>, Failure> {
        let done = pipeline(self.connection(), begin, calls, end, true).await.map_err(before_commit)?;
        Ok(done.into_iter().map(|done| done.rows).collect())
    }

    /// How many rows each of them changed, or found.
    pub(crate) async fn write(
        &self,
        begin: Option<&'static str>,
        calls: &[Call<'_>],
    ) -> Result<Vec<u64>, Failure> {
        let done = pipeline(self.connection(), begin, calls, None, false).await.map_err(before_commit)?;
        Ok(done.into_iter().map(|done| done.count).collect())
    }

    pub(crate) async fn commit(self) -> Result<(), Failure> {
        self.connection().batch_execute("COMMIT").await?;
        self.over();
        Ok(())
    }

    pub(crate) fn over(mut self) {
        self.connection = None;
    }

    fn connection(&self) -> &'a Connection {
        self.connection.expect("it is there until the transaction is over")
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection {
            // Sent at the first poll, before whatever the connection is asked next; the answer is nobody's.
            let rollback = pin!(connection.batch_execute("ROLLBACK"));
            let _sent = rollback.poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// What was not committed was not done, whatever became of the connection.
fn before_commit(failure: Failure) -> Failure {
    match failure.meaning() {
        Meaning::Lost(why) => Failure::Undone(why),
        _ => failure,
    }
}

async fn pipeline(
    connection: &Connection,
    begin: Option<&'static str>,
    calls: &[Call<'_>],
    end: Option<&'static str>,
    rows: bool,
) -> Result<Vec<Done>, Failure> {
    let mut statements: Vec<Statement> = Vec::with_capacity(calls.len());
    for call in calls {
        statements.push(connection.prepare_cached(call.text).await?);
    }
    let params: Vec<_> = calls.iter().map(Call::params).collect();
    let plain = |text: &'static str| -> Step<'_> {
        Box::pin(async move { connection.batch_execute(text).await.map(|()| Done::default()) })
    };
    let mut steps: Vec<Step<'_>> = Vec::with_capacity(calls.len() + 2);
    steps.extend(begin.map(plain));
    for (statement, params) in statements.iter().zip(&params) {
        steps.push(Box::pin(async move {
            if rows {
                let rows = connection.query(statement, params).await?;
                Ok(Done { count: 0, rows })
            } else {
                let count = connection.execute(statement, params).await?;
                Ok(Done { count, rows: Vec::new() })
            }
        }));
    }
    steps.extend(end.map(plain));
    let mut done = in_turn(steps).await?;
    if end.is_some() {
        done.pop();
    }
    if begin.is_some() {
        done.remove(0);
    }
    Ok(done)
}

/// Begins all of them in their order, and waits for them in their order. A statement leaves when it is begun.
async fn in_turn(mut steps: Vec<Step<'_>>) -> Result<Vec<Done>, tokio_postgres::Error> {
    let mut ready: Vec<Option<Result<Done, tokio_postgres::Error>>> = Vec::with_capacity(steps.len());
    poll_fn(|context| {
        for step in &mut steps {
            ready.push(match step.as_mut().poll(context) {
                Poll::Ready(done) => Some(done),
                Poll::Pending => None,
            });
        }
        Poll::Ready(())
    })
    .await;
    let mut all = Vec::with_capacity(steps.len());
    for (step, ready) in steps.into_iter().zip(ready) {
        all.push(match ready {
            Some(done) => done?,
            None => step.await?,
        });
    }
    Ok(all)
}

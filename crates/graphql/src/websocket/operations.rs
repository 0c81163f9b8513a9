//! The operations under way on a socket, asked in turns: one that always has something to say is heard as often as
//! any other, and no more.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{StreamExt as _, stream::BoxStream};

use crate::{
    http::BODY_BYTES_MAX,
    running::{Answer, Running},
};

/// At a time, on one socket. A page has a handful; each holds its documents and what it waits for.
pub(super) const OPERATIONS_MAX: usize = 64;
/// Bytes of the requests that are under way on one socket, together: an operation holds its variables to its end.
/// As much as one request may be, so that any may run alone.
pub(super) const REQUESTS_BYTES_MAX: usize = BODY_BYTES_MAX;

#[derive(Default)]
pub(super) struct Operations {
    running: Vec<Operation>,
    /// Whose turn it is.
    turn: usize,
}

struct Operation {
    id: Arc<str>,
    /// It answers once, soon: a query or mutation.
    once: bool,
    /// How long its request was.
    bytes: usize,
    answers: BoxStream<'static, Answer>,
}

/// Why an operation does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Its id is under way.
    SameId,
    TooMany,
    /// The requests under way are too large for another one of this size.
    TooLarge,
}

impl Operations {
    /// Whether an operation of this id may begin, whose request has so many bytes.
    pub fn room_for(&self, id: &str, bytes: usize) -> Result<(), Full> {
        if self.running.iter().any(|operation| &*operation.id == id) {
            Err(Full::SameId)
        } else if self.running.len() >= OPERATIONS_MAX {
            Err(Full::TooMany)
        } else if self.running.iter().map(|operation| operation.bytes).sum::<usize>() + bytes
            > REQUESTS_BYTES_MAX
        {
            Err(Full::TooLarge)
        } else {
            Ok(())
        }
    }

    pub fn begin(&mut self, id: &str, bytes: usize, Running { once, answers }: Running) {
        self.running.push(Operation { id: id.into(), once, bytes, answers });
    }

    /// Drops an operation, with all it holds; one that is not there is none.
    pub fn cancel(&mut self, id: &str) {
        self.running.retain(|operation| &*operation.id != id);
    }

    /// Drops those that would go on for ever.
    pub fn cancel_endless(&mut self) {
        self.running.retain(|operation| operation.once);
    }

    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// The next answer of whose turn it is, or that it has ended.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(Arc<str>, Option<Answer>)> {
        let count = self.running.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let operation = &mut self.running[at];
            if let Poll::Ready(answer) = operation.answers.poll_next_unpin(cx) {
                let id = Arc::clone(&operation.id);
                self.turn = at + 1;
                if answer.is_none() {
                    self.running.remove(at);
                    self.turn = at;
                }
                return Poll::Ready((id, answer));
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::{future::poll_fn, stream};

    use super::*;

    fn answers(count: usize) -> Running {
        let raw = || serde_json::value::to_raw_value(&0).unwrap();
        let answers = stream::iter(0..count).map(move |_| Answer::Result(raw()));
        Running { once: false, answers: answers.boxed() }
    }

    /// What was heard, by operation, until so many answers.
    async fn heard(operations: &mut Operations, count: usize) -> BTreeMap<String, usize> {
        let mut heard = BTreeMap::new();
        for _ in 0..count {
            let (id, _) = poll_fn(|cx| operations.poll_next(cx)).await;
            *heard.entry(id.to_string()).or_default() += 1;
        }
        heard
    }

    #[tokio::test]
    async fn one_that_always_has_something_to_say_is_heard_no_more_than_the_others() {
        let mut operations = Operations::default();
        for id in ["chatty", "b", "c", "d"] {
            operations.begin(id, 1, answers(if id == "chatty" { 1_000_000 } else { 10 }));
        }
        let expected = ["b", "c", "chatty", "d"].map(|id| (id.to_owned(), 10)).into();
        assert_eq!(heard(&mut operations, 40).await, expected);
        // The others' ends, and nothing but the chatty one from then on.
        let rest = heard(&mut operations, 20).await;
        assert_eq!((rest["b"], rest["c"], rest["d"], rest["chatty"]), (1, 1, 1, 17));
    }

    #[tokio::test]
    async fn a_cancelled_operation_is_dropped_at_once_and_its_id_is_free() {
        let (held, mut gone) = tokio::sync::oneshot::channel::<()>();
        let mut operations = Operations::default();
        let endless = stream::once(async move {
            let _held = held;
            std::future::pending::<Answer>().await
        });
        operations.begin("a", 1, Running { once: false, answers: endless.boxed() });
        assert_eq!(operations.room_for("a", 1), Err(Full::SameId));
        let polled = poll_fn(|cx| Poll::Ready(operations.poll_next(cx).is_pending())).await;
        assert!(polled && gone.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty));
        operations.cancel("a");
        assert_eq!(gone.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Closed));
        assert!(operations.is_empty() && operations.room_for("a", 1).is_ok());
    }

    #[tokio::test]
    async fn only_so_many_run_at_a_time_and_those_that_answer_once_stay_to_the_end() {
        let mut operations = Operations::default();
        for n in 0..OPERATIONS_MAX {
            operations.begin(&n.to_string(), 1, Running { once: n % 2 == 0, ..answers(1) });
        }
        assert_eq!(operations.room_for("more", 1), Err(Full::TooMany));
        operations.cancel_endless();
        assert_eq!(heard(&mut operations, OPERATIONS_MAX / 2).await.len(), OPERATIONS_MAX / 2);
    }

    #[test]
    fn the_requests_under_way_are_bounded_together() {
        let mut operations = Operations::default();
        assert_eq!(operations.room_for("a", REQUESTS_BYTES_MAX), Ok(()));
        operations.begin("a", REQUESTS_BYTES_MAX - 10, answers(1));
        assert_eq!(operations.room_for("b", 10), Ok(()));
        operations.begin("b", 10, answers(1));
        assert_eq!(operations.room_for("c", 1), Err(Full::TooLarge));
        operations.cancel("b");
        assert_eq!(operations.room_for("c", 1), Ok(()));
    }
}

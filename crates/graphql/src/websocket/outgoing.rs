//! What a socket has still to send, bounded: nothing new is read or asked for while the client does not take what
//! is there, and a client that takes nothing for long is given up.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Sink;
use tokio::time::{Sleep, sleep};
use tokio_tungstenite::tungstenite::Message;

/// Replies that wait (pongs, refusals) until nothing more is read. One answer of an operation may wait beside them.
const REPLIES_MAX: usize = 8;
/// For one message to leave. A client's network may be away for a moment; after this it has to come back and resume.
const SEND_WAIT: Duration = Duration::from_secs(20);

#[derive(Default)]
pub(super) struct Outgoing {
    waiting: VecDeque<Waiting>,
    unflushed: bool,
    stalled: Option<Pin<Box<Sleep>>>,
}

struct Waiting {
    /// The operation that it belongs to.
    of: Option<Arc<str>>,
    message: Message,
}

/// Nothing more can be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The connection has ended.
    Gone,
    /// The client did not take a message in time.
    Stalled,
}

impl Outgoing {
    pub fn push(&mut self, of: Option<Arc<str>>, message: Message) {
        self.waiting.push_back(Waiting { of, message });
    }

    /// Nothing more of this operation is sent.
    pub fn forget(&mut self, id: &str) {
        self.waiting.retain(|waiting| waiting.of.as_deref() != Some(id));
    }

    /// Whether what is read next may be answered.
    pub fn has_room(&self) -> bool {
        self.waiting.len() < REPLIES_MAX
    }

    /// Whether everything has left.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.unflushed
    }

    /// Sends as much as the client takes; ready when nothing is left.
    pub fn poll_send<S>(&mut self, sink: &mut S, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>>
    where
        S: Sink<Message> + Unpin,
    {
        match self.poll_through(sink, cx) {
            Poll::Ready(sent) => {
                self.stalled = None;
                Poll::Ready(sent)
            }
            Poll::Pending => {
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(SEND_WAIT)));
                stalled.as_mut().poll(cx).map(|()| Err(Stopped::Stalled))
            }
        }
    }

    fn poll_through<S>(&mut self, sink: &mut S, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>>
    where
        S: Sink<Message> + Unpin,
    {
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut *sink).poll_ready(cx)).map_err(|_| Stopped::Gone)?;
            let Some(first) = self.waiting.pop_front() else { break };
            Pin::new(&mut *sink).start_send(first.message).map_err(|_| Stopped::Gone)?;
            // The one before has left.
            self.stalled = None;
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut *sink).poll_flush(cx)).map_err(|_| Stopped::Gone)?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

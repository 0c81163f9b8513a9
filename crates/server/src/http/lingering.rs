//! A stream that a client cannot hold by not reading, and that is closed in two steps: nothing more is written, then what the client still sends is read and
//! thrown away, bounded. Closed at once, with bytes unread, the kernel would answer them by a reset, and a reset
//! makes the client lose an answer that it has not read yet: the 413 it was sent while it was still sending.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

/// How long a client may take to notice that the connection ends.
const LINGER_WAIT: Duration = Duration::from_secs(2);
/// How long a client may take none of what is written to it: whoever went away without a word, or stopped reading,
/// does not keep its connection and what it was to be sent.
const WRITE_WAIT: Duration = Duration::from_secs(30);
/// What it may send meanwhile: enough for one that looks at the answer only after all of a large body.
const LINGER_BYTES_MAX: usize = 8 << 20;

pub struct Lingering {
    stream: TcpStream,
    end: Option<End>,
    /// Nothing of what is written is taken until this passes.
    blocked: Option<Pin<Box<Sleep>>>,
    /// The connection's place among all; it goes with the stream, which outlives HTTP where it becomes a socket.
    _place: OwnedSemaphorePermit,
}

struct End {
    wait: Pin<Box<Sleep>>,
    thrown_away: usize,
}

impl Lingering {
    pub fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        Self { stream, end: None, blocked: None, _place: place }
    }

    /// What a write came to: an error, where nothing could be written for long.
    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.blocked = None;
            return written;
        }
        let blocked = self.blocked.get_or_insert_with(|| Box::pin(sleep(WRITE_WAIT)));
        blocked.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, end, .. } = &mut *self;
        if end.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let end = end.get_or_insert_with(|| End { wait: Box::pin(sleep(LINGER_WAIT)), thrown_away: 0 });
        let mut piece = [0; 8 << 10];
        while end.thrown_away < LINGER_BYTES_MAX && end.wait.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut piece);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => end.thrown_away += buf.filled().len(),
                // The client has ended its side, in whatever way.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

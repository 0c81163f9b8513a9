//! A stream that is closed in two steps: nothing more is written, then what the client still sends is read and
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
/// What it may send meanwhile: enough for one that looks at the answer only after all of a large body.
const LINGER_BYTES_MAX: usize = 8 << 20;

pub struct Lingering {
    stream: TcpStream,
    end: Option<End>,
    /// The connection's place among all; it goes with the stream, which outlives HTTP where it becomes a socket.
    _place: OwnedSemaphorePermit,
}

struct End {
    wait: Pin<Box<Sleep>>,
    thrown_away: usize,
}

impl Lingering {
    pub fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        Self { stream, end: None, _place: place }
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
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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

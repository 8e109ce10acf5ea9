//! A connection that is closed when a write makes no progress for too long, or when its reader disconnects.
//!
//! Invariants: there is a timer only while a write waits and a limit is set; any progress cancels the timer. The
//! peer's FIN closes the connection at once only while a read is in progress: a peer that sent a whole request and
//! then shut down its side still gets the answer. Does not know requests: `serve.rs` and `sse_body.rs` say which one
//! is in progress.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What the current request allows its connection; shared by the two.
#[derive(Debug)]
pub(crate) struct StallLimit {
    /// For every answer except a read's.
    write_stall: Duration,
    /// How long writes may stall now, in milliseconds; 0 means no limit.
    ms: AtomicU64,
    /// Whether a read is in progress: nobody receives it once the peer has closed its side.
    reading: AtomicBool,
}

impl StallLimit {
    pub(crate) fn new(write_stall: Duration) -> Self {
        Self { write_stall, ms: AtomicU64::new(ms(write_stall)), reading: AtomicBool::new(false) }
    }

    /// A finite answer begins: the read is over, or this is the next request.
    pub(crate) fn begin_answer(&self) {
        self.set(self.write_stall);
        self.reading.store(false, Ordering::Relaxed);
    }

    /// A read begins. There is no limit until it sets one.
    pub(crate) fn begin_read(&self) {
        self.ms.store(0, Ordering::Relaxed);
        self.reading.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, stall_max: Duration) {
        self.ms.store(ms(stall_max), Ordering::Relaxed);
    }

    fn stall_max(&self) -> Option<Duration> {
        let ms = self.ms.load(Ordering::Relaxed);
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    fn is_reading(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }
}

/// At least one: zero means no limit.
fn ms(stall_max: Duration) -> u64 {
    u64::try_from(stall_max.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// The connection.
pub(crate) struct StallIo<T> {
    inner: T,
    limit: Arc<StallLimit>,
    waiting: Option<Pin<Box<Sleep>>>,
    /// A byte that arrived while we checked for the reader's FIN: the beginning of its next request.
    ahead: Option<u8>,
}

impl<T> StallIo<T> {
    pub(crate) fn new(inner: T, limit: Arc<StallLimit>) -> Self {
        Self { inner, limit, waiting: None, ahead: None }
    }

    /// Passes on the result of a write, or an error once it has stalled too long.
    fn watched<R>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        let Some(stall_max) = wrote.is_pending().then(|| self.limit.stall_max()).flatten() else {
            self.waiting = None;
            return wrote;
        };
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(stall_max)));
        ready!(waiting.as_mut().poll(cx));
        tracing::debug!(?stall_max, "a connection is cut: a write made no progress");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "a write made no progress")))
    }
}

impl<T: AsyncRead + Unpin> StallIo<T> {
    /// Fails once the reader has disconnected. hyper does not read while it answers, because we let publishers shut
    /// down their side; but it writes or flushes each time it is woken.
    fn check_reader(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.limit.is_reading() || self.ahead.is_some() {
            return Ok(());
        }
        let mut byte = [0];
        let mut buf = ReadBuf::new(&mut byte);
        if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(cx, &mut buf) {
            read?;
            self.ahead = buf.filled().first().copied();
            if self.ahead.is_none() {
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the reader has gone"));
            }
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StallIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() > 0
            && let Some(byte) = self.ahead.take()
        {
            buf.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for StallIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check_reader(cx)?;
        let wrote = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watched(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_reader(cx)?;
        let wrote = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.watched(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_reader(cx)?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;

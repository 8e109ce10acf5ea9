//! A connection that ends when a write makes no progress for too long.
//!
//! Invariants: there is a timer only while a write waits and a limit is set; any progress takes the timer back.
//! Does not set the limit: a read does, when its stream disconnects slow readers.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long the writes of one connection may stall. Shared by the connection and the request on it.
#[derive(Debug, Default)]
pub(crate) struct StallLimit {
    /// Milliseconds; 0 is no limit.
    ms: AtomicU64,
}

impl StallLimit {
    pub(crate) fn set(&self, stall_max: Duration) {
        let ms = u64::try_from(stall_max.as_millis()).unwrap_or(u64::MAX).max(1);
        self.ms.store(ms, Ordering::Relaxed);
    }

    /// A new request on the connection has no limit until it sets one.
    pub(crate) fn clear(&self) {
        self.ms.store(0, Ordering::Relaxed);
    }

    fn stall_max(&self) -> Option<Duration> {
        let ms = self.ms.load(Ordering::Relaxed);
        (ms > 0).then(|| Duration::from_millis(ms))
    }
}

/// The connection.
pub(crate) struct StallIo<T> {
    inner: T,
    limit: Arc<StallLimit>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<T> StallIo<T> {
    pub(crate) fn new(inner: T, limit: Arc<StallLimit>) -> Self {
        Self { inner, limit, waiting: None }
    }

    /// Passes on what a write answered, or the end of the patience with it.
    fn watched<R>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        let Some(stall_max) = wrote.is_pending().then(|| self.limit.stall_max()).flatten() else {
            self.waiting = None;
            return wrote;
        };
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(stall_max)));
        ready!(waiting.as_mut().poll(cx));
        tracing::debug!(?stall_max, "a slow reader is disconnected: a write made no progress");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "a write made no progress")))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StallIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StallIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watched(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.watched(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;

//! The body of a read: pulls from the hub's reader when the connection can take more.
//!
//! Invariant: it holds one read of the log, shared with all its readers, and one piece of bytes, and no queue; while
//! the connection takes nothing, nothing is read from the log. Cancellation: dropping the body ends the reader. Does
//! not know sockets.

use std::{convert::Infallible, sync::Arc, time::Instant};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use largesse_hub::{Hub, Out, Reader};
use largesse_wire::{Retry, encode_head};

use super::{
    encode::{self, Format},
    pending::Pending,
    retry,
};
use crate::kit::listen::stall::StallLimit;

/// A read in progress.
pub(crate) struct Reading {
    hub: Arc<Hub>,
    reader: Box<Reader>,
    /// `None` once written.
    head: Option<Retry>,
    /// Blocks that the connection has not taken yet.
    pending: Pending,
    ended: Ended,
    /// `None` under another server than ours.
    stall: Option<OnConnection>,
    trace: Trace,
}

/// Whether the reader has more to give.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    NotYet,
    Ended,
}

/// Traces once, when dropped, that a reader disconnected.
struct Trace {
    path: String,
    begun: Instant,
    bytes: usize,
}

/// Marks the connection as reading, for as long as it lives.
struct OnConnection(Arc<StallLimit>);

impl OnConnection {
    fn begin(stall: Arc<StallLimit>) -> Self {
        stall.begin_read();
        Self(stall)
    }
}

impl Drop for OnConnection {
    fn drop(&mut self) {
        self.0.begin_answer();
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let seconds = self.begun.elapsed().as_secs();
        tracing::debug!(path = self.path, bytes = self.bytes, seconds, "a reader disconnected");
    }
}

impl Reading {
    pub(crate) fn new(
        hub: Arc<Hub>,
        reader: Box<Reader>,
        format: Format,
        retry: Retry,
        stall: Option<Arc<StallLimit>>,
        path: &str,
    ) -> Self {
        let stall = stall.map(OnConnection::begin);
        let trace = Trace { path: path.to_owned(), begun: Instant::now(), bytes: 0 };
        let pending = Pending::new(format);
        Self { hub, reader, head: Some(retry), pending, ended: Ended::NotYet, stall, trace }
    }

    pub(crate) fn into_body(self) -> Body {
        let pieces = stream::unfold(self, Self::piece);
        Body::new(StreamBody::new(pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)))))
    }

    /// The next piece and the rest. The head is sent at once, together with what is available already.
    async fn piece(mut self) -> Option<(Bytes, Self)> {
        let mut bytes = Vec::new();
        if let Some(retry) = self.head.take() {
            encode_head(&mut bytes, retry);
            // Dropping `next` loses nothing.
            if let Some(out) = self.reader.next().now_or_never() {
                self.take(&mut bytes, out);
            }
        } else if self.pending.is_empty() && self.ended == Ended::NotYet {
            let out = self.reader.next().await;
            self.take(&mut bytes, out);
        }
        self.pending.push(&mut bytes);
        if bytes.is_empty() {
            return None;
        }
        self.trace.bytes += bytes.len();
        Some((Bytes::from(bytes), self))
    }

    fn take(&mut self, bytes: &mut Vec<u8>, out: Option<Out>) {
        match out {
            None => {
                self.ended = Ended::Ended;
                if self.reader.has_failed() {
                    encode_head(bytes, retry::away());
                }
            }
            Some(Out::Blocks(blocks)) => self.pending.set(blocks),
            Some(Out::Heartbeat(form)) => encode::heartbeat(bytes, form, self.hub.now()),
        }
        if let (Some(OnConnection(stall)), Some(stall_max)) = (&self.stall, self.reader.stall_max()) {
            stall.set(stall_max);
        }
    }
}

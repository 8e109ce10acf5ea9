//! The body of a request: taken as a whole, piece by piece, or read and dropped.
//!
//! Invariants: what is held is at most the limit given and one piece more, and of all bodies together at most
//! their budget; a whole body has come by a certain time or never. Does not know what stands in the body.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use crate::{
    DoorConfig, Problem,
    body_budget::{Full, Share},
    refusal::Refusal,
};

/// How much of a refused body is read, so that the answer arrives: a peer that is still sending would meet a
/// reset connection instead.
const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// How long a refused body is read.
const DROPPED_FOR_MAX: Duration = Duration::from_secs(1);

/// Room made for a body before it came, whatever its head says.
const ROOM_BYTES_MAX: usize = 64 * 1024;

/// A request's body and how far it was read.
pub(crate) struct RequestBody {
    body: Body,
    read: Read,
    /// What a whole body takes of the budget, for as long as the request lasts: its events are made of it.
    share: Share,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Nothing was asked for, and the other side waits to be asked (RFC 9110, clause 10.1.1).
    AwaitsContinue,
    Begun,
    Ended,
}

/// The connection ended before the body did.
#[derive(Debug)]
pub(crate) struct Cut;

/// What a whole body may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeLimits {
    bytes_max: usize,
    idle: Duration,
    time_max: Duration,
}

impl WholeLimits {
    pub(crate) fn new(config: &DoorConfig, bytes_max: usize) -> Self {
        Self { bytes_max, idle: config.body_idle, time_max: config.body_time_max }
    }
}

impl RequestBody {
    pub(crate) fn new(body: Body, headers: &HeaderMap, share: Share) -> Self {
        let expects = headers
            .get_all(header::EXPECT)
            .iter()
            .any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"100-continue"));
        let read = if expects { Read::AwaitsContinue } else { Read::Begun };
        Self { body, read, share }
    }

    /// The next piece; `None` at the body's end. Cancellation: loses nothing.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Cut> {
        while self.read != Read::Ended {
            self.read = Read::Begun;
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    // What is not data are trailers, which mean nothing here.
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
                Some(Err(_)) => {
                    self.read = Read::Ended;
                    return Err(Cut);
                }
                None => self.read = Read::Ended,
            }
        }
        Ok(None)
    }

    /// The whole body, or why not.
    pub(crate) async fn whole(&mut self, limits: WholeLimits) -> Result<Vec<u8>, Refusal> {
        let said = usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX);
        if said > limits.bytes_max {
            return Err(too_large(limits.bytes_max));
        }
        let mut whole = Vec::with_capacity(said.min(ROOM_BYTES_MAX));
        let begun = Instant::now();
        while let Some(piece) = self.piece_within(limits, begun).await? {
            if whole.len() + piece.len() > limits.bytes_max {
                return Err(too_large(limits.bytes_max));
            }
            self.share.take(piece.len()).map_err(|Full| full())?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// The next piece of a whole body, unless its time is over.
    async fn piece_within(&mut self, limits: WholeLimits, begun: Instant) -> Result<Option<Bytes>, Refusal> {
        let left = limits.time_max.saturating_sub(begun.elapsed());
        let Ok(piece) = timeout(limits.idle.min(left), self.piece()).await else {
            // Whoever sends too little has nothing to be waited for.
            self.read = Read::Ended;
            return Err(if limits.idle < left { idle(limits.idle) } else { too_slow(limits.time_max) });
        };
        piece.map_err(|Cut| cut())
    }

    /// Reads and drops what is left, up to a limit, so that an early answer arrives.
    pub(crate) async fn drop_rest(&mut self) {
        self.share.give_back();
        if self.read != Read::Begun || self.body.is_end_stream() {
            return;
        }
        // Past the limits the connection is closed under the peer, as it has to be some time.
        let _ = timeout(DROPPED_FOR_MAX, self.drop_pieces()).await;
    }

    async fn drop_pieces(&mut self) {
        let mut dropped_bytes = 0;
        while dropped_bytes < DROPPED_BYTES_MAX {
            let Ok(Some(piece)) = self.piece().await else { return };
            dropped_bytes += piece.len();
        }
    }
}

fn too_large(bytes_max: usize) -> Refusal {
    let detail = format!(
        "The body has more than {bytes_max} bytes, which is the most one request may append at once."
    );
    Refusal::new(Problem::TooLarge, detail).with("limit", bytes_max)
}

fn idle(idle: Duration) -> Refusal {
    let detail = format!(
        "No byte of the body came for {} s, and it is not complete. Nothing was appended. \
         A body of type text/event-stream may take its time.",
        idle.as_secs_f64()
    );
    Refusal::new(Problem::BodyTimeout, detail)
}

fn too_slow(time_max: Duration) -> Refusal {
    let detail = format!(
        "The body was not complete after {} s. Nothing was appended. Send less at once; \
         a body of type text/event-stream may take its time.",
        time_max.as_secs_f64()
    );
    Refusal::new(Problem::BodyTimeout, detail)
}

fn full() -> Refusal {
    let detail = "There is no memory left for this body beside those that others are sending now. Nothing was \
                  appended. Send it again later.";
    Refusal::new(Problem::Overloaded, detail).come_again()
}

fn cut() -> Refusal {
    Refusal::new(Problem::BodyCut, "The connection ended before the body did. Nothing was appended.")
}

//! The body of a request: read as a whole, piece by piece, or drained.
//!
//! Invariants: a body buffers at most its limit plus one piece, and all bodies together at most their budget; what is
//! buffered is complete by a deadline, or refused. Does not interpret the body.

pub(crate) mod budget;

use std::{
    error::Error,
    io::{self, ErrorKind},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use self::budget::{Full, Share};
use crate::kit::{printable::Printable, problem::Problem, refusal::Refusal};

/// Bytes of a refused body that are drained, at most, so that the answer arrives: a peer that is still sending would
/// see a reset connection instead.
const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// How long a refused body is drained, at most.
const DROPPED_FOR_MAX: Duration = Duration::from_secs(1);

/// Buffer allocated before a body arrives, at most, whatever Content-Length says.
const ROOM_BYTES_MAX: usize = 64 * 1024;

/// Limits on the bodies of all requests. Source of the defaults: SPEC of Largesse §2 (ours).
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes of all bodies that are read as a whole, and of unfinished blocks of event streams, together. More: 503,
    /// and nothing of this body, or block, is appended.
    pub total_bytes_max: usize,
    /// How long a body that is read as a whole, or an unfinished block, may be silent. Longer: 408, and nothing of it
    /// is appended.
    pub idle_max: Duration,
    /// How long such a body or block may take from its first byte to its last. Longer: 408, and nothing of it is
    /// appended.
    pub time_max: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            total_bytes_max: 256 * 1024 * 1024,
            idle_max: Duration::from_secs(30),
            time_max: Duration::from_secs(120),
        }
    }
}

/// A request's body, and how far it has been read.
pub(crate) struct RequestBody {
    body: Body,
    read: Read,
    limits: BodyLimits,
    /// What is buffered counts against the budget: a whole body until the request ends, because its events are made
    /// from it; an unfinished block until it is complete.
    share: Share,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Nothing was read yet, and the client waits for 100 Continue (RFC 9110, clause 10.1.1).
    AwaitsContinue,
    Begun,
    Ended,
}

/// Why a body is incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// The connection closed.
    Cut,
    /// Its chunks are malformed; says how.
    BadChunks(String),
}

impl Incomplete {
    /// hyper exposes only the kind of its error: malformed chunks are invalid input or data, a broken connection
    /// never is. Source: RFC 9112, clause 7.1.
    fn of(error: &axum::Error) -> Self {
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            match error.downcast_ref::<io::Error>() {
                Some(found) if matches!(found.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
                    return Self::BadChunks(found.to_string());
                }
                _ => next = error.source(),
            }
        }
        Self::Cut
    }

    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Cut => {
                Refusal::new(Problem::BodyCut, "The connection closed before the body was complete.")
            }
            Self::BadChunks(what) => {
                let detail = format!(
                    "The chunked body is malformed: {}. A chunk is its length in hexadecimal, CR LF, that many \
             bytes, and CR LF; the last chunk has length 0. Or send a Content-Length instead of \
             Transfer-Encoding.",
                    Printable(what)
                );
                Refusal::new(Problem::BadChunks, detail)
            }
        }
    }
}

/// Why something that is buffered until complete gets no further piece.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    /// It never will be complete.
    Incomplete(Incomplete),
    /// Nothing arrived for this long.
    Idle(Duration),
    /// It was not complete after this long.
    TooSlow(Duration),
}

impl RequestBody {
    pub(crate) fn new(body: Body, headers: &HeaderMap, limits: BodyLimits, share: Share) -> Self {
        let expects = headers
            .get_all(header::EXPECT)
            .iter()
            .any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"100-continue"));
        let read = if expects { Read::AwaitsContinue } else { Read::Begun };
        Self { body, read, limits, share }
    }

    /// The next piece; `None` at the body's end. Cancellation: loses nothing.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Incomplete> {
        while self.read != Read::Ended {
            self.read = Read::Begun;
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    // Anything else is trailers, which we ignore.
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
                Some(Err(error)) => {
                    self.read = Read::Ended;
                    return Err(Incomplete::of(&error));
                }
                None => self.read = Read::Ended,
            }
        }
        Ok(None)
    }

    /// The body's length by its head, or 0 if unknown.
    pub(crate) fn length_hint(&self) -> usize {
        usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX)
    }

    /// Whether the client waits for 100 Continue before it sends the body.
    pub(crate) fn awaits_continue(&self) -> bool {
        self.read == Read::AwaitsContinue
    }

    /// The whole body.
    pub(crate) async fn whole(&mut self, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
        if self.length_hint() > bytes_max {
            return Err(too_large(bytes_max));
        }
        self.whole_checked(bytes_max, |_| Ok(())).await
    }

    /// The same, but each piece is checked as it arrives, so that an invalid body is refused early, and for what is
    /// wrong with it rather than for its size.
    pub(crate) async fn whole_checked(
        &mut self,
        bytes_max: usize,
        mut look: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let said = self.length_hint();
        let mut whole = Vec::with_capacity(said.min(ROOM_BYTES_MAX));
        let begun = Instant::now();
        while let Some(piece) = self.piece_within(begun).await.map_err(stopped)? {
            look(&piece)?;
            if whole.len() + piece.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            self.share.take(piece.len()).map_err(|Full| full("body").and(NOTHING))?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// The next piece of something that is buffered until complete and whose first byte arrived at `begun`, unless
    /// its time is over.
    pub(crate) async fn piece_within(&mut self, begun: Instant) -> Result<Option<Bytes>, Stopped> {
        let BodyLimits { idle_max, time_max, .. } = self.limits;
        let left = time_max.saturating_sub(begun.elapsed());
        let Ok(piece) = timeout(idle_max.min(left), self.piece()).await else {
            // A client that stalls is not waited for again.
            self.read = Read::Ended;
            let is_idle = idle_max < left;
            return Err(if is_idle { Stopped::Idle(idle_max) } else { Stopped::TooSlow(time_max) });
        };
        piece.map_err(Stopped::Incomplete)
    }

    /// Sets how many bytes of an unfinished block are buffered now.
    ///
    /// # Errors
    /// There are more than before, and the budget is used up.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.share.hold(bytes).map_err(|Full| full("block"))
    }

    /// Drains what is left, up to a limit, so that an early answer arrives.
    pub(crate) async fn drop_rest(&mut self) {
        self.share.give_back();
        if self.read != Read::Begun || self.body.is_end_stream() {
            return;
        }
        // Beyond the limits the connection is closed while the peer is still sending.
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
    let detail = format!("The body is larger than the limit of {bytes_max} bytes.");
    Refusal::new(Problem::TooLarge, detail).with("limit", bytes_max)
}

/// Added to every refusal of a whole body.
const NOTHING: &str = "Nothing was appended.";

fn stopped(stopped: Stopped) -> Refusal {
    const ADVICE: &str = "A text/event-stream body may pause between blocks.";
    match stopped {
        Stopped::Incomplete(why) => why.refusal().and(NOTHING),
        Stopped::Idle(idle) => {
            let seconds = idle.as_secs_f64();
            let detail = format!("The body is incomplete, and nothing arrived for {seconds} s.");
            Refusal::new(Problem::BodyTimeout, detail).and(NOTHING).and(ADVICE)
        }
        Stopped::TooSlow(time_max) => {
            let seconds = time_max.as_secs_f64();
            let detail = format!("The body was not complete after {seconds} s.");
            Refusal::new(Problem::BodyTimeout, detail).and(NOTHING).and("Send a smaller body.").and(ADVICE)
        }
    }
}

/// The budget is used up; `held` names what there is no room for.
fn full(held: &str) -> Refusal {
    let detail = format!(
        "The memory for request bodies is used up, so there is no room for this {held}. Try again \
             later."
    );
    Refusal::new(Problem::Overloaded, detail).with_retry_after()
}

//! The body of a request: taken as a whole, piece by piece, or read and dropped.
//!
//! Invariants: what is held is at most the limit given and one piece more, and of all bodies together at most
//! their budget; what is held until it is complete is complete by a certain time or never. Does not know what
//! stands in the body.

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

/// How much of a refused body is read, so that the answer arrives: a peer that is still sending would meet a
/// reset connection instead.
const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// How long a refused body is read.
const DROPPED_FOR_MAX: Duration = Duration::from_secs(1);

/// Room made for a body before it came, whatever its head says.
const ROOM_BYTES_MAX: usize = 64 * 1024;

/// What the bodies of all requests may be. Source of the defaults: SPEC of Largesse §2 (ours).
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// All bodies together that are being taken as a whole, and what has come of unfinished blocks of event streams.
    /// More: 503, and nothing of this body, or block, is appended.
    pub total_bytes_max: usize,
    /// How long a body that is taken as a whole, or an unfinished block, may bring no byte. Longer: 408, and nothing
    /// of it is appended.
    pub idle_max: Duration,
    /// How long such a body, or block, may take from its first byte to its last. Longer: 408, and nothing of it is
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

/// A request's body and how far it was read.
pub(crate) struct RequestBody {
    body: Body,
    read: Read,
    limits: BodyLimits,
    /// What is held takes of the budget: a whole body for as long as the request lasts, for its events are made of
    /// it; an unfinished block until it is complete.
    share: Share,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Nothing was asked for, and the other side waits to be asked (RFC 9110, clause 10.1.1).
    AwaitsContinue,
    Begun,
    Ended,
}

/// Why a body ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotWhole {
    /// The connection ended.
    Cut,
    /// Its chunks are no chunks; says what is wrong.
    BadChunks(String),
}

impl NotWhole {
    /// hyper keeps to itself what it found, but for the kind of its error: what broke the rules of chunks is invalid,
    /// and what a connection does never is. Source: RFC 9112, clause 7.1.
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

/// Why there is no further piece of what is held until it is complete.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    /// It never will be.
    NotWhole(NotWhole),
    /// No byte came for so long.
    Idle(Duration),
    /// It was not complete after so long.
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
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, NotWhole> {
        while self.read != Read::Ended {
            self.read = Read::Begun;
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    // What is not data are trailers, which mean nothing here.
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
                Some(Err(error)) => {
                    self.read = Read::Ended;
                    return Err(NotWhole::of(&error));
                }
                None => self.read = Read::Ended,
            }
        }
        Ok(None)
    }

    /// Bytes that the body has by its head, as far as that says it.
    pub(crate) fn said_bytes(&self) -> usize {
        usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX)
    }

    /// Whether the other side waits to be asked for the body.
    pub(crate) fn awaits_continue(&self) -> bool {
        self.read == Read::AwaitsContinue
    }

    /// The whole body, or why not.
    pub(crate) async fn whole(&mut self, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
        if self.said_bytes() > bytes_max {
            return Err(too_large(bytes_max));
        }
        self.whole_looked_at(bytes_max, |_| Ok(())).await
    }

    /// The same, but each piece is looked at first, so that a body that can't be right is refused before its end,
    /// which may never come, and for what is wrong with it rather than for its size.
    pub(crate) async fn whole_looked_at(
        &mut self,
        bytes_max: usize,
        mut look: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let said = self.said_bytes();
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

    /// The next piece of what is held until it is complete, and began to come at `begun`, unless its time is over.
    pub(crate) async fn piece_within(&mut self, begun: Instant) -> Result<Option<Bytes>, Stopped> {
        let BodyLimits { idle_max, time_max, .. } = self.limits;
        let left = time_max.saturating_sub(begun.elapsed());
        let Ok(piece) = timeout(idle_max.min(left), self.piece()).await else {
            // Whoever sends too little has nothing to be waited for.
            self.read = Read::Ended;
            let is_idle = idle_max < left;
            return Err(if is_idle { Stopped::Idle(idle_max) } else { Stopped::TooSlow(time_max) });
        };
        piece.map_err(Stopped::NotWhole)
    }

    /// So many bytes of an unfinished block are held now.
    ///
    /// # Errors
    /// They are more than before, and there is no room for them.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.share.hold(bytes).map_err(|Full| full("block"))
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
    let detail = format!("The body is larger than the limit of {bytes_max} bytes.");
    Refusal::new(Problem::TooLarge, detail).with("limit", bytes_max)
}

/// Said of a whole body.
const NOTHING: &str = "Nothing was appended.";

fn stopped(stopped: Stopped) -> Refusal {
    const ADVICE: &str = "A text/event-stream body may pause between blocks.";
    match stopped {
        Stopped::NotWhole(why) => why.refusal().and(NOTHING),
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

/// There is no room for this `held` thing.
fn full(held: &str) -> Refusal {
    let detail = format!(
        "The memory for request bodies is used up, so there is no room for this {held}. Try again \
             later."
    );
    Refusal::new(Problem::Overloaded, detail).with_retry_after()
}

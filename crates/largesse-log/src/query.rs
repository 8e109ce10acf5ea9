//! Queries of the log, and their replies.
//!
//! Invariant: a query changes nothing, and its reply is a snapshot of one moment. Does not know where events are.

pub(crate) mod start_from;
pub(crate) mod stream_state;

use std::num::NonZeroUsize;

use crate::{EndReason, Place, Position, Record, Selection, StartFrom, StreamName, StreamState};

/// A query of the log.
#[derive(Clone, Copy, Debug)]
pub enum Query<'a> {
    /// A stream's state.
    State(&'a StreamName),
    /// Streams by name, in byte order, those after `after`; at most `states_max`.
    List {
        /// The last name of the page before.
        after: Option<&'a StreamName>,
        /// How many.
        states_max: NonZeroUsize,
    },
    /// Where a first request begins to read.
    Locate {
        /// What it reads.
        selection: &'a Selection,
        /// From where.
        from: StartFrom,
    },
    /// Which of the selection's named streams have ended at `place`: their last record at or before it is an
    /// end, they were not made again between that end and `place`, and they were not gone at [`Place::asked_at`].
    EndedAt {
        /// The streams.
        selection: &'a Selection,
        /// Where the reader is.
        place: Place,
    },
    /// The records after a place. Never waits for new ones: at the tail the batch is empty.
    Read {
        /// The streams.
        selection: &'a Selection,
        /// Where the reader is.
        place: Place,
        /// How much to return.
        limits: ReadLimits,
    },
}

/// The reply to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryReply {
    /// To [`Query::State`]: `None` when there is no such stream.
    State(Option<Box<StreamState>>),
    /// To [`Query::List`].
    List(Vec<StreamState>),
    /// To [`Query::Locate`].
    Located(Located),
    /// To [`Query::EndedAt`].
    Ends(Ends),
    /// To [`Query::Read`].
    Batch(Batch),
}

impl QueryReply {
    /// The reply to a [`Query::Read`].
    ///
    /// # Panics
    /// When it is of another kind, which is a bug of the engine.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        match self {
            Self::Batch(batch) => batch,
            other => unreachable!("the reply to another query: {other:?}"),
        }
    }
}

/// What the log knows about ends at a place; both lists in byte order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The named streams that have ended.
    pub ended: Vec<EndedStream>,
    /// The named streams of which nothing is remembered: they never existed, or have been gone for long.
    pub unknown: Vec<StreamName>,
}

/// A named stream that has ended at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedStream {
    /// The stream.
    pub name: StreamName,
    /// Why it ended.
    pub reason: EndReason,
}

/// How much one read may return.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// The most records.
    pub records_max: NonZeroUsize,
    /// The most bytes of data; the first record is returned even if it is larger.
    pub bytes_max: u64,
}

/// Where a first request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The place to read from. It knows of every loss up to the tail: a first request is told of none.
    pub place: Place,
    /// Whether the same request, repeated later, would find the same place.
    pub repeat: Repeat,
}

/// Whether a repeated first request finds the same place again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It does: `from=start`, or a time in the past.
    SamePlace,
    /// It may not: `from=now`, `from=-N`, or a time in the future.
    AnotherPlace,
}

/// What one read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The selection's records after the place, in log order.
    pub records: Vec<Record>,
    /// Everything in the selection up to here is in `records`, was lost, or came before the place.
    pub upto: Position,
    /// Whether the read stopped at its limits, with more to come, or at the tail.
    pub stopped: Stopped,
    /// What was dropped after the place's position, and the place does not know of.
    pub lost: Option<Lost>,
    /// Before this position, a bare id ([`Place::at`]) would be told of a loss that this place knows of, or count as
    /// having met the end of a stream that was gone before its first request. [`Position::MAX`] if that stays so
    /// forever.
    pub horizon: Position,
}

/// Why a read returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// There was nothing more, up to the tail.
    Tail,
    /// The limits were reached; read on at once. An engine that has scanned as much of the log as it does
    /// in one read answers this too, with the records found so far, which may be none; even then
    /// [`Batch::upto`] has advanced.
    Limits,
}

/// Streams of the selection that lost records after the reader's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Their names in byte order, at most [`LOST_NAMES_MAX`].
    pub streams: Vec<StreamName>,
    /// This covers every loss recorded up to here; pass it to [`Place::told`].
    pub told_upto: Position,
}

/// The most streams that a loss names. Source: SPEC of Largesse, "Told, not silently skipped".
pub const LOST_NAMES_MAX: usize = 100;

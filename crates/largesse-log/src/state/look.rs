//! What a look at the log says when part of the answer is in the archive.
//!
//! Invariant: what is said here and what is then read from the archive belong to one moment: events do not
//! change, and which of them are kept is said by the look. Does not read the archive.

use super::{
    batch_builder::Found,
    locate::{Back, Deep},
};
use crate::{Batch, Located, Lost, Position, Record, Slow, StreamName, UnixMs};

/// What a read found.
#[derive(Debug)]
pub enum Look {
    /// All of it was in memory.
    Whole(Batch),
    /// Events of these lives are to be read from the archive, and merged with the ends.
    Merge(ColdBatch),
    /// The archive is to be walked in log order, up to `evicted_upto`, and what was found to be judged by
    /// [`super::LogState::judge`].
    Walk,
}

/// A read whose first part is in the archive.
#[derive(Debug)]
pub struct ColdBatch {
    /// Where to read.
    pub lives: Vec<ColdLife>,
    /// Ends up to `evicted_upto`, in log order.
    pub ends: Vec<Record>,
    /// Where the archive ends and memory begins: everything of the selection up to here is in the lives and the
    /// ends.
    pub evicted_upto: Position,
    /// What follows in memory, as much as a read may have. It belongs to the read as far as that has room for it
    /// after all that is in the archive.
    pub rest: Found,
    /// As in [`Batch`].
    pub lost: Option<Lost>,
    /// As in [`Batch`].
    pub horizon: Position,
}

/// Events of one life in the archive.
#[derive(Debug)]
pub struct ColdLife {
    /// The stream.
    pub stream: StreamName,
    /// Where the life began.
    pub start: Position,
    /// Its policy.
    pub slow: Slow,
    /// The events after this are wanted; those at or before it are not kept, or were read.
    pub after: Position,
    /// And up to this.
    pub upto: Position,
}

/// An event that a walk along the archive met.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The stream it is on.
    pub stream: StreamName,
    /// Its place.
    pub position: Position,
}

/// What a walk along the archive is worth.
#[derive(Debug)]
pub struct Judged {
    /// For each event walked: its stream's policy, if it is kept.
    pub kept: Vec<Option<Slow>>,
    /// Ends between the place and the end of the walk, in log order.
    pub ends: Vec<Record>,
    /// As in [`Batch`].
    pub lost: Option<Lost>,
    /// As in [`Batch`].
    pub horizon: Position,
    /// What follows in memory, as much as a read may have; `None` where the walk ended before memory begins. It
    /// belongs to the read as far as that has room for it after all that was walked.
    pub rest: Option<Found>,
}

/// What one step of finding a place came to.
#[derive(Debug)]
pub enum Locating {
    /// It is found.
    Found(Located),
    /// It was a long way back: go on from here.
    GoOn(Back),
    /// The last events of these lives are in the archive.
    Deep(Deep),
    /// The way back goes on along the archive; what is met there is judged by
    /// [`super::LogState::judge_back`].
    WalkBack(Back),
    /// The first event of the archive at this time or later is to be found.
    Time {
        /// The time.
        time: UnixMs,
        /// Where memory began: the place is here when the archive has no such event any more. Later it may begin
        /// behind some.
        evicted_upto: Position,
    },
}

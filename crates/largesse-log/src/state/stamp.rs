//! What a step is given: where in the log, and when.
//!
//! Invariant: stamps count up along the log, and their times never go back. An engine that writes a step down
//! before it is taken chooses the stamp then, so that taking the step again gives every record the same place
//! and time. Does not know who chooses.

use std::time::Duration;

use crate::{Now, Position, UnixMs};

/// Positions from `base` on, and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The first position that the step may take.
    pub base: Position,
    /// By this, what was there before the time leapt is old. As long as no leap is to be spared, it is `time`.
    pub now: UnixMs,
    /// The time of the records: never before that of an earlier one.
    pub time: UnixMs,
}

/// How many positions a step takes at most besides one for each event: a close, and two for what is trimmed.
const OTHER_POSITIONS_MAX: u64 = 3;

impl Stamp {
    /// The stamp of a step that begins at `base`, behind an event of `last_time`.
    #[must_use]
    pub fn at(base: Position, now: Now, last_time: Option<UnixMs>) -> Self {
        let time = last_time.map_or(now.time, |last| last.max(now.time));
        Self { base, now: if now.age < now.time { now.age } else { time }, time }
    }

    /// The time by which a stamp is old. A leap of the time lies between `now` and `time`, and what was stamped before
    /// it does not age by it. What is stamped after `now` came after the leap.
    pub(super) fn clock_for(self, stamp: UnixMs) -> UnixMs {
        if stamp > self.now { self.time } else { self.now }
    }

    /// How much is spared.
    pub(super) fn spared(self) -> Duration {
        self.time.since(self.now)
    }

    /// The first position after the stamp of a step that appends so many events.
    #[must_use]
    pub fn end(self, events: usize) -> Position {
        Position(self.base.0 + events as u64 + OTHER_POSITIONS_MAX)
    }

    /// Where the n-th event of an append in this stamp stands, from 0.
    #[must_use]
    pub fn position_of(self, number: usize) -> Position {
        Position(self.base.0 + number as u64)
    }
}

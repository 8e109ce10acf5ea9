//! The stamp of a command: its positions in the log, and its time.
//!
//! Invariant: stamps count up along the log, and their times never go back. An engine that writes a command before it
//! applies it chooses the stamp then, so that replaying the command gives every record the same position and time.
//! Does not know who chooses.

use std::time::Duration;

use crate::{Now, Position, UnixMs};

/// Positions from `base` on, and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The first position that the command may use.
    pub base: Position,
    /// The time by which the age of events from before a leap of the clock is measured. Without a leap, `time`.
    pub now: UnixMs,
    /// The time of the records: never before that of an earlier one.
    pub time: UnixMs,
}

/// The most positions a command uses besides one for each event: a close, and two trims.
const OTHER_POSITIONS_MAX: u64 = 3;

impl Stamp {
    /// The stamp of a command that begins at `base`, after an event of `last_time`.
    #[must_use]
    pub fn at(base: Position, now: Now, last_time: Option<UnixMs>) -> Self {
        let time = last_time.map_or(now.time, |last| last.max(now.time));
        Self { base, now: if now.age < now.time { now.age } else { time }, time }
    }

    /// The time by which to measure the age of something stamped `stamp`. A leap of the clock is between `now` and
    /// `time`: it does not age what was stamped before it. Anything stamped after `now` came after the leap.
    pub(super) fn clock_for(self, stamp: UnixMs) -> UnixMs {
        if stamp > self.now { self.time } else { self.now }
    }

    /// The size of the leap.
    pub(super) fn spared(self) -> Duration {
        self.time.since(self.now)
    }

    /// The first position after the stamp of a command that appends this many events.
    #[must_use]
    pub fn end(self, events: usize) -> Position {
        Position(self.base.0 + events as u64 + OTHER_POSITIONS_MAX)
    }

    /// The position of the n-th event of an append with this stamp, from 0.
    #[must_use]
    pub fn position_of(self, number: usize) -> Position {
        Position(self.base.0 + number as u64)
    }
}

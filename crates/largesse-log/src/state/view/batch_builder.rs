//! Collects the records of one read, up to its limits.
//!
//! Invariant: the first record is added however large it is, and after it none that exceeds the limits. Does not
//! know where records come from: the caller adds them in log order.

use std::{collections::VecDeque, mem};

use crate::{Position, ReadLimits, Record, Stopped};

/// The records of one read so far.
#[derive(Debug)]
pub(super) struct BatchBuilder {
    records: Vec<Record>,
    limits: ReadLimits,
    bytes: u64,
}

/// Whether a record was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It was.
    Added,
    /// It was not: the read is full.
    Full,
}

/// Records, and how far they go.
#[derive(Debug)]
pub(super) struct Found {
    /// In log order.
    pub(super) records: Vec<Record>,
    /// As in [`crate::Batch`].
    pub(super) upto: Position,
    /// As in [`crate::Batch`].
    pub(super) stopped: Stopped,
}

impl BatchBuilder {
    /// An empty batch.
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { records: Vec::new(), limits, bytes: 0 }
    }

    /// Whether nothing more fits, except for an event without data.
    pub(super) fn is_full(&self) -> bool {
        let is_over =
            self.records.len() >= self.limits.records_max.get() || self.bytes >= self.limits.bytes_max;
        is_over && !self.records.is_empty()
    }

    /// How many bytes of data still fit.
    pub(super) fn bytes_left(&self) -> u64 {
        self.limits.bytes_max.saturating_sub(self.bytes)
    }

    /// Adds the next record, if it fits.
    pub(super) fn push(&mut self, record: Record) -> Fit {
        let bytes = match &record {
            Record::Event { event, .. } => self.bytes.saturating_add(event.data.as_str().len() as u64),
            Record::End { .. } => self.bytes,
        };
        let is_over = bytes > self.limits.bytes_max || self.records.len() >= self.limits.records_max.get();
        if is_over && !self.records.is_empty() {
            return Fit::Full;
        }
        self.bytes = bytes;
        self.records.push(record);
        Fit::Added
    }

    /// Adds the ends before `position`, as far as they fit.
    pub(super) fn push_ends(&mut self, ends: &mut VecDeque<Record>, position: Position) -> Fit {
        while ends.front().is_some_and(|end| end.position() < position) {
            let Some(end) = ends.pop_front() else { break };
            if self.push(end) == Fit::Full {
                return Fit::Full;
            }
        }
        Fit::Added
    }

    /// The result of a full read: it goes up to its last record.
    pub(super) fn full(self) -> Found {
        let upto = self.last();
        self.upto(upto, Stopped::Limits)
    }

    /// The result of a read that goes up to `upto`.
    pub(super) fn upto(self, upto: Position, stopped: Stopped) -> Found {
        Found { records: self.records, upto, stopped }
    }

    /// The result of a read that continues with `rest`.
    pub(super) fn followed_by(mut self, mut rest: Found) -> Found {
        for record in mem::take(&mut rest.records) {
            if self.push(record) == Fit::Full {
                return self.full();
            }
        }
        self.upto(rest.upto, rest.stopped)
    }

    /// The position of the last record.
    pub(super) fn last(&self) -> Position {
        self.records.last().map_or(Position::ZERO, Record::position)
    }
}

//! The life of a stream, from its making to its removal. A stream that is made again under its name has a new life.
//!
//! Invariants: `start` <= every event's position < the end's position; trimmed events come before kept ones, and cold
//! ones before hot ones; `bytes` is what all kept events count. Does not change the log around it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    retention::{
        losses::Loss,
        stub_cache::{RunWanted, Stub},
    },
    stamp::Stamp,
};
use crate::{Event, Position, Settings, StreamName, StreamState, UnixMs};

/// What a stream counts against the log besides its name and its events: its entry and its places in the
/// indexes, rounded up.
pub const STREAM_OVERHEAD_BYTES: u64 = 512;

/// What the entry of a stream, or its tombstone, counts.
pub(super) fn entry_bytes(name: &StreamName) -> u64 {
    STREAM_OVERHEAD_BYTES + name.as_str().len() as u64
}

/// The life of a stream that exists.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) start: Position,
    pub(super) made: UnixMs,
    pub(super) settings: Settings,
    pub(super) cold: Cold,
    /// The newest events, in log order: those after `evicted_upto`.
    pub(super) hot: VecDeque<Arc<Event>>,
    pub(super) bytes: u64,
    pub(super) end: Option<LifeEnd>,
    pub(super) trim: Option<Loss>,
    /// When the sweep visits it; never after [`Life::due`].
    pub(super) scheduled: Option<UnixMs>,
}

/// The kept events of a life that are only on the disk. Invariant: `first` and `last` are set when there is an event,
/// except for a `first` that could not be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cold {
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) first: Option<Stub>,
    pub(super) last: Option<Stub>,
}

impl Cold {
    pub(super) fn push(&mut self, stub: Stub) {
        self.events += 1;
        self.bytes += stub.counted_bytes;
        self.first = self.first.or(Some(stub));
        self.last = Some(stub);
    }

    /// Removes the first event, `first`; `next` follows it.
    pub(super) fn drop_first(&mut self, first: Stub, next: Option<Stub>) {
        self.events -= 1;
        self.bytes -= first.counted_bytes;
        (self.first, self.last) = if self.events == 0 { (None, None) } else { (next, self.last) };
    }

    /// Whether there is one after `position`.
    pub(super) fn reaches_beyond(&self, position: Position) -> bool {
        self.last.is_some_and(|last| last.position > position)
    }
}

/// The close of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifeEnd {
    /// Where.
    pub position: Position,
    /// When.
    pub time: UnixMs,
}

impl Life {
    pub(super) fn new(start: Position, made: UnixMs, settings: Settings) -> Self {
        let (cold, hot, bytes) = (Cold::default(), VecDeque::new(), 0);
        Self { start, made, settings, cold, hot, bytes, end: None, trim: None, scheduled: None }
    }

    pub(super) fn state(&self, name: &StreamName) -> StreamState {
        let last = self.last();
        StreamState {
            name: name.clone(),
            closed: self.end.map(|end| end.position),
            events: self.events(),
            bytes: self.bytes,
            first: self.first().map(|stub| stub.position),
            last: last.map(|stub| stub.position),
            last_time: last.map(|stub| stub.time),
            made: self.made,
            settings: self.settings,
        }
    }

    /// How many events are kept.
    pub(super) fn events(&self) -> u64 {
        self.cold.events + self.hot.len() as u64
    }

    /// The oldest event that is kept.
    pub(super) fn first(&self) -> Option<Stub> {
        match self.cold.events {
            0 => self.hot.front().map(Stub::of),
            _ => self.cold.first,
        }
    }

    /// The newest event that is kept.
    pub(super) fn last(&self) -> Option<Stub> {
        self.hot.back().map(Stub::of).or(self.cold.last)
    }

    /// Whether an event of this life at `position` is kept.
    pub(super) fn keeps(&self, position: Position) -> bool {
        self.start <= position && self.first().is_some_and(|first| first.position <= position)
    }

    /// How many of the hot events are at or before `position`.
    pub(super) fn hot_upto(&self, position: Position) -> usize {
        self.hot.partition_point(|event| event.position <= position)
    }

    /// Whether the oldest event has to go. Even a limit of zero events keeps the newest.
    pub(super) fn exceeds_limits(&self, stamp: Stamp) -> bool {
        self.would_exceed(self.events(), self.bytes, self.first(), stamp)
    }

    /// Whether the first event would have to go, with this number of events and bytes.
    pub(super) fn would_exceed(&self, events: u64, bytes: u64, first: Option<Stub>, stamp: Stamp) -> bool {
        let too_many = |events_max: u64| events > events_max.max(1);
        self.settings.max_events.is_some_and(too_many)
            || self.settings.max_bytes.is_some_and(|bytes_max| bytes > bytes_max)
            || self.is_too_old(first, stamp)
    }

    /// The last position before the cold events that [`super::retention::stub_cache::StubCache`] may have.
    pub(super) fn last_gone(&self) -> Position {
        let gone = self.trim.map_or(Position(self.start.0.saturating_sub(1)), |trim| trim.upto);
        self.cold.first.map_or(gone, |first| first.position)
    }

    /// A request for this many stubs after the first cold event.
    pub(super) fn run_wanted(&self, stubs: usize) -> RunWanted {
        RunWanted { life: self.start, after: self.last_gone(), stubs }
    }

    /// Whether it was closed so long ago that it has to be removed.
    pub(super) fn is_expired(&self, stamp: Stamp) -> bool {
        let by = self.end.map(|end| stamp.clock_for(end.time));
        self.expiry_due().is_some_and(|due| by.is_some_and(|by| due <= by))
    }

    fn is_too_old(&self, first: Option<Stub>, stamp: Stamp) -> bool {
        let by = first.map(|first| stamp.clock_for(first.time));
        self.age_due(first).is_some_and(|due| by.is_some_and(|by| due <= by))
    }

    /// When something expires next: an event, or the whole stream.
    pub(super) fn due(&self) -> Option<UnixMs> {
        [self.age_due(self.first()), self.expiry_due()].into_iter().flatten().min()
    }

    /// Whether something expires before the sweep's next visit.
    pub(super) fn is_due_earlier(&self) -> bool {
        self.due().is_some_and(|due| self.scheduled.is_none_or(|at| at > due))
    }

    fn age_due(&self, first: Option<Stub>) -> Option<UnixMs> {
        // An event of exactly this age is not too old yet.
        const NEXT: Duration = Duration::from_millis(1);
        let max_age = self.settings.max_age?;
        Some(first?.time.saturating_add(max_age).saturating_add(NEXT))
    }

    fn expiry_due(&self) -> Option<UnixMs> {
        Some(self.end?.time.saturating_add(self.settings.ttl_after_close))
    }

    /// What is lost when all of it is removed at `at`.
    pub(super) fn loss_when_gone(&self, at: Position) -> Option<Loss> {
        let last = self.last().map(|stub| Loss { upto: stub.position, at });
        last.or(self.trim)
    }
}

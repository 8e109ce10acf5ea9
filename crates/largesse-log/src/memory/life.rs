//! A stream from its making to its removal.
//!
//! Invariants: `start` <= every event's position < the end's position; events are in log order; `bytes` is
//! what they count; what is trimmed lies before what is kept. Does not change the log around it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::losses::Loss;
use crate::{Event, Position, Settings, StreamName, StreamState, UnixMs};

/// What a stream counts against the log besides its name and its events: its entry and its places in the
/// indexes, rounded up.
pub const STREAM_OVERHEAD_BYTES: u64 = 512;

/// What a stream's entry, or the memory of a stream that is gone, counts.
pub(super) fn entry_bytes(name: &StreamName) -> u64 {
    STREAM_OVERHEAD_BYTES + name.as_str().len() as u64
}

/// A stream that is there.
pub(super) struct Life {
    pub(super) start: Position,
    pub(super) made: UnixMs,
    pub(super) settings: Settings,
    pub(super) events: VecDeque<Arc<Event>>,
    pub(super) bytes: u64,
    pub(super) end: Option<LifeEnd>,
    pub(super) trim: Option<Loss>,
    /// When the sweep is to look at it; never after [`Life::due`].
    pub(super) scheduled: Option<UnixMs>,
}

/// The close of a stream.
#[derive(Clone, Copy)]
pub(super) struct LifeEnd {
    pub(super) position: Position,
    pub(super) time: UnixMs,
}

impl Life {
    pub(super) fn new(start: Position, made: UnixMs, settings: Settings) -> Self {
        let (events, bytes) = (VecDeque::new(), 0);
        Self { start, made, settings, events, bytes, end: None, trim: None, scheduled: None }
    }

    pub(super) fn state(&self, name: &StreamName) -> StreamState {
        StreamState {
            name: name.clone(),
            closed: self.end.map(|end| end.position),
            events: self.events.len() as u64,
            bytes: self.bytes,
            first: self.events.front().map(|event| event.position),
            last: self.events.back().map(|event| event.position),
            last_time: self.events.back().map(|event| event.time),
            made: self.made,
            settings: self.settings,
        }
    }

    /// How many of the events are at or before `position`.
    pub(super) fn events_upto(&self, position: Position) -> usize {
        self.events.partition_point(|event| event.position <= position)
    }

    /// Whether the oldest event has to go. A limit of no events at all still leaves the newest.
    pub(super) fn has_too_much(&self, now: UnixMs) -> bool {
        let too_many = |events_max: u64| self.events.len() as u64 > events_max.max(1);
        self.settings.max_events.is_some_and(too_many)
            || self.settings.max_bytes.is_some_and(|bytes_max| self.bytes > bytes_max)
            || self.age_due().is_some_and(|due| due <= now)
    }

    /// Whether it was closed so long ago that it is to be removed.
    pub(super) fn is_expired(&self, now: UnixMs) -> bool {
        self.expiry_due().is_some_and(|due| due <= now)
    }

    /// When time next takes something away: an event, or the whole stream.
    pub(super) fn due(&self) -> Option<UnixMs> {
        [self.age_due(), self.expiry_due()].into_iter().flatten().min()
    }

    fn age_due(&self) -> Option<UnixMs> {
        // An event of just the age is not older than it.
        const NEXT: Duration = Duration::from_millis(1);
        let oldest = self.events.front()?;
        Some(oldest.time.saturating_add(self.settings.max_age?).saturating_add(NEXT))
    }

    fn expiry_due(&self) -> Option<UnixMs> {
        Some(self.end?.time.saturating_add(self.settings.ttl_after_close))
    }

    /// What is lost when all of it goes at `at`.
    pub(super) fn loss_when_gone(&self, at: Position) -> Option<Loss> {
        let last = self.events.back().map(|event| Loss { upto: event.position, at });
        last.or(self.trim)
    }
}

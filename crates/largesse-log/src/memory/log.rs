//! The log in memory: a synchronous state machine. Its verbs are in the files beside it.
//!
//! Invariants:
//! - `order` has just the events of all lives, and those of `graves` that the sweep has not come to.
//! - `events_bytes` and `lives_bytes` are the sums of what these count, and with what the pasts count they
//!   are at most the limit after each step.
//! - `tail` is the last position that was taken; `last_time` the time of the last event ever appended.
//! - A life that time takes something from is in `due`, not later than that.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    keys::Keys,
    life::{Life, entry_bytes},
    losses::Losses,
    pasts::{Past, Pasts},
};
use crate::{
    AppendError, EndReason, EngineError, EngineLimits, Event, Place, Position, Settings, StreamName, UnixMs,
};

/// Which part of the log streams may take before they have an event.
const STREAMS_SHARE: u64 = 4;

/// The whole log.
pub(super) struct MemoryLog {
    pub(super) limits: EngineLimits,
    pub(super) tail: Position,
    pub(super) last_time: Option<UnixMs>,
    pub(super) lives: BTreeMap<StreamName, Life>,
    pub(super) pasts: Pasts,
    pub(super) losses: Losses,
    /// All events of the log. A tree, since retention takes events out of the middle.
    pub(super) order: BTreeMap<Position, Arc<Event>>,
    /// Events of streams that are gone: nobody reads them, and the sweep drops them piece by piece.
    pub(super) graves: VecDeque<VecDeque<Arc<Event>>>,
    pub(super) due: BTreeSet<(UnixMs, StreamName)>,
    pub(super) keys: Keys,
    pub(super) events_bytes: u64,
    pub(super) lives_bytes: u64,
}

impl MemoryLog {
    pub(super) fn new(limits: EngineLimits) -> Self {
        Self {
            limits,
            tail: Position::ZERO,
            last_time: None,
            lives: BTreeMap::new(),
            pasts: Pasts::default(),
            losses: Losses::default(),
            order: BTreeMap::new(),
            graves: VecDeque::new(),
            due: BTreeSet::new(),
            keys: Keys::new(limits.keys_max, limits.key_ttl),
            events_bytes: 0,
            lives_bytes: 0,
        }
    }

    pub(super) fn tail(&self) -> Position {
        self.tail
    }

    /// Takes the next position for one record.
    pub(super) fn take_position(&mut self) -> Position {
        self.tail = self.tail.next();
        self.tail
    }

    pub(super) fn bytes(&self) -> u64 {
        self.events_bytes + self.lives_bytes + self.pasts.bytes
    }

    /// The time of a record that is written now.
    pub(super) fn time_of_record(&self, now: UnixMs) -> UnixMs {
        self.last_time.map_or(now, |last| last.max(now))
    }

    /// Refuses a place that this log has not reached.
    pub(super) fn check_reached(&self, place: Place) -> Result<(), EngineError> {
        let tail = self.tail;
        let position = place.known();
        if position > tail { Err(EngineError::BeyondTail { position, tail }) } else { Ok(()) }
    }

    /// Refuses what can't be kept even after everything older is gone: the log never gives up what it has
    /// just taken.
    pub(super) fn check_fits(&self, stream: &StreamName, events_bytes: u64) -> Result<(), AppendError> {
        let life = self.lives.get(stream);
        if life.is_none() {
            self.check_one_more(stream)?;
        }
        let settings = life.map_or(self.limits.defaults, |life| life.settings);
        if let Some(bytes_max) = settings.max_bytes.filter(|max| events_bytes > *max) {
            return Err(AppendError::TooLarge { bytes: events_bytes, bytes_max });
        }
        let entry = if life.is_none() { entry_bytes(stream) } else { 0 };
        let bytes = events_bytes.saturating_add(entry);
        let bytes_max = self.limits.log_bytes_max.saturating_sub(self.lives_bytes);
        if bytes > bytes_max { Err(AppendError::TooLarge { bytes, bytes_max }) } else { Ok(()) }
    }

    /// Streams may take a share of the log at most: a log full of empty ones would have no room for events.
    fn check_one_more(&self, stream: &StreamName) -> Result<(), AppendError> {
        let streams = self.lives.len() as u64;
        let share_bytes = self.limits.log_bytes_max / STREAMS_SHARE;
        let is_full = self.lives_bytes + entry_bytes(stream) > share_bytes;
        if streams >= self.limits.streams_max || (streams > 0 && is_full) {
            return Err(AppendError::TooManyStreams { streams_max: streams.min(self.limits.streams_max) });
        }
        Ok(())
    }

    /// The name as the log keeps it, so that all events of a stream share one text.
    pub(super) fn kept_name(&self, stream: StreamName) -> StreamName {
        self.lives.get_key_value(&stream).map(|(name, _)| name.clone()).unwrap_or(stream)
    }

    /// The life that an event is of, unless that is over.
    pub(super) fn life_of(&self, event: &Event) -> Option<&Life> {
        self.lives.get(&event.stream).filter(|life| life.start <= event.position)
    }

    /// Takes an event out of the log's order, if it is still there.
    pub(super) fn drop_from_order(&mut self, position: Position) {
        if let Some(event) = self.order.remove(&position) {
            self.events_bytes -= event.counted_bytes();
        }
    }

    /// Makes a stream whose first record is at `start`.
    pub(super) fn make(&mut self, stream: &StreamName, start: Position, now: UnixMs, settings: Settings) {
        self.lives_bytes += entry_bytes(stream);
        self.lives.insert(stream.clone(), Life::new(start, now, settings));
    }

    /// Removes a stream and its events, and remembers what its readers have to be told.
    pub(super) fn retire(&mut self, stream: &StreamName, end: Position, reason: EndReason, at: Position) {
        let Some((stream, mut life)) = self.lives.remove_entry(stream) else { return };
        let stream = &stream;
        self.lives_bytes -= entry_bytes(stream);
        if let Some(due) = life.scheduled {
            self.due.remove(&(due, stream.clone()));
        }
        self.losses.remove(stream, life.trim);
        let earlier = self.pasts.by_name.get(stream).and_then(|past| past.loss);
        self.losses.remove(stream, earlier);
        // A life that lost nothing leaves the loss of the one before it as it was.
        let loss = life.loss_when_gone(at).or(earlier);
        self.losses.insert(stream, loss);
        self.pasts.insert(stream, Past { end, reason, at, loss });
        if !life.events.is_empty() {
            self.graves.push_back(std::mem::take(&mut life.events));
        }
        while self.pasts.by_name.len() > self.limits.tombstones_max {
            self.forget_oldest_past();
        }
    }

    pub(super) fn forget_oldest_past(&mut self) {
        if let Some((name, past)) = self.pasts.forget_oldest() {
            self.losses.remove(&name, past.loss);
        }
    }

    /// Has the sweep look at a stream when time next takes something from it.
    pub(super) fn schedule(&mut self, stream: &StreamName) {
        if let Some(due) = self.lives.get(stream).and_then(Life::due) {
            self.schedule_at(stream, due);
        }
    }

    /// Has the sweep look at a stream at `due`, or earlier if it was to already.
    pub(super) fn schedule_at(&mut self, stream: &StreamName, due: UnixMs) {
        let Some(life) = self.lives.get_mut(stream) else { return };
        if life.scheduled.is_some_and(|scheduled| scheduled <= due) {
            return;
        }
        if let Some(scheduled) = life.scheduled.replace(due) {
            self.due.remove(&(scheduled, stream.clone()));
        }
        self.due.insert((due, stream.clone()));
    }
}

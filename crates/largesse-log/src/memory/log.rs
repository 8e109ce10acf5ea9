//! The log in memory: a synchronous state machine. Its verbs are in the files beside it.
//!
//! Invariants:
//! - `order` has just the events of all lives.
//! - `events_bytes` and `lives_bytes` are the sums of what these count, and with what the pasts count they
//!   are at most the limit after each step.
//! - `tail` is the last position that was taken; `last_time` the time of the last event ever appended.
//! - A life that time takes something from is in `due`, not later than that.

use std::{
    collections::{BTreeMap, BTreeSet},
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
        let streams_max = self.limits.streams_max;
        if life.is_none() && self.lives.len() as u64 >= streams_max {
            return Err(AppendError::TooManyStreams { streams_max });
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

    /// Makes a stream whose first record is at `start`.
    pub(super) fn make(&mut self, stream: &StreamName, start: Position, now: UnixMs, settings: Settings) {
        self.lives_bytes += entry_bytes(stream);
        self.lives.insert(stream.clone(), Life::new(start, now, settings));
    }

    /// Removes a stream and its events, and remembers what its readers have to be told.
    pub(super) fn retire(&mut self, stream: &StreamName, end: Position, reason: EndReason, at: Position) {
        let Some(life) = self.lives.remove(stream) else { return };
        self.lives_bytes -= entry_bytes(stream);
        self.events_bytes -= life.bytes;
        for event in &life.events {
            self.order.remove(&event.position);
        }
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
        let Some(life) = self.lives.get_mut(stream) else { return };
        let Some(due) = life.due() else { return };
        if life.scheduled.is_some_and(|scheduled| scheduled <= due) {
            return;
        }
        if let Some(scheduled) = life.scheduled.replace(due) {
            self.due.remove(&(scheduled, stream.clone()));
        }
        self.due.insert((due, stream.clone()));
    }
}

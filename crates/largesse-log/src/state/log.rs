//! The log's state, and the primitives that commands change it by: synchronous, without I/O. The commands are in
//! `apply` and `retention`.
//!
//! Invariants:
//! - `order` has exactly the hot events of all lives, and those of `pending_free` that are not freed yet; all are
//!   after `evicted_upto`. Kept events up to `evicted_upto` are cold.
//! - `hot_bytes` is what the events of `order` count, `events_bytes` the events of all lives, hot or cold, and
//!   `lives_bytes` the entries of the lives. Once retention is done,
//!   `events_bytes + lives_bytes + tombstones.bytes <= limits.log_bytes_max`, as far as anything is left to drop.
//!   So what is kept does not depend on where events are, nor on when memory is freed.
//! - No cold event at or before `low_watermark` is kept.
//! - `tail` is the last used position, `last_time` the time of the last event ever appended.
//! - A life with something to expire is in `due` no later than that, except for what a leap of the clock did not age.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::OccupiedEntry},
    sync::Arc,
};

use imbl::OrdMap;

use super::{
    apply::{Effects, Unfinished},
    idempotency::Keys,
    life::{Life, entry_bytes},
    lives::Lives,
    retention::{
        losses::Losses,
        stub_cache::{Stub, StubCache},
        tombstones::{Tombstone, Tombstones},
    },
    stamp::Stamp,
};
use crate::{
    AppendError, EndReason, EngineError, EngineLimits, Event, Now, Place, Position, Settings, StreamName,
    UnixMs,
};

/// The entries of streams may use this fraction of the log: one over this.
const STREAMS_SHARE: u64 = 4;

/// The whole log, without a way to store it.
///
/// A command is complete when it returns. [`crate::MemoryEngine`] is this behind a lock; an engine on a disk writes
/// each command before it applies it.
pub struct LogState {
    pub(super) limits: EngineLimits,
    pub(super) tail: Position,
    pub(super) last_time: Option<UnixMs>,
    pub(super) lives: Lives,
    pub(super) tombstones: Tombstones,
    pub(super) losses: Losses,
    /// All hot events of the log. A tree, because retention removes events from the middle.
    pub(super) order: BTreeMap<Position, Arc<Event>>,
    /// Events of deleted streams: nobody reads them, and the sweep frees them piece by piece.
    pub(super) pending_free: VecDeque<VecDeque<Arc<Event>>>,
    pub(super) due: BTreeSet<(UnixMs, StreamName)>,
    pub(super) keys: Keys,
    /// Events that can't be read any more, and their streams. A persistent map, so that a checkpoint can copy it at once.
    pub(super) damaged: OrdMap<Position, StreamName>,
    pub(super) hot_bytes: u64,
    pub(super) events_bytes: u64,
    pub(super) lives_bytes: u64,
    /// The last event that was evicted from memory, and its time.
    pub(super) evicted_upto: Position,
    pub(super) evicted_time: UnixMs,
    pub(super) low_watermark: Position,
    /// What retention knows about cold events.
    pub(super) stub_cache: StubCache,
    /// Whether the last command left something to drop.
    pub(super) has_more_to_trim: bool,
    /// A command that is applied except for its retention.
    pub(super) unfinished: Option<Unfinished>,
    pub(super) effects: Effects,
    /// How many commands were applied since the last check of the invariants.
    pub(super) unchecked_commands: usize,
}

impl std::fmt::Debug for LogState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogState")
            .field("tail", &self.tail)
            .field("evicted_upto", &self.evicted_upto)
            .finish_non_exhaustive()
    }
}

impl LogState {
    /// An empty log.
    #[must_use]
    pub fn new(limits: EngineLimits) -> Self {
        Self {
            limits,
            tail: Position::ZERO,
            last_time: None,
            lives: Lives::default(),
            tombstones: Tombstones::default(),
            losses: Losses::default(),
            order: BTreeMap::new(),
            pending_free: VecDeque::new(),
            due: BTreeSet::new(),
            keys: Keys::new(limits.keys_max, limits.key_ttl),
            damaged: OrdMap::new(),
            hot_bytes: 0,
            events_bytes: 0,
            lives_bytes: 0,
            evicted_upto: Position::ZERO,
            evicted_time: UnixMs(0),
            low_watermark: Position::ZERO,
            stub_cache: StubCache::default(),
            has_more_to_trim: false,
            unfinished: None,
            effects: Effects::default(),
            unchecked_commands: 0,
        }
    }

    /// The position of the last record.
    #[must_use]
    pub fn tail(&self) -> Position {
        self.tail
    }

    /// The time of the last event, if there ever was one.
    #[must_use]
    pub fn last_time(&self) -> Option<UnixMs> {
        self.last_time
    }

    /// The limits of the log.
    #[must_use]
    pub fn limits(&self) -> &EngineLimits {
        &self.limits
    }

    /// Sets the limits, from the next command on.
    pub(super) fn limit(&mut self, limits: EngineLimits) {
        self.limits = limits;
        self.keys.limit(limits.keys_max, limits.key_ttl);
        self.has_more_to_trim = self.bytes() > limits.log_bytes_max;
    }

    /// Events at or before this position are cold.
    #[must_use]
    pub fn evicted_upto(&self) -> Position {
        self.evicted_upto
    }

    /// The stamp of a command that is applied at once.
    #[must_use]
    pub fn next_stamp(&self, now: impl Into<Now>) -> Stamp {
        Stamp::at(self.tail.next(), now.into(), self.last_time)
    }

    /// Moves the tail to a command's stamp. Never backwards: even a wrong stamp gets new positions.
    pub(super) fn begin(&mut self, stamp: Stamp) {
        let before = Position(stamp.base.0.saturating_sub(1));
        debug_assert!(before >= self.tail, "stamps count up");
        self.tail = self.tail.max(before);
    }

    /// Rewinds the tail before a command is replayed with its stamp. The commands before it may drop more than they first
    /// did, and record that beyond their stamps, because compaction left fewer cold events to skip; but events have to
    /// keep their positions.
    pub fn rewind_before(&mut self, stamp: Stamp) {
        self.tail = self.tail.min(Position(stamp.base.0.saturating_sub(1)));
    }

    /// Evicts the oldest hot events from memory until the rest count at most `hot_bytes_max`: at most `events_max`, and
    /// none after `indexed_upto`, because only those can be found on the disk. Returns whether there are more.
    pub fn evict(&mut self, hot_bytes_max: u64, indexed_upto: Position, events_max: usize) -> bool {
        for _ in 0..events_max {
            if self.hot_bytes <= hot_bytes_max {
                return false;
            }
            let oldest = self.order.first_entry().filter(|oldest| *oldest.key() <= indexed_upto);
            let Some((position, event)) = oldest.map(OccupiedEntry::remove_entry) else { return false };
            let stub = Stub::of(&event);
            self.hot_bytes -= stub.counted_bytes;
            (self.evicted_upto, self.evicted_time) = (position, event.time);
            // An event without a life belongs to `pending_free`.
            let life = self.lives.life_mut(&event.stream);
            if let Some(life) = life.filter(|life| life.start <= position) {
                life.hot.pop_front();
                life.cold.push(stub);
            }
        }
        self.hot_bytes > hot_bytes_max
    }

    /// The start of the life of a stream that exists.
    #[must_use]
    pub fn life_start(&self, stream: &StreamName) -> Option<Position> {
        self.lives.get(stream).map(|life| life.start)
    }

    pub(super) fn life_mut(&mut self, stream: &StreamName) -> Option<&mut Life> {
        self.lives.life_mut(stream)
    }

    /// Allocates the next position for a record.
    pub(super) fn allocate_position(&mut self) -> Position {
        self.tail = self.tail.next();
        self.tail
    }

    pub(super) fn bytes(&self) -> u64 {
        self.events_bytes + self.lives_bytes + self.tombstones.bytes
    }

    /// Refuses a place that this log has not reached.
    pub(super) fn check_reached(&self, place: Place) -> Result<(), EngineError> {
        let tail = self.tail;
        let position = place.told_upto();
        if position > tail { Err(EngineError::BeyondTail { position, tail }) } else { Ok(()) }
    }

    /// Refuses what does not fit even when everything older is dropped: the log never drops what it has just
    /// accepted.
    pub(super) fn check_fits(
        &self,
        stream: &StreamName,
        life: Option<&Life>,
        events_bytes: u64,
    ) -> Result<(), AppendError> {
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

    /// Limits the entries of streams to a share of the log: a log full of empty streams has no room for events.
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
        self.lives.kept(&stream).map(|(name, _)| name.clone()).unwrap_or(stream)
    }

    /// The life that an event belongs to, unless that is over.
    pub(super) fn life_of(&self, event: &Event) -> Option<&Life> {
        self.lives.get(&event.stream).filter(|life| life.start <= event.position)
    }

    /// Removes an event from the log's order, if it is still there.
    pub(super) fn drop_from_order(&mut self, position: Position) {
        if let Some(event) = self.order.remove(&position) {
            self.hot_bytes -= event.counted_bytes();
        }
    }

    /// Makes a stream whose first record is at `start`.
    pub(super) fn make(&mut self, stream: &StreamName, start: Position, now: UnixMs, settings: Settings) {
        self.lives_bytes += entry_bytes(stream);
        self.lives.insert(stream, Life::new(start, now, settings));
    }

    /// Removes a stream and its events, and leaves a tombstone for its readers.
    pub(super) fn retire(&mut self, stream: &StreamName, end: Position, reason: EndReason, at: Position) {
        let Some((stream, mut life)) = self.lives.remove(stream) else { return };
        let stream = &stream;
        self.lives_bytes -= entry_bytes(stream);
        if let Some(due) = life.scheduled {
            self.due.remove(&(due, stream.clone()));
        }
        self.losses.remove(stream, life.trim);
        let earlier = self.tombstones.by_name.get(stream).and_then(|tombstone| tombstone.loss);
        self.losses.remove(stream, earlier);
        // A life that lost nothing leaves the loss of the one before it as it was.
        let loss = life.loss_when_gone(at).or(earlier);
        self.losses.insert(stream, loss);
        self.tombstones.insert(stream, Tombstone { end, reason, at, loss });
        self.stub_cache.forget(life.start);
        self.effects.has_retired = true;
        self.events_bytes -= life.bytes;
        if !life.hot.is_empty() {
            self.pending_free.push_back(std::mem::take(&mut life.hot));
        }
        while self.tombstones.by_name.len() > self.limits.tombstones_max {
            self.forget_oldest_tombstone();
        }
    }

    pub(super) fn forget_oldest_tombstone(&mut self) {
        if let Some((name, tombstone)) = self.tombstones.forget_oldest() {
            self.losses.remove(&name, tombstone.loss);
        }
    }

    /// Schedules a stream for the sweep, at the time when something expires next.
    pub(super) fn schedule(&mut self, stream: &StreamName) {
        let due = self.lives.get(stream).filter(|life| life.is_due_earlier()).and_then(Life::due);
        if let Some(due) = due {
            self.schedule_at(stream, due);
        }
    }

    /// Schedules a stream for the sweep at `due`, unless it is already scheduled earlier.
    pub(super) fn schedule_at(&mut self, stream: &StreamName, due: UnixMs) {
        if self.lives.get(stream).is_none_or(|life| life.scheduled.is_some_and(|at| at <= due)) {
            return;
        }
        let Some(life) = self.life_mut(stream) else { return };
        if let Some(scheduled) = life.scheduled.replace(due) {
            self.due.remove(&(scheduled, stream.clone()));
        }
        self.due.insert((due, stream.clone()));
    }
}

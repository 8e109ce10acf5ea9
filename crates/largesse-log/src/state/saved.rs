//! The state as plain values, for checkpoints.
//!
//! Invariants: a snapshot is of one moment, and is taken in constant time however large the log is; a log restored
//! from it behaves as the first one would, with all its events cold. Does not know how the values are written.

use std::sync::Arc;

use imbl::{HashMap, OrdMap};

use super::{
    idempotency::{Due, KeyName, Use, Used, block::Blocks},
    life::{Cold, Life, LifeEnd, entry_bytes},
    log::LogState,
    retention::{losses::Loss, stub_cache::Stub, tombstones::Tombstone},
    stamp::Stamp,
};
use crate::{
    Appended, Digest, EndReason, EngineLimits, IdempotencyKey, Position, Settings, StreamName, UnixMs,
};

/// The log's state at one moment.
#[derive(Clone)]
pub struct Snapshot {
    /// The single values.
    pub head: SavedHead,
    lives: HashMap<StreamName, Arc<Life>>,
    tombstones: OrdMap<StreamName, Tombstone>,
    keys: OrdMap<Due, Arc<Used>>,
    damaged: OrdMap<Position, StreamName>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("head", &self.head).finish_non_exhaustive()
    }
}

/// The single values of a log's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedHead {
    /// Its limits.
    pub limits: EngineLimits,
    /// Its last record.
    pub tail: Position,
    /// The time of the last event ever.
    pub last_time: Option<UnixMs>,
    /// No cold event at or before this is kept.
    pub low_watermark: Position,
    /// The union of all forgotten tombstones.
    pub forgotten: Option<Loss>,
    /// The last number given to a key or a claim.
    pub numbered: u64,
}

/// The life of a stream that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedLife {
    /// Its name.
    pub stream: StreamName,
    /// Its start.
    pub start: Position,
    /// When it was made.
    pub made: UnixMs,
    /// All its settings.
    pub settings: Settings,
    /// How many events it keeps.
    pub events: u64,
    /// What they count as, in bytes.
    pub bytes: u64,
    /// The first of them.
    pub first: Option<Stub>,
    /// The last of them.
    pub last: Option<Stub>,
    /// Its close.
    pub end: Option<LifeEnd>,
    /// What was trimmed.
    pub trim: Option<Loss>,
}

/// A stream that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedTombstone {
    /// Its name.
    pub stream: StreamName,
    /// Where readers meet its end.
    pub end: Position,
    /// Why it ended.
    pub reason: EndReason,
    /// Where its removal was recorded.
    pub at: Position,
    /// What was lost with it.
    pub loss: Option<Loss>,
}

/// An idempotency key, and what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedKey {
    /// When it is forgotten.
    pub due: UnixMs,
    /// Distinguishes equal times.
    pub number: u64,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// The key.
    pub key: IdempotencyKey,
    /// Its use.
    pub what: SavedUse,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedUse {
    /// One whole publish.
    Whole {
        /// The digest of what was published.
        digest: Digest,
        /// The first answer.
        answer: Appended,
    },
    /// A long publish, block by block.
    Blocks(SavedBlocks),
}

/// How far a long publish has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedBlocks {
    /// The newest claim.
    pub generation: u64,
    /// How many blocks are appended.
    pub done: u64,
    /// Every how many blocks one is remembered.
    pub step: u64,
    /// The remembered blocks: number, digest up to it, position.
    pub checkpoints: Vec<(u64, Digest, Position)>,
    /// The answer to the close.
    pub closed: Option<Appended>,
}

/// A kept event that can't be read any more, and whose loss is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedDamage {
    /// Its stream.
    pub stream: StreamName,
    /// Its position.
    pub position: Position,
}

impl Snapshot {
    /// The streams that exist, in no order.
    pub fn lives(&self) -> impl Iterator<Item = SavedLife> + '_ {
        self.lives.iter().map(|(stream, life)| SavedLife {
            stream: stream.clone(),
            start: life.start,
            made: life.made,
            settings: life.settings,
            events: life.events(),
            bytes: life.bytes,
            first: life.first(),
            last: life.last(),
            end: life.end,
            trim: life.trim,
        })
    }

    /// The streams that are gone, by name.
    pub fn tombstones(&self) -> impl Iterator<Item = SavedTombstone> + '_ {
        self.tombstones.iter().map(|(stream, tombstone)| SavedTombstone {
            stream: stream.clone(),
            end: tombstone.end,
            reason: tombstone.reason,
            at: tombstone.at,
            loss: tombstone.loss,
        })
    }

    /// The idempotency keys, by when they are forgotten.
    pub fn keys(&self) -> impl Iterator<Item = SavedKey> + '_ {
        self.keys.iter().map(|((due, number), used)| SavedKey {
            due: *due,
            number: *number,
            stream: used.key.0.clone(),
            key: used.key.1.clone(),
            what: match &used.what {
                Use::Whole { digest, answer } => SavedUse::Whole { digest: *digest, answer: answer.clone() },
                Use::Blocks(blocks) => SavedUse::Blocks(blocks.saved()),
            },
        })
    }

    /// The events that can't be read any more, in log order.
    pub fn damages(&self) -> impl Iterator<Item = SavedDamage> + '_ {
        let kept = |(position, stream): &(&Position, &StreamName)| {
            self.lives.get(*stream).is_some_and(|life| life.keeps(**position))
        };
        let saved = |(position, stream): (&Position, &StreamName)| SavedDamage {
            stream: stream.clone(),
            position: *position,
        };
        self.damaged.iter().filter(kept).map(saved)
    }

    /// The start of the life of a stream that existed.
    #[must_use]
    pub fn life_start(&self, stream: &StreamName) -> Option<Position> {
        self.lives.get(stream).map(|life| life.start)
    }

    /// The start of an event's life, if the event was kept at that moment.
    #[must_use]
    pub fn life_keeping(&self, stream: &StreamName, position: Position) -> Option<Position> {
        self.lives.get(stream).filter(|life| life.keeps(position)).map(|life| life.start)
    }
}

impl LogState {
    /// The state now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let head = SavedHead {
            limits: self.limits,
            tail: self.tail,
            last_time: self.last_time,
            low_watermark: self.low_watermark,
            forgotten: self.tombstones.forgotten,
            numbered: self.keys.numbered,
        };
        Snapshot {
            head,
            lives: self.lives.copied(),
            tombstones: self.tombstones.by_name.clone(),
            keys: self.keys.by_due.clone(),
            damaged: self.damaged.clone(),
        }
    }

    /// A log as it was when `head` was saved; lives, tombstones, keys and damages have to be restored next.
    #[must_use]
    pub fn restored(head: &SavedHead) -> Self {
        let mut log = Self::new(head.limits);
        (log.tail, log.evicted_upto, log.low_watermark) = (head.tail, head.tail, head.low_watermark);
        log.last_time = head.last_time;
        log.evicted_time = head.last_time.unwrap_or(UnixMs(0));
        log.tombstones.forgotten = head.forgotten;
        log.keys.numbered = head.numbered;
        log
    }

    /// Restores a stream that existed.
    pub fn restore_life(&mut self, saved: &SavedLife) {
        let SavedLife { stream, start, made, settings, events, bytes, first, last, end, trim } = saved;
        let cold = Cold { events: *events, bytes: *bytes, first: *first, last: *last };
        let life =
            Life { cold, bytes: *bytes, end: *end, trim: *trim, ..Life::new(*start, *made, *settings) };
        let exceeds_limits = life.exceeds_limits(Stamp { base: *start, now: UnixMs(0), time: UnixMs(0) });
        self.lives_bytes += entry_bytes(stream);
        self.events_bytes += bytes;
        self.losses.insert(stream, *trim);
        self.lives.insert(stream, life);
        self.schedule(stream);
        if exceeds_limits {
            self.schedule_at(stream, UnixMs(0));
        }
        self.has_more_to_trim = self.bytes() > self.limits.log_bytes_max;
    }

    /// Restores the tombstone of a stream.
    pub fn restore_tombstone(&mut self, saved: &SavedTombstone) {
        let SavedTombstone { stream, end, reason, at, loss } = saved;
        self.losses.insert(stream, *loss);
        self.tombstones.insert(stream, Tombstone { end: *end, reason: *reason, at: *at, loss: *loss });
    }

    /// Restores an idempotency key.
    pub fn restore_key(&mut self, saved: SavedKey) {
        let SavedKey { due, number, stream, key, what } = saved;
        let what = match what {
            SavedUse::Whole { digest, answer } => Use::Whole { digest, answer },
            SavedUse::Blocks(blocks) => Use::Blocks(Blocks::restored(blocks)),
        };
        let name: KeyName = (self.kept_name(stream), key);
        self.keys.restore((due, number), name, what);
    }

    /// Restores the mark of an event that can't be read any more. Its loss was recorded.
    pub fn restore_damage(&mut self, saved: SavedDamage) {
        self.damaged.insert(saved.position, self.kept_name(saved.stream));
    }
}

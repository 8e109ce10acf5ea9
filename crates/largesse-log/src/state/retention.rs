//! Retention: drops the oldest events over a limit.
//!
//! Drops are planned first, without changing anything. A plan that needs to know more about cold events says so
//! ([`StubsWanted`]), and is made again with the answer. A plan is carried out as a whole, with the losses it causes,
//! so nobody sees a part of it.
//!
//! Invariants: each event is dropped once, at the cost of a few tree lookups, so the retention of an append costs
//! about as much as the append; what new settings, new limits or age put over a limit is dropped piece by piece, the
//! rest at the next sweep. Does not know when time has passed: the sweep calls it.

pub(super) mod losses;
pub(super) mod stub_cache;
pub(super) mod tombstones;
pub(super) mod work;

use std::{collections::BTreeMap, iter::Peekable};

use crate::state::{
    life::{Life, entry_bytes},
    log::LogState,
    retention::{
        losses::Loss,
        stub_cache::{OrderWanted, RunWanted, Stub, StubsWanted},
        work::DROPS_MAX,
    },
    stamp::Stamp,
};
use crate::{Position, StreamName};

/// How many events that are not kept one plan skips at most.
const SKIPS_MAX: usize = 4_096;
/// How many stubs of a life are requested at first.
const RUN_STUBS: usize = 32;
/// The same for stubs in log order.
const ORDER_STUBS: usize = 256;

/// Which events of a stream to drop.
#[derive(Clone, Copy, Default)]
pub(in crate::state) struct StreamPlan {
    drops: usize,
    /// Whether more remains to be dropped.
    has_more: bool,
}

/// What to drop from the log, in this order.
struct LogPlan {
    drops: Vec<LogDrop>,
    /// Afterwards, no cold event at or before this is kept.
    low_watermark: Position,
    /// Whether more remains to be dropped.
    has_more: bool,
}

/// One item to drop.
enum LogDrop {
    /// The oldest event of this stream.
    Oldest(StreamName, Position),
    /// An event that is not kept.
    NotKept(Position),
    /// The oldest tombstone.
    Tombstone,
}

/// How many cold events of one life to drop.
struct ColdDrops<'a> {
    life: &'a Life,
    drops: usize,
}

/// An event that may be kept, and its stream.
type Oldest<'a> = (&'a StreamName, Stub);

/// The events of the log in its order: the cold ones as far as they are known, then the hot ones.
struct OldestEvents<K: Iterator, H: Iterator> {
    known: Peekable<K>,
    known_upto: Position,
    hot: Peekable<H>,
    evicted_upto: Position,
    /// The known events come after this.
    first_after: Position,
    low_watermark: Position,
    passed: usize,
}

impl<'a, K: Iterator<Item = Oldest<'a>>, H: Iterator<Item = Oldest<'a>>> OldestEvents<K, H> {
    /// The next event.
    fn peek(&mut self) -> Result<Option<Oldest<'a>>, OrderWanted> {
        if self.low_watermark < self.evicted_upto {
            match self.known.peek() {
                Some(event) => return Ok(Some(*event)),
                None if self.known_upto >= self.evicted_upto => self.low_watermark = self.evicted_upto,
                None => {
                    return Err(OrderWanted {
                        after: self.first_after,
                        stubs: ORDER_STUBS.max(2 * self.passed),
                    });
                }
            }
        }
        Ok(self.hot.peek().copied())
    }

    /// Moves past the next event.
    fn pass(&mut self, position: Position) {
        if position <= self.evicted_upto {
            self.known.next();
            self.passed += 1;
        } else {
            self.hot.next();
        }
        self.low_watermark = self.low_watermark.max(position.min(self.evicted_upto));
    }
}

impl LogState {
    /// Drops what is over a stream's own limits: all that `pushed` new events push out, and a bounded number more.
    ///
    /// # Errors
    /// The facts that it needs; nothing was dropped then.
    pub(in crate::state) fn trim_stream(
        &mut self,
        stream: &StreamName,
        stamp: Stamp,
        pushed: usize,
    ) -> Result<(), StubsWanted> {
        let plan = self.plan_stream(stream, stamp, pushed + DROPS_MAX)?;
        self.trim_stream_by(stream, stamp, plan);
        Ok(())
    }

    /// Plans the drops of one stream, at most `drops_max` events.
    ///
    /// # Errors
    /// The facts that it needs.
    pub(in crate::state) fn plan_stream(
        &self,
        stream: &StreamName,
        stamp: Stamp,
        drops_max: usize,
    ) -> Result<StreamPlan, StubsWanted> {
        let Some(life) = self.lives.get(stream) else { return Ok(StreamPlan::default()) };
        let (run, known_upto) = self.stub_cache.run(life.start, life.last_gone());
        let mut cold = life.cold.first.into_iter().chain(run);
        let mut hot = life.hot.iter().map(Stub::of);
        let mut cold_left = life.cold.events;
        let (mut events, mut bytes) = (life.events(), life.bytes);
        let mut plan = StreamPlan::default();
        loop {
            let first = if cold_left > 0 { cold.next() } else { hot.next() };
            if first.is_none() && cold_left > 0 && known_upto < self.evicted_upto {
                let stubs = (2 * plan.drops).clamp(RUN_STUBS, drops_max + RUN_STUBS);
                return Err(self.wanted(vec![life.run_wanted(stubs)], None));
            }
            let Some(first) = first.filter(|first| life.would_exceed(events, bytes, Some(*first), stamp))
            else {
                return Ok(plan);
            };
            if plan.drops == drops_max {
                return Ok(StreamPlan { has_more: true, ..plan });
            }
            plan.drops += 1;
            cold_left = cold_left.saturating_sub(1);
            (events, bytes) = (events - 1, bytes - first.counted_bytes);
        }
    }

    /// Drops what was planned, in the same command.
    pub(in crate::state) fn trim_stream_by(&mut self, stream: &StreamName, stamp: Stamp, plan: StreamPlan) {
        let mut upto = None;
        for _ in 0..plan.drops {
            upto = self.drop_oldest(stream).or(upto);
        }
        if plan.has_more {
            self.schedule_at(stream, stamp.now);
        }
        if let Some(upto) = upto {
            let at = self.allocate_position();
            self.record_trim(stream, Loss { upto, at });
        }
    }

    /// Drops what is over the log's limit: the oldest first, events and tombstones alike. All beyond `bytes_before`, and
    /// a bounded number more. What was just appended stays: `check_fits` made sure that it fits.
    ///
    /// # Errors
    /// The facts that it needs; nothing was dropped then.
    pub(in crate::state) fn trim_log(&mut self, bytes_before: u64) -> Result<(), StubsWanted> {
        if self.bytes() <= self.limits.log_bytes_max {
            self.has_more_to_trim = false;
            return Ok(());
        }
        let plan = self.plan_log(bytes_before)?;
        let mut trimmed: BTreeMap<StreamName, Position> = BTreeMap::new();
        for drop in plan.drops {
            match drop {
                LogDrop::Oldest(stream, position) => {
                    if self.drop_oldest(&stream).is_some() {
                        trimmed.insert(stream, position);
                    }
                }
                LogDrop::NotKept(position) => self.drop_from_order(position),
                LogDrop::Tombstone => self.forget_oldest_tombstone(),
            }
        }
        (self.low_watermark, self.has_more_to_trim) = (plan.low_watermark, plan.has_more);
        self.stub_cache.passed(self.low_watermark);
        if trimmed.is_empty() {
            return Ok(());
        }
        let at = self.allocate_position();
        for (stream, upto) in trimmed {
            self.record_trim(&stream, Loss { upto, at });
        }
        Ok(())
    }

    fn plan_log(&self, bytes_before: u64) -> Result<LogPlan, StubsWanted> {
        let mut events = self.oldest_events();
        let mut tombstones = self.tombstones.oldest().peekable();
        let mut bytes = self.bytes();
        let (mut skips_left, mut drops_left) = (SKIPS_MAX, DROPS_MAX);
        let mut drops = Vec::new();
        let mut cold: BTreeMap<Position, ColdDrops<'_>> = BTreeMap::new();
        let is_too_much = |bytes: u64| bytes > self.limits.log_bytes_max;
        while is_too_much(bytes) && skips_left > 0 && (bytes > bytes_before || drops_left > 0) {
            if bytes <= bytes_before {
                drops_left -= 1;
            }
            let oldest = events.peek().map_err(|order| self.wanted(Vec::new(), Some(order)))?;
            match (oldest, tombstones.peek()) {
                (Some((stream, stub)), tombstone) if tombstone.is_none_or(|(at, _)| stub.position < *at) => {
                    events.pass(stub.position);
                    let Some(life) = self.lives.get(stream).filter(|life| life.keeps(stub.position)) else {
                        skips_left -= 1;
                        drops.push(LogDrop::NotKept(stub.position));
                        continue;
                    };
                    bytes -= stub.counted_bytes;
                    drops.push(LogDrop::Oldest(stream.clone(), stub.position));
                    if stub.position <= self.evicted_upto {
                        cold.entry(life.start).or_insert(ColdDrops { life, drops: 0 }).drops += 1;
                    }
                }
                (_, Some((_, name))) => {
                    bytes -= entry_bytes(name);
                    drops.push(LogDrop::Tombstone);
                    tombstones.next();
                }
                (_, None) => {
                    return self.with_next_known(drops, events.low_watermark, false, &cold);
                }
            }
        }
        self.with_next_known(drops, events.low_watermark, is_too_much(bytes), &cold)
    }

    /// The plan, if the event after the dropped ones is known for each life.
    fn with_next_known(
        &self,
        drops: Vec<LogDrop>,
        low_watermark: Position,
        has_more: bool,
        cold: &BTreeMap<Position, ColdDrops<'_>>,
    ) -> Result<LogPlan, StubsWanted> {
        let unknown = cold.values().filter(|cold| {
            let (run, known_upto) = self.stub_cache.run(cold.life.start, cold.life.last_gone());
            let wanted = cold.drops.min(cold.life.cold.events as usize - 1);
            known_upto < self.evicted_upto && run.take(wanted).count() < wanted
        });
        let runs: Vec<_> = unknown.map(|cold| cold.life.run_wanted(cold.drops + RUN_STUBS)).collect();
        if runs.is_empty() {
            Ok(LogPlan { drops, low_watermark, has_more })
        } else {
            Err(self.wanted(runs, None))
        }
    }

    /// The events of the log that may be kept, oldest first.
    fn oldest_events<'a>(
        &'a self,
    ) -> OldestEvents<impl Iterator<Item = Oldest<'a>>, impl Iterator<Item = Oldest<'a>>> {
        let (low_watermark, evicted_upto) = (self.low_watermark, self.evicted_upto);
        let (known, known_upto) = self.stub_cache.order(low_watermark);
        OldestEvents {
            known: known.take_while(move |(_, stub)| stub.position <= evicted_upto).peekable(),
            known_upto,
            hot: self.order.values().map(|event| (&event.stream, Stub::of(event))).peekable(),
            evicted_upto,
            first_after: low_watermark,
            low_watermark,
            passed: 0,
        }
    }

    fn wanted(&self, runs: Vec<RunWanted>, order: Option<OrderWanted>) -> StubsWanted {
        StubsWanted { runs, order, evicted_upto: self.evicted_upto }
    }

    fn drop_oldest(&mut self, stream: &StreamName) -> Option<Position> {
        let life = self.lives.life_mut(stream)?;
        let is_cold = life.cold.events > 0;
        let stub = if is_cold {
            let stub = life.cold.first.or_else(|| self.stub_cache.pop_next(life.start, life.last_gone()))?;
            let next = self.stub_cache.pop_next(life.start, stub.position);
            life.cold.drop_first(stub, next);
            stub
        } else {
            Stub::of(&life.hot.pop_front()?)
        };
        life.bytes -= stub.counted_bytes;
        self.events_bytes -= stub.counted_bytes;
        if !is_cold {
            self.drop_from_order(stub.position);
        }
        self.effects.dropped.push(stub);
        Some(stub.position)
    }

    pub(in crate::state) fn record_trim(&mut self, stream: &StreamName, loss: Loss) {
        if let Some(life) = self.life_mut(stream) {
            let earlier = life.trim.replace(loss);
            self.losses.remove(stream, earlier);
            self.losses.insert(stream, Some(loss));
        }
    }
}

//! A cache of the cold events that retention drops next: their position, time and size, without their text.
//!
//! Retention never waits for a disk. Where it needs more than is cached, it returns a request ([`StubsWanted`]); the
//! engine reads that without a lock ([`StubsFound`]), and retention resumes.
//!
//! Invariants: at most [`STUBS_MAX`] stubs of runs, not counting the last addition; a run has each cold event of its
//! life after its first stub and up to `upto`, and `order` each cold event of the log. Events do not change and the
//! start of a life is unique, so no entry is ever stale. Does not know which events are kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{Event, Position, StreamName, UnixMs};

/// How many stubs of all runs are cached.
const STUBS_MAX: usize = 128 * 1024;

/// An event without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Its place.
    pub position: Position,
    /// When it was appended.
    pub time: UnixMs,
    /// What it counts ([`Event::counted_bytes`]).
    pub counted_bytes: u64,
}

impl Stub {
    /// The stub of an event in memory.
    pub(in crate::state) fn of(event: &Arc<Event>) -> Self {
        Self { position: event.position, time: event.time, counted_bytes: event.counted_bytes() }
    }
}

/// The facts about cold events that retention needs to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StubsWanted {
    /// Events of these lives.
    pub runs: Vec<RunWanted>,
    /// Events of all lives.
    pub order: Option<OrderWanted>,
    /// All events up to here are cold.
    pub evicted_upto: Position,
}

/// The next events of the log, of any life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderWanted {
    /// Events after this.
    pub after: Position,
    /// How many.
    pub stubs: usize,
}

/// The next events of one life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunWanted {
    /// The start of the life.
    pub life: Position,
    /// Events after this.
    pub after: Position,
    /// How many.
    pub stubs: usize,
}

/// What was read for [`StubsWanted`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StubsFound {
    /// For each wanted run, in that order: as many stubs as were wanted in log order, or all there are.
    pub runs: Vec<Vec<Stub>>,
    /// As many of the log's events as were wanted, or all there are.
    pub order: Vec<(StreamName, Stub)>,
}

/// The cache.
#[derive(Default)]
pub(in crate::state) struct StubCache {
    runs: HashMap<Position, StubRun<Stub>>,
    run_stubs: usize,
    order: StubRun<(StreamName, Stub)>,
}

/// Stubs in log order: all after the first and up to `upto`.
struct StubRun<T> {
    stubs: VecDeque<T>,
    upto: Position,
}

impl<T> Default for StubRun<T> {
    fn default() -> Self {
        Self { stubs: VecDeque::new(), upto: Position::ZERO }
    }
}

impl StubCache {
    /// The cached cold events of a life after `after`, and the position up to which they are complete.
    pub(in crate::state) fn run(
        &self,
        life: Position,
        after: Position,
    ) -> (impl Iterator<Item = Stub>, Position) {
        let run = self.runs.get(&life);
        let stubs = run.into_iter().flat_map(|run| &run.stubs).copied();
        (stubs.skip_while(move |stub| stub.position <= after), run.map_or(Position::ZERO, |run| run.upto))
    }

    /// The next cold event of a life after `after`, if cached. Forgets those before it.
    pub(in crate::state) fn pop_next(&mut self, life: Position, after: Position) -> Option<Stub> {
        let run = self.runs.get_mut(&life)?;
        while run.stubs.front().is_some_and(|stub| stub.position <= after) {
            run.stubs.pop_front();
            self.run_stubs -= 1;
        }
        run.stubs.front().copied()
    }

    /// The cached cold events of all lives after `after`, and the position up to which they are complete.
    pub(in crate::state) fn order(
        &self,
        after: Position,
    ) -> (impl Iterator<Item = (&StreamName, Stub)>, Position) {
        let stubs = self.order.stubs.iter().skip_while(move |(_, stub)| stub.position <= after);
        (stubs.map(|(stream, stub)| (stream, *stub)), self.order.upto)
    }

    /// Forgets the events of `order` up to `after`.
    pub(in crate::state) fn passed(&mut self, after: Position) {
        while self.order.stubs.front().is_some_and(|(_, stub)| stub.position <= after) {
            self.order.stubs.pop_front();
        }
    }

    /// Forgets a life that is over.
    pub(in crate::state) fn forget(&mut self, life: Position) {
        if let Some(run) = self.runs.remove(&life) {
            self.run_stubs -= run.stubs.len();
        }
    }

    /// Adds what was read.
    pub(in crate::state) fn add(&mut self, wanted: &StubsWanted, found: StubsFound) {
        let StubsFound { runs, order } = found;
        if self.run_stubs > STUBS_MAX {
            self.runs.clear();
            self.run_stubs = 0;
        }
        for (run, stubs) in wanted.runs.iter().zip(runs) {
            let last = stubs.last().map_or(run.after, |stub| stub.position);
            let is_all = stubs.len() < run.stubs;
            self.forget(run.life);
            self.run_stubs += stubs.len();
            let upto = known_upto(last, is_all, wanted);
            self.runs.insert(run.life, StubRun { stubs: stubs.into(), upto });
        }
        if let Some(order_wanted) = wanted.order {
            let last = order.last().map_or(order_wanted.after, |(_, stub)| stub.position);
            let is_all = order.len() < order_wanted.stubs;
            self.order = StubRun { stubs: order.into(), upto: known_upto(last, is_all, wanted) };
        }
    }
}

/// The position up to which a run is complete, when `last` is its last event.
fn known_upto(last: Position, is_all: bool, wanted: &StubsWanted) -> Position {
    if is_all { last.max(wanted.evicted_upto) } else { last }
}

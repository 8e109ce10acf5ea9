//! What retention knows ahead of the cold events that it drops next: their place, time and size, without their text.
//!
//! Retention never waits for a disk. Where it has to know more than stands here, it says what it wants
//! ([`StubsWanted`]), whoever applies commands reads that without a lock ([`StubsFound`]), and retention goes on.
//!
//! Invariants: at most [`STUBS_MAX`] stubs of runs beyond the last that was added; a run has each cold event of its life
//! after its first stub and up to `upto`, and the order each cold event of the log. Events do not change and a life's
//! number is not used twice, so nothing here is ever wrong. Does not know which events are kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{Event, Position, StreamName, UnixMs};

/// How many stubs of all runs are remembered.
const STUBS_MAX: usize = 128 * 1024;

/// What is known of an event without its text.
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
    /// Of an event that is in memory.
    pub(in crate::state) fn of(event: &Arc<Event>) -> Self {
        Self { position: event.position, time: event.time, counted_bytes: event.counted_bytes() }
    }
}

/// What retention has to know of cold events to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StubsWanted {
    /// Events of these lives.
    pub runs: Vec<RunWanted>,
    /// Events of all lives.
    pub order: Option<OrderWanted>,
    /// All events up to here are cold.
    pub evicted_upto: Position,
}

/// The next events of the log, of whatever life.
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
    /// Where the life began.
    pub life: Position,
    /// Events after this.
    pub after: Position,
    /// How many.
    pub stubs: usize,
}

/// What was read for [`StubsWanted`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StubsFound {
    /// For each run that was wanted, in that order: as many stubs as were wanted in log order, or all that there are.
    pub runs: Vec<Vec<Stub>>,
    /// As many of the log's events as were wanted, or all that there are.
    pub order: Vec<(StreamName, Stub)>,
}

/// The stubs.
#[derive(Default)]
pub(in crate::state) struct StubCache {
    runs: HashMap<Position, StubRun<Stub>>,
    run_stubs: usize,
    order: StubRun<(StreamName, Stub)>,
}

/// Stubs in log order: all there are after the first and up to `upto`.
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
    /// The cold events of a life after `after`, as far as they are known; all up to the second.
    pub(in crate::state) fn run(
        &self,
        life: Position,
        after: Position,
    ) -> (impl Iterator<Item = Stub>, Position) {
        let run = self.runs.get(&life);
        let stubs = run.into_iter().flat_map(|run| &run.stubs).copied();
        (stubs.skip_while(move |stub| stub.position <= after), run.map_or(Position::ZERO, |run| run.upto))
    }

    /// Takes the next cold event of a life after `after` out of what is known.
    pub(in crate::state) fn pop_next(&mut self, life: Position, after: Position) -> Option<Stub> {
        let run = self.runs.get_mut(&life)?;
        while run.stubs.front().is_some_and(|stub| stub.position <= after) {
            run.stubs.pop_front();
            self.run_stubs -= 1;
        }
        run.stubs.front().copied()
    }

    /// The cold events of all lives after `after`, as far as they are known; all up to the second.
    pub(in crate::state) fn order(
        &self,
        after: Position,
    ) -> (impl Iterator<Item = (&StreamName, Stub)>, Position) {
        let stubs = self.order.stubs.iter().skip_while(move |(_, stub)| stub.position <= after);
        (stubs.map(|(stream, stub)| (stream, *stub)), self.order.upto)
    }

    /// Forgets what is not after `after` in the order.
    pub(in crate::state) fn passed(&mut self, after: Position) {
        while self.order.stubs.front().is_some_and(|(_, stub)| stub.position <= after) {
            self.order.stubs.pop_front();
        }
    }

    /// A life is over.
    pub(in crate::state) fn forget(&mut self, life: Position) {
        if let Some(run) = self.runs.remove(&life) {
            self.run_stubs -= run.stubs.len();
        }
    }

    /// Takes in what was read.
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

/// Up to where all is known, when the last event that was found is `last`.
fn known_upto(last: Position, is_all: bool, wanted: &StubsWanted) -> Position {
    if is_all { last.max(wanted.evicted_upto) } else { last }
}

//! The archive of the log's state: the segments, asked from under the state's lock.
//!
//! Invariants: what was read ahead is at most [`AHEAD_MAX`] events of lives and one stretch in log order, and is
//! never wrong, since events do not change and a life's number is not used twice. It reads from the disk while
//! the state's lock is held: retention takes events that are old, a handful of reads for a run of them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use largesse_log::{
    EngineError, Position, StreamName,
    state::{Archive, Stub},
};

use crate::{
    frame::Salt,
    index::{Entry, Postings, StreamEpoch},
    segments::{Segment, Segments, number_of},
    walk::SegmentWalk,
};

/// How many events of one life are read at once.
const RUN: usize = 32;
/// How many events are remembered for all lives together.
const AHEAD_MAX: usize = 128 * 1024;
/// How many events in log order are read at once.
const STRETCH: usize = 256;

/// The segments, as the state sees them.
pub(crate) struct SegmentArchive {
    segments: Arc<Segments>,
    salt: Salt,
    ahead: HashMap<Position, VecDeque<Stub>>,
    ahead_events: usize,
    stretch: VecDeque<(StreamName, Position)>,
    retired: Arc<Retired>,
}

/// Whether lives are gone whose events still count as live in their segments.
#[derive(Default)]
pub(crate) struct Retired(AtomicBool);

impl Retired {
    pub(crate) fn is_some(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Asks, and forgets.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Relaxed)
    }
}

impl SegmentArchive {
    pub(crate) fn new(segments: Arc<Segments>, salt: Salt, retired: Arc<Retired>) -> Self {
        let (ahead, stretch) = (HashMap::new(), VecDeque::new());
        Self { segments, salt, ahead, ahead_events: 0, stretch, retired }
    }

    /// Forgets what was read ahead of a life, and of all when it is much.
    fn forget(&mut self, life: Position) {
        if let Some(run) = self.ahead.remove(&life) {
            self.ahead_events -= run.len();
        }
        if self.ahead_events > AHEAD_MAX {
            self.ahead.clear();
            self.ahead_events = 0;
        }
    }

    fn read_run(&self, life: Position, after: Position) -> Result<VecDeque<Stub>, EngineError> {
        let list = self.segments.all();
        for segment in &list[number_of(&list, after)..] {
            let run =
                run_in(segment, StreamEpoch(life), after, RUN).map_err(|error| segment.unreadable(error))?;
            if !run.is_empty() {
                return Ok(run.iter().map(stub).collect());
            }
        }
        Ok(VecDeque::new())
    }

    fn read_stretch(&self, after: Position) -> Result<VecDeque<(StreamName, Position)>, EngineError> {
        let list = self.segments.all();
        for segment in &list[number_of(&list, after)..] {
            let mut stretch = VecDeque::new();
            let mut walk = SegmentWalk::after(segment, after, self.salt)?;
            while stretch.len() < STRETCH {
                let Some(event) = walk.next()? else { break };
                stretch.push_back((event.stream, event.position));
            }
            if !stretch.is_empty() {
                return Ok(stretch);
            }
        }
        Ok(VecDeque::new())
    }
}

/// The entries of a life after `after` in one segment, at most so many.
pub(crate) fn run_in(
    segment: &Segment,
    life: StreamEpoch,
    after: Position,
    entries_max: usize,
) -> Result<Vec<Entry>, crate::index::IndexError> {
    segment.index.ask(|index| {
        let Some(postings) = index.postings(life)?.filter(|postings: &Postings| postings.last > after) else {
            return Ok(Vec::new());
        };
        let from = if postings.first > after { 0 } else { index.upto(&postings, after)? };
        index.entries(&postings, from, entries_max)
    })
}

fn stub(entry: &Entry) -> Stub {
    Stub { position: entry.position, time: entry.time, counted_bytes: u64::from(entry.counted_bytes) }
}

impl Archive for SegmentArchive {
    fn next_of_life(&mut self, life: Position, after: Position) -> Result<Option<Stub>, EngineError> {
        if let Some(run) = self.ahead.get_mut(&life) {
            let before = run.len();
            while run.front().is_some_and(|stub| stub.position <= after) {
                run.pop_front();
            }
            self.ahead_events -= before - run.len();
            if let Some(stub) = run.front() {
                return Ok(Some(*stub));
            }
        }
        self.forget(life);
        let run = self.read_run(life, after)?;
        let first = run.front().copied();
        self.ahead_events += run.len();
        self.ahead.insert(life, run);
        Ok(first)
    }

    fn next_in_order(&mut self, after: Position) -> Result<Option<(StreamName, Position)>, EngineError> {
        while self.stretch.front().is_some_and(|(_, position)| *position <= after) {
            self.stretch.pop_front();
        }
        if self.stretch.is_empty() {
            self.stretch = self.read_stretch(after)?;
        }
        Ok(self.stretch.front().cloned())
    }

    fn dropped(&mut self, event: Stub) {
        let list = self.segments.all();
        if let Some(segment) = list.get(number_of(&list, event.position)) {
            segment.lost(event.counted_bytes);
        }
    }

    fn retired(&mut self, life: Position) {
        self.forget(life);
        self.retired.0.store(true, Relaxed);
    }
}

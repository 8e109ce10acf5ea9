//! The old records of a few lives, merged into log order.
//!
//! Invariant: each life is read in runs, so that memory is bounded by the lives, and the disk is asked for
//! little that is not wanted.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
};

use largesse_log::{
    Batch, EngineError, Position, ReadLimits, Record,
    state::{Fit, Found, OldBatch, OldLife, Taken},
};

use super::{OldError, OldEvents};
use crate::{
    archive::run_in,
    index::{Entry, LifeId},
    segments::{Segment, SegmentList, number_of},
};

/// How many entries of one life are read at once, at most.
const RUN_MAX: usize = 256;

/// How far one life has been read.
struct Feed {
    life: OldLife,
    /// Which segment of the list the run is from.
    segment: usize,
    run: VecDeque<Entry>,
    /// Up to here entries have been put into runs.
    reached: Position,
    run_max: usize,
}

impl Feed {
    fn new(life: OldLife, list: &SegmentList, run_max: usize) -> Self {
        let (segment, reached) = (number_of(list, life.after), life.after);
        Self { life, segment, run: VecDeque::new(), reached, run_max }
    }

    /// Where the next event stands.
    fn next_position(&mut self, list: &SegmentList) -> Result<Option<Position>, EngineError> {
        while self.run.is_empty() && self.reached < self.life.upto {
            let Some(segment) = list.get(self.segment) else { break };
            let id = LifeId(self.life.start);
            let run =
                run_in(segment, id, self.reached, self.run_max).map_err(|error| segment.unreadable(error))?;
            match run.last() {
                Some(last) => self.reached = last.position,
                None => self.segment += 1,
            }
            self.run.extend(run.into_iter().filter(|entry| entry.position <= self.life.upto));
        }
        Ok(self.run.front().map(|entry| entry.position))
    }

    fn take<'a>(&mut self, list: &'a SegmentList) -> Option<(&'a Arc<Segment>, Entry)> {
        let entry = self.run.pop_front()?;
        Some((list.get(self.segment)?, entry))
    }
}

impl OldEvents {
    /// Reads what a look left to be read, and goes on with what it found in memory.
    pub(crate) fn merge(&self, batch: OldBatch, limits: ReadLimits) -> Result<Batch, OldError> {
        let OldBatch { lives, ends, floor, rest, lost, horizon } = batch;
        let list = self.list();
        let run_max = limits.records_max.get().min(RUN_MAX / lives.len().clamp(1, RUN_MAX) + 8);
        let mut feeds: Vec<_> = lives.into_iter().map(|life| Feed::new(life, &list, run_max)).collect();
        let mut heap = BinaryHeap::with_capacity(feeds.len());
        for (number, feed) in feeds.iter_mut().enumerate() {
            heap.extend(feed.next_position(&list)?.map(|position| Reverse((position, number))));
        }
        let mut ends = VecDeque::from(ends);
        let mut taken = Taken::new(limits);
        let mut fit = Fit::Taken;
        while let Some(Reverse((position, number))) = heap.pop() {
            fit = taken.take_ends(&mut ends, position);
            if fit == Fit::Full || taken.is_full() {
                fit = Fit::Full;
                break;
            }
            let feed = &mut feeds[number];
            let Some((segment, entry)) = feed.take(&list) else { continue };
            if let Some(event) = self.event(segment, &feed.life.stream, &entry)? {
                fit = taken.take(Record::Event { event, slow: feed.life.slow });
            }
            if fit == Fit::Full {
                break;
            }
            heap.extend(feed.next_position(&list)?.map(|position| Reverse((position, number))));
        }
        if fit == Fit::Taken {
            fit = taken.take_ends(&mut ends, floor.next());
        }
        let Found { records, upto, stopped } = match fit {
            Fit::Full => taken.full(),
            Fit::Taken => taken.followed_by(rest),
        };
        Ok(Batch { records, upto, stopped, lost, horizon })
    }
}

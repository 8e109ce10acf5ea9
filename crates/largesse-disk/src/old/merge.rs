//! The old records of a few lives, merged into log order.
//!
//! Invariant: each life is read in runs, so that memory is bounded by the lives, and the disk is asked for
//! little that is not wanted.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use largesse_log::{
    Batch, EngineError, Position, ReadLimits, Record,
    state::{Fit, Found, OldBatch, OldLife, Taken},
};

use super::{OldError, OldEvents, Wanted, stretch::Stretch};
use crate::{
    archive::run_in,
    index::{Entry, LifeId},
    scan::EventSpot,
    segments::{SegmentList, number_of},
};

/// How many entries of one life are read at once, at most.
const RUN_MAX: usize = 256;

/// How many bytes of all lives together are read before they are wanted.
const STRETCHES_BYTES_MAX: u64 = 256 * 1024;

/// How far one life has been read.
struct Feed {
    life: OldLife,
    /// Which segment of the list the run is from.
    segment: usize,
    run: VecDeque<Entry>,
    /// Up to here entries have been put into runs.
    reached: Position,
    run_max: usize,
    stretch: Stretch,
}

impl Feed {
    fn new(life: OldLife, list: &SegmentList, run_max: usize) -> Self {
        let (segment, reached) = (number_of(list, life.after), life.after);
        Self { life, segment, run: VecDeque::new(), reached, run_max, stretch: Stretch::default() }
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

    /// The next event, with those that follow near it.
    fn take<'a>(&'a mut self, list: &'a SegmentList, bytes_max: u64) -> Option<(Wanted<'a>, &'a Stretch)> {
        let Entry { position, time, at, bytes, .. } = self.run.pop_front()?;
        let (segment, spot) = (&**list.get(self.segment)?, EventSpot { at, bytes });
        let following = self.run.iter().map(|entry| EventSpot { at: entry.at, bytes: entry.bytes });
        // Where that fails, reading the event alone says why.
        let _ = self.stretch.read(segment, spot, following, bytes_max);
        Some((Wanted { segment, stream: &self.life.stream, position, time, spot }, &self.stretch))
    }
}

impl OldEvents {
    /// Reads what a look left to be read, and goes on with what it found in memory.
    pub(crate) fn merge(&self, batch: OldBatch, limits: ReadLimits) -> Result<Batch, OldError> {
        let OldBatch { lives, ends, floor, rest, lost, horizon } = batch;
        let list = self.list();
        let run_max = limits.records_max.get().min(RUN_MAX / lives.len().clamp(1, RUN_MAX) + 8);
        let stretch_max = STRETCHES_BYTES_MAX / lives.len().max(1) as u64;
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
            let slow = feed.life.slow;
            let Some((wanted, stretch)) = feed.take(&list, taken.bytes_left().min(stretch_max)) else {
                continue;
            };
            if let Some(event) = self.event(&wanted, stretch)? {
                fit = taken.take(Record::Event { event, slow });
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

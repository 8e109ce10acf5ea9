//! The cold records of a few lives, merged into log order.
//!
//! Invariant: each life is read in runs, so that memory is bounded by the lives, and the disk is asked for
//! little that is not wanted.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use largesse_log::{
    Batch, EngineError, Position, ReadLimits, Record,
    state::{BatchBuilder, ColdBatch, ColdLife, Fit, Found},
};

use super::{ColdError, ColdEvents, Wanted, coalesced_read::CoalescedRead, stubs::run_in};
use crate::{
    index::{Entry, StreamEpoch},
    scan::EventSpot,
    segments::{SegmentList, number_of},
};

/// How many entries of one life are read at once, at most.
const RUN_MAX: usize = 256;

/// How many bytes of all lives together are read before they are wanted.
const COALESCED_ALL_BYTES_MAX: u64 = 256 * 1024;

/// How far one life has been read.
struct Feed {
    life: ColdLife,
    /// Which segment of the list the run is from.
    segment: usize,
    run: VecDeque<Entry>,
    /// Up to here entries have been put into runs.
    reached: Position,
    run_max: usize,
    coalesced: CoalescedRead,
}

impl Feed {
    fn new(life: ColdLife, list: &SegmentList, run_max: usize) -> Self {
        let (segment, reached) = (number_of(list, life.after), life.after);
        Self { life, segment, run: VecDeque::new(), reached, run_max, coalesced: CoalescedRead::default() }
    }

    /// Where the next event stands.
    fn next_position(&mut self, list: &SegmentList) -> Result<Option<Position>, EngineError> {
        while self.run.is_empty() && self.reached < self.life.upto {
            let Some(segment) = list.get(self.segment) else { break };
            let id = StreamEpoch(self.life.start);
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
    fn take<'a>(
        &'a mut self,
        list: &'a SegmentList,
        bytes_max: u64,
    ) -> Option<(Wanted<'a>, &'a CoalescedRead)> {
        let Entry { position, time, at, bytes, .. } = self.run.pop_front()?;
        let (segment, spot) = (&**list.get(self.segment)?, EventSpot { at, bytes });
        let following = self.run.iter().map(|entry| EventSpot { at: entry.at, bytes: entry.bytes });
        // Where that fails, reading the event alone says why.
        let _ = self.coalesced.read(segment, spot, following, bytes_max);
        Some((Wanted { segment, stream: &self.life.stream, position, time, spot }, &self.coalesced))
    }
}

impl ColdEvents {
    /// Reads what a look left to be read, and goes on with what it found in memory.
    pub(crate) fn merge(&self, batch: ColdBatch, limits: ReadLimits) -> Result<Batch, ColdError> {
        let ColdBatch { lives, ends, evicted_upto, rest, lost, horizon } = batch;
        let list = self.list();
        let run_max = limits.records_max.get().min(RUN_MAX / lives.len().clamp(1, RUN_MAX) + 8);
        let coalesced_max = COALESCED_ALL_BYTES_MAX / lives.len().max(1) as u64;
        let mut feeds: Vec<_> = lives.into_iter().map(|life| Feed::new(life, &list, run_max)).collect();
        let mut heap = BinaryHeap::with_capacity(feeds.len());
        for (number, feed) in feeds.iter_mut().enumerate() {
            heap.extend(feed.next_position(&list)?.map(|position| Reverse((position, number))));
        }
        let mut ends = VecDeque::from(ends);
        let mut builder = BatchBuilder::new(limits);
        let mut fit = Fit::Taken;
        while let Some(Reverse((position, number))) = heap.pop() {
            fit = builder.take_ends(&mut ends, position);
            if fit == Fit::Full || builder.is_full() {
                fit = Fit::Full;
                break;
            }
            let feed = &mut feeds[number];
            let slow = feed.life.slow;
            let Some((wanted, coalesced)) = feed.take(&list, builder.bytes_left().min(coalesced_max)) else {
                continue;
            };
            if let Some(event) = self.event(&wanted, coalesced)? {
                fit = builder.take(Record::Event { event, slow });
            }
            if fit == Fit::Full {
                break;
            }
            heap.extend(feed.next_position(&list)?.map(|position| Reverse((position, number))));
        }
        if fit == Fit::Taken {
            fit = builder.take_ends(&mut ends, evicted_upto.next());
        }
        let Found { records, upto, stopped } = match fit {
            Fit::Full => builder.full(),
            Fit::Taken => builder.followed_by(rest),
        };
        Ok(Batch { records, upto, stopped, lost, horizon })
    }
}

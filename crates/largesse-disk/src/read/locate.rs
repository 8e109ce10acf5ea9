//! Finds a position among cold events.
//!
//! Invariant: a backward scan goes from seek point to seek point, one per call, so that others can use the thread
//! in between. Does not know which events are kept.

use largesse_log::{EngineError, Position, StreamName, UnixMs, state::ColdRange};

use super::{ColdReader, SegmentScan};
use crate::{
    index::{IndexError, Postings, StreamEpoch},
    segments::{Segment, SegmentList, number_of},
};

/// The kept events of one life in one segment.
struct KeptPostings<'a> {
    segment: &'a Segment,
    postings: Postings,
    /// The range of the posting list's entries that are kept and cold. Later ones may still be in memory, and were
    /// counted there.
    kept_from: u32,
    kept_upto: u32,
}

impl ColdReader {
    /// The last position after which these ranges have this many events.
    pub(crate) fn last_with(&self, ranges: &[ColdRange], events: u64) -> Result<Position, EngineError> {
        let list = self.list();
        let kept_postings = kept_postings(&list, ranges)?;
        let has_enough = |position: Position| -> Result<bool, EngineError> {
            let mut left = events;
            for kept in &kept_postings {
                left = left.saturating_sub(u64::from(kept.after(position)?));
                if left == 0 {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        // There are enough events after `low`, and too few after `high`.
        let last = ranges.iter().map(|range| range.upto.0).max();
        let (mut low, mut high) = (0, last.unwrap_or(0));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if has_enough(Position(middle))? { low = middle } else { high = middle - 1 }
        }
        Ok(Position(low))
    }

    /// Visits the events from the last seek point at or before `upto` up to `upto`. Returns the seek point's
    /// position.
    pub(crate) fn scan_from_seek_point(
        &self,
        upto: Position,
        mut visit: impl FnMut(StreamName, Position),
    ) -> Result<Option<Position>, EngineError> {
        let list = self.list();
        for segment in list.iter().take(number_of(&list, upto) + 1).rev() {
            let seek_point = segment.index.ask(|index| index.seek_point_upto(upto));
            let Some(seek_point) = seek_point.map_err(|error| segment.unreadable(error))? else { continue };
            let mut events = SegmentScan::after(segment, before(seek_point.position), self.salt)?;
            while let Some(event) = events.next()?.filter(|event| event.position <= upto) {
                visit(event.stream, event.position);
            }
            return Ok(Some(seek_point.position));
        }
        Ok(None)
    }

    /// The position of the first event at `time` or later.
    pub(crate) fn first_since(&self, time: UnixMs) -> Result<Option<Position>, EngineError> {
        let list = self.list();
        let is_earlier = |segment: &Segment| {
            segment.index.ask(|index| index.totals().span.is_none_or(|span| span.last_time < time))
        };
        let Some(segment) = list.iter().find(|segment| !is_earlier(segment)) else { return Ok(None) };
        let seek_point = segment.index.ask(|index| index.seek_point_before_time(time));
        let seek_point = seek_point.map_err(|error| segment.unreadable(error))?;
        let from = seek_point.map_or(Position::ZERO, |seek_point| seek_point.position);
        let mut events = SegmentScan::after(segment, from, self.salt)?;
        while let Some(event) = events.next()? {
            if event.time >= time {
                return Ok(Some(event.position));
            }
        }
        Ok(None)
    }
}

fn before(position: Position) -> Position {
    Position(position.0.saturating_sub(1))
}

fn kept_postings<'a>(
    list: &'a SegmentList,
    ranges: &[ColdRange],
) -> Result<Vec<KeptPostings<'a>>, EngineError> {
    let mut kept_postings = Vec::new();
    for ColdRange { life, after, upto } in ranges {
        let (first, last) = (number_of(list, *after), number_of(list, *upto));
        for segment in list.get(first..=last).unwrap_or_default() {
            let found = segment.index.ask(|index| {
                let Some(postings) = index.postings(StreamEpoch(*life))? else { return Ok(None) };
                let (kept_from, kept_upto) = (index.upto(&postings, *after)?, index.upto(&postings, *upto)?);
                Ok(Some(KeptPostings { segment, postings, kept_from, kept_upto }))
            });
            kept_postings.extend(found.map_err(|error: IndexError| segment.unreadable(error))?);
        }
    }
    Ok(kept_postings)
}

impl KeptPostings<'_> {
    /// How many kept and cold events of the life are here after `position`.
    fn after(&self, position: Position) -> Result<u32, EngineError> {
        if position < self.postings.first {
            return Ok(self.kept_upto.saturating_sub(self.kept_from));
        }
        if position >= self.postings.last {
            return Ok(0);
        }
        let upto = self.segment.index.ask(|index| index.upto(&self.postings, position));
        let upto = upto.map_err(|error| self.segment.unreadable(error))?;
        Ok(self.kept_upto.saturating_sub(upto.max(self.kept_from)))
    }
}

//! Finding a place among cold events.
//!
//! Invariant: a way back through the log goes from mark to mark of the index, one at a time, so that others can have
//! the thread between. Does not know which events are kept.

use largesse_log::{EngineError, Position, StreamName, UnixMs, state::ColdRange};

use super::{ColdReader, SegmentWalk};
use crate::{
    index::{IndexError, Postings, StreamEpoch},
    segments::{Segment, SegmentList, number_of},
};

/// What one life has in one segment, of what is kept.
struct Stand<'a> {
    segment: &'a Segment,
    postings: Postings,
    /// The entries of the posting list that are kept and cold: from this one on, up to before that. What comes after
    /// may still be in memory, and was counted there.
    kept_from: u32,
    kept_upto: u32,
}

impl ColdReader {
    /// The last position after which these have so many events.
    pub(crate) fn last_with(&self, ranges: &[ColdRange], events: u64) -> Result<Position, EngineError> {
        let list = self.list();
        let stands = stands(&list, ranges)?;
        let has_enough = |position: Position| -> Result<bool, EngineError> {
            let mut left = events;
            for stand in &stands {
                left = left.saturating_sub(u64::from(stand.after(position)?));
                if left == 0 {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        // There are enough after `low`, and fewer after `high`.
        let last = ranges.iter().map(|range| range.upto.0).max();
        let (mut low, mut high) = (0, last.unwrap_or(0));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if has_enough(Position(middle))? { low = middle } else { high = middle - 1 }
        }
        Ok(Position(low))
    }

    /// Visits the events from the last mark at or before `upto` up to there. Answers where the mark is.
    pub(crate) fn walk_stretch(
        &self,
        upto: Position,
        mut visit: impl FnMut(StreamName, Position),
    ) -> Result<Option<Position>, EngineError> {
        let list = self.list();
        for segment in list.iter().take(number_of(&list, upto) + 1).rev() {
            let mark = segment.index.ask(|index| index.mark_upto(upto));
            let Some(mark) = mark.map_err(|error| segment.unreadable(error))? else { continue };
            let mut events = SegmentWalk::after(segment, before(mark.position), self.salt)?;
            while let Some(event) = events.next()?.filter(|event| event.position <= upto) {
                visit(event.stream, event.position);
            }
            return Ok(Some(mark.position));
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
        let mark = segment.index.ask(|index| index.mark_before_time(time));
        let mark = mark.map_err(|error| segment.unreadable(error))?;
        let from = mark.map_or(Position::ZERO, |mark| mark.position);
        let mut steps = SegmentWalk::after(segment, from, self.salt)?;
        while let Some(event) = steps.next()? {
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

fn stands<'a>(list: &'a SegmentList, ranges: &[ColdRange]) -> Result<Vec<Stand<'a>>, EngineError> {
    let mut stands = Vec::new();
    for ColdRange { life, after, upto } in ranges {
        let (first, last) = (number_of(list, *after), number_of(list, *upto));
        for segment in list.get(first..=last).unwrap_or_default() {
            let found = segment.index.ask(|index| {
                let Some(postings) = index.postings(StreamEpoch(*life))? else { return Ok(None) };
                let (kept_from, kept_upto) = (index.upto(&postings, *after)?, index.upto(&postings, *upto)?);
                Ok(Some(Stand { segment, postings, kept_from, kept_upto }))
            });
            stands.extend(found.map_err(|error: IndexError| segment.unreadable(error))?);
        }
    }
    Ok(stands)
}

impl Stand<'_> {
    /// How many kept and cold events of the life stand here after `position`.
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

//! The cold records of many streams, found by walking the log's own order.
//!
//! Invariant: one step of a walk is bounded; where it stops, the next goes on. What was met is judged by the
//! state afterwards, so that what was dropped meanwhile is told as lost; what follows in memory is found in the
//! same look.

use std::{collections::VecDeque, sync::Arc};

use largesse_log::{
    Batch, EngineError, Place, Position, ReadLimits, Record, Selection, Stopped, UnixMs,
    state::{BatchBuilder, Fit, Found, Judged, Walked},
};

use super::{ColdError, ColdEvents, WALK_EVENTS_MAX, Wanted, coalesced_read::CoalescedRead};
use crate::{
    scan::EventSpot,
    segments::{Segment, number_of},
    walk::SegmentWalk,
};

/// So many events of the selection are expected not to be kept any more.
const NOT_KEPT: usize = 256;
/// And so many bytes of them.
const NOT_KEPT_BYTES: u64 = 32 * 1024;

/// What one step of a walk met.
pub(crate) struct Walk {
    /// The events of the selection.
    pub(crate) walked: Vec<Walked>,
    /// Where each of them is.
    met: Vec<Met>,
    /// Everything up to here was looked at.
    pub(crate) upto: Position,
    looks_left: usize,
    matches_max: usize,
    /// What the events of the selection may still have: their frames, so somewhat more than their data.
    bytes_left: u64,
}

struct Met {
    segment: Arc<Segment>,
    time: UnixMs,
    spot: EventSpot,
}

impl Walk {
    /// Begins at a place.
    pub(crate) fn from(place: Place, limits: ReadLimits) -> Self {
        Self {
            walked: Vec::new(),
            met: Vec::new(),
            upto: place.position(),
            looks_left: WALK_EVENTS_MAX,
            matches_max: limits.records_max.get().saturating_add(NOT_KEPT),
            bytes_left: limits.bytes_max.saturating_add(NOT_KEPT_BYTES),
        }
    }

    fn wanted(&self) -> impl Iterator<Item = Wanted<'_>> {
        self.walked.iter().zip(&self.met).map(|(event, met)| Wanted {
            segment: &met.segment,
            stream: &event.stream,
            position: event.position,
            time: met.time,
            spot: met.spot,
        })
    }

    /// Whether it has met or looked at as much as one step may.
    pub(crate) fn is_full(&self) -> bool {
        self.looks_left == 0 || self.walked.len() >= self.matches_max || self.bytes_left == 0
    }
}

impl ColdEvents {
    /// Takes a walk along the log on, up to `reach` or until it is full.
    pub(crate) fn walk_on(
        &self,
        walk: &mut Walk,
        selection: &Selection,
        reach: Position,
    ) -> Result<(), EngineError> {
        let after = walk.upto;
        let list = self.list();
        for segment in &list[number_of(&list, after)..] {
            let mut steps = SegmentWalk::after(segment, after, self.salt)?;
            while let Some(event) = steps.next()? {
                if event.position > reach {
                    walk.upto = reach;
                    return Ok(());
                }
                if walk.is_full() {
                    return Ok(());
                }
                walk.looks_left -= 1;
                walk.upto = event.position;
                if selection.matches(&event.stream) {
                    walk.bytes_left = walk.bytes_left.saturating_sub(event.spot.bytes.into());
                    walk.met.push(Met { segment: Arc::clone(segment), time: event.time, spot: event.spot });
                    walk.walked.push(Walked { stream: event.stream, position: event.position });
                }
            }
        }
        walk.upto = reach;
        Ok(())
    }

    /// Reads what was met and is kept, and goes on with what follows in memory.
    pub(crate) fn read_walk(
        &self,
        walk: &Walk,
        judged: Judged,
        limits: ReadLimits,
    ) -> Result<Batch, ColdError> {
        let Judged { kept, ends, lost, horizon, rest } = judged;
        let mut ends = VecDeque::from(ends);
        let mut builder = BatchBuilder::new(limits);
        let mut fit = Fit::Taken;
        let mut coalesced = CoalescedRead::default();
        let kept: Vec<_> = walk.wanted().zip(kept).filter_map(|(event, slow)| Some((event, slow?))).collect();
        for (number, (wanted, slow)) in kept.iter().enumerate() {
            fit = builder.take_ends(&mut ends, wanted.position);
            if fit == Fit::Full || builder.is_full() {
                fit = Fit::Full;
                break;
            }
            let following = kept[number + 1..].iter().map(|(wanted, _)| wanted);
            let following = following.take_while(|other| other.segment.id == wanted.segment.id);
            let spots = following.take(limits.records_max.get()).map(|wanted| wanted.spot);
            // Where that fails, reading the event alone says why.
            let _ = coalesced.read(wanted.segment, wanted.spot, spots, builder.bytes_left());
            if let Some(event) = self.event(wanted, &coalesced)? {
                fit = builder.take(Record::Event { event, slow: *slow });
            }
            if fit == Fit::Full {
                break;
            }
        }
        if fit == Fit::Taken {
            fit = builder.take_ends(&mut ends, walk.upto.next());
        }
        let Found { records, upto, stopped } = match (fit, rest) {
            (Fit::Full, _) => builder.full(),
            (Fit::Taken, Some(rest)) => builder.followed_by(rest),
            (Fit::Taken, None) => builder.upto(walk.upto, Stopped::Limits),
        };
        Ok(Batch { records, upto, stopped, lost, horizon })
    }
}

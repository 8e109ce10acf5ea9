//! The old records of many streams, found by walking the log's own order.
//!
//! Invariant: one step of a walk is bounded; where it stops, the next goes on. What was met is judged by the
//! state afterwards, so that what was dropped meanwhile is told as lost.

use std::{collections::VecDeque, sync::Arc};

use largesse_log::{
    Batch, EngineError, Place, Position, ReadLimits, Record, Selection, Stopped, UnixMs,
    state::{Fit, Found, Judged, Taken, Walked},
};

use super::{OldError, OldEvents, WALK_EVENTS_MAX};
use crate::{
    scan::EventSpot,
    segments::{Segment, number_of},
    walk::SegmentWalk,
};

/// So many events of the selection are expected not to be kept any more.
const NOT_KEPT: usize = 256;

/// What one step of a walk met.
pub(crate) struct Walk {
    /// The events of the selection.
    pub(crate) walked: Vec<Walked>,
    /// Where each of them is.
    met: Vec<Met>,
    /// Everything up to here was looked at.
    pub(crate) upto: Position,
}

struct Met {
    segment: Arc<Segment>,
    time: UnixMs,
    spot: EventSpot,
}

impl OldEvents {
    /// Takes one step along the log from `place`, as far as `reach`.
    pub(crate) fn walk(
        &self,
        selection: &Selection,
        place: Place,
        reach: Position,
        limits: ReadLimits,
    ) -> Result<Walk, EngineError> {
        let after = place.position();
        let list = self.list();
        let mut walk = Walk { walked: Vec::new(), met: Vec::new(), upto: after };
        let mut looks_left = WALK_EVENTS_MAX;
        let matches_max = limits.records_max.get().saturating_add(NOT_KEPT);
        for segment in &list[number_of(&list, after)..] {
            let mut steps = SegmentWalk::after(segment, after, self.salt)?;
            while let Some(event) = steps.next()? {
                if event.position > reach {
                    walk.upto = reach;
                    return Ok(walk);
                }
                if looks_left == 0 || walk.walked.len() >= matches_max {
                    return Ok(walk);
                }
                looks_left -= 1;
                walk.upto = event.position;
                if selection.matches(&event.stream) {
                    walk.met.push(Met { segment: Arc::clone(segment), time: event.time, spot: event.spot });
                    walk.walked.push(Walked { stream: event.stream, position: event.position });
                }
            }
        }
        walk.upto = reach;
        Ok(walk)
    }

    /// Reads what was met and is kept.
    pub(crate) fn read_walk(
        &self,
        walk: &Walk,
        judged: Judged,
        limits: ReadLimits,
    ) -> Result<Batch, OldError> {
        let Judged { kept, ends, lost, horizon, reach } = judged;
        let mut ends = VecDeque::from(ends);
        let mut taken = Taken::new(limits);
        let mut fit = Fit::Taken;
        for ((walked, met), slow) in walk.walked.iter().zip(&walk.met).zip(kept) {
            let Some(slow) = slow else { continue };
            fit = taken.take_ends(&mut ends, walked.position);
            if fit == Fit::Full || taken.is_full() {
                fit = Fit::Full;
                break;
            }
            let Met { segment, time, spot } = met;
            if let Some(event) = self.event_at(segment, &walked.stream, walked.position, *time, *spot)? {
                fit = taken.take(Record::Event { event, slow });
            }
            if fit == Fit::Full {
                break;
            }
        }
        if fit == Fit::Taken {
            fit = taken.take_ends(&mut ends, walk.upto.next());
        }
        // The tail may have moved on since the walk.
        let is_tail = reach.stopped == Stopped::Tail && reach.upto == walk.upto;
        let Found { records, upto, stopped } = match fit {
            Fit::Full => taken.full(),
            Fit::Taken if is_tail => taken.upto(walk.upto, Stopped::Tail),
            Fit::Taken => taken.upto(walk.upto, Stopped::Limits),
        };
        Ok(Batch { records, upto, stopped, lost, horizon })
    }
}

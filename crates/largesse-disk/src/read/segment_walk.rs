//! The events of one segment, in log order, from a position on.
//!
//! Invariant: only events of steps that were taken, and not refused. Whether they are kept is not known here.

use std::sync::Arc;

use largesse_log::{EngineError, Position};

use crate::{
    format::{
        frame::Salt,
        scan::{EventScan, ScannedEvent, Step},
        segment::HEADER_BYTES,
    },
    segments::Segment,
};

/// A walk under way.
pub(crate) struct SegmentWalk<'a> {
    segment: &'a Segment,
    scan: EventScan,
    after: Position,
}

impl<'a> SegmentWalk<'a> {
    /// Begins before the first event after `after`.
    pub(crate) fn after(segment: &'a Segment, after: Position, salt: Salt) -> Result<Self, EngineError> {
        let mark = segment.index.ask(|index| index.mark_upto(after));
        let mark = mark.map_err(|error| segment.unreadable(error))?;
        let at = mark.map_or(HEADER_BYTES as u64, |mark| mark.at);
        let scan = EventScan::new(Arc::clone(&segment.file), salt, at, segment.bytes());
        let scan = scan.map_err(|error| segment.unreadable(error))?;
        Ok(Self { segment, scan, after })
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Result<Option<ScannedEvent>, EngineError> {
        loop {
            match self.scan.next_event().map_err(|error| self.segment.unreadable(error))? {
                Step::Next(event) if event.position <= self.after => {}
                Step::Next(event) if self.segment.is_refused(event.position) => {}
                Step::Next(event) => return Ok(Some(event)),
                Step::End => return Ok(None),
                Step::Broken(broken) => return Err(self.segment.unreadable(broken)),
            }
        }
    }
}

//! The events of one segment, in log order, from a position on.
//!
//! Invariant: returns only events of applied commands, without void ranges. Does not know whether they are kept.

use std::sync::Arc;

use largesse_log::{EngineError, Position};

use crate::{
    format::{
        frame::Salt,
        scan::{EventScan, Scanned, ScannedEvent},
        segment::HEADER_BYTES,
    },
    segments::Segment,
};

/// A scan in progress.
pub(crate) struct SegmentScan<'a> {
    segment: &'a Segment,
    scan: EventScan,
    after: Position,
}

impl<'a> SegmentScan<'a> {
    /// Begins before the first event after `after`.
    pub(crate) fn after(segment: &'a Segment, after: Position, salt: Salt) -> Result<Self, EngineError> {
        let seek_point = segment.index.ask(|index| index.seek_point_upto(after));
        let seek_point = seek_point.map_err(|error| segment.unreadable(error))?;
        let at = seek_point.map_or(HEADER_BYTES as u64, |seek_point| seek_point.at);
        let scan = EventScan::new(Arc::clone(&segment.file), salt, at, segment.bytes());
        let scan = scan.map_err(|error| segment.unreadable(error))?;
        Ok(Self { segment, scan, after })
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Result<Option<ScannedEvent>, EngineError> {
        loop {
            match self.scan.next_event().map_err(|error| self.segment.unreadable(error))? {
                Scanned::Next(event) if event.position <= self.after => {}
                Scanned::Next(event) if self.segment.is_void(event.position) => {}
                Scanned::Next(event) => return Ok(Some(event)),
                Scanned::End => return Ok(None),
                Scanned::Broken(broken) => return Err(self.segment.unreadable(broken)),
            }
        }
    }
}

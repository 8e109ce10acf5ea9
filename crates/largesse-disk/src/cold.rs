//! Reading what is not in memory any more.
//!
//! Invariants: nothing here holds the state's lock while it reads; which events are kept is said by a look at
//! the state, before the reading for a few lives and after it for a walk. Every event's checksum is looked at
//! before it is given away. The work of one call is bounded by its limits and by [`WALK_EVENTS_MAX`].

mod coalesced_read;
mod locate;
mod merge;
mod stubs;
mod walk;

pub(crate) use walk::Walk;

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use largesse_log::{EngineError, Event, Position, StreamName, UnixMs};

use coalesced_read::CoalescedRead;

use crate::{
    frame::Salt,
    scan::{EventSpot, ReadError, event_in, read_event},
    segments::{Segment, SegmentList, Segments},
};

/// How many events one step of a walk looks at.
const WALK_EVENTS_MAX: usize = 16 * 1024;

/// How many broken events are remembered. With more, the disk is to be replaced.
pub(crate) const DAMAGED_MAX: usize = 64 * 1024;

/// The segments, as readers see them.
pub(crate) struct ColdEvents {
    segments: Arc<Segments>,
    salt: Salt,
    /// Broken events whose loss is recorded: they are passed over.
    damaged: RwLock<BTreeSet<Position>>,
}

/// An event that is to be read.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    segment: &'a Segment,
    stream: &'a StreamName,
    position: Position,
    time: UnixMs,
    spot: EventSpot,
}

/// Why cold events could not be read.
#[derive(Debug)]
pub(crate) enum ColdError {
    Engine(EngineError),
    /// An event is not what was written. Its loss is to be recorded, and the read to be made again.
    Damaged {
        stream: StreamName,
        position: Position,
        error: EngineError,
    },
}

impl From<EngineError> for ColdError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl ColdEvents {
    pub(crate) fn new(segments: Arc<Segments>, salt: Salt) -> Self {
        Self { segments, salt, damaged: RwLock::default() }
    }

    /// Passes over an event from now on.
    ///
    /// # Errors
    /// When there are too many of them.
    pub(crate) fn pass_over(&self, position: Position) -> Result<(), EngineError> {
        let mut damaged = self.damaged.write().unwrap_or_else(PoisonError::into_inner);
        if damaged.len() >= DAMAGED_MAX {
            let reason = format!("more than {DAMAGED_MAX} events are broken");
            return Err(EngineError::Unreadable { reason });
        }
        damaged.insert(position);
        Ok(())
    }

    fn is_passed_over(&self, position: Position) -> bool {
        self.damaged.read().unwrap_or_else(PoisonError::into_inner).contains(&position)
    }

    fn list(&self) -> SegmentList {
        self.segments.all()
    }

    /// An event, from the coalesced read if it is there; `None` for one that is broken and told as lost.
    fn event(&self, wanted: &Wanted<'_>, coalesced: &CoalescedRead) -> Result<Option<Arc<Event>>, ColdError> {
        let Wanted { segment, stream, position, time, spot } = *wanted;
        if self.is_passed_over(position) {
            return Ok(None);
        }
        let event = match coalesced.frame(segment, spot) {
            Some(frame) => event_in(frame, spot.at, self.salt, stream, position, time),
            None => read_event(&*segment.file, spot, self.salt, stream, position, time),
        };
        match event {
            Ok(event) => Ok(Some(Arc::new(event))),
            Err(error @ ReadError::Io { .. }) => Err(segment.unreadable(error).into()),
            Err(error @ ReadError::Corrupt { .. }) => {
                let why = format_args!("{error}; it is the event {} of {stream}", position.0);
                Err(ColdError::Damaged { stream: stream.clone(), position, error: segment.unreadable(why) })
            }
        }
    }
}

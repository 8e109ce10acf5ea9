//! Reads cold events.
//!
//! Invariants: nothing here holds the state's lock while it reads; callers ask the state which events are kept.
//! Every event's checksum is verified before it is returned.

mod coalesced_read;
mod locate;
pub(crate) mod pool;
mod segment_scan;
mod stubs;

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::{Arc, PoisonError, RwLock},
};

use largesse_log::{
    EngineError, Event, Position, StreamName,
    state::{ColdEvent, Stub},
};

pub(crate) use coalesced_read::CoalescedRead;
pub(crate) use segment_scan::SegmentScan;
use stubs::run_in;

use crate::{
    format::{
        frame::{Salt, counted_bytes_of},
        scan::{EventSpot, ReadError, ScannedEvent, event_in, read_event},
    },
    index::{Entry, StreamEpoch},
    segments::{Segment, SegmentList, Segments, number_of},
};

/// How many broken events are remembered. With more, replace the disk.
pub(crate) const DAMAGED_MAX: usize = 64 * 1024;

/// Reads the segments.
pub(crate) struct ColdReader {
    segments: Arc<Segments>,
    salt: Salt,
    /// Broken events whose loss is recorded: they are skipped.
    damaged: RwLock<BTreeSet<Position>>,
}

/// Where an event's text is.
#[derive(Clone)]
pub(crate) struct Spot {
    segment: Arc<Segment>,
    spot: EventSpot,
}

/// Why cold events could not be read.
#[derive(Debug)]
pub(crate) enum ColdError {
    Engine(EngineError),
    /// An event is broken. Record its loss, and retry the read.
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

impl From<ColdError> for EngineError {
    fn from(error: ColdError) -> Self {
        match error {
            ColdError::Engine(error) | ColdError::Damaged { error, .. } => error,
        }
    }
}

impl ColdReader {
    pub(crate) fn new(segments: Arc<Segments>, salt: Salt) -> Self {
        Self { segments, salt, damaged: RwLock::default() }
    }

    /// Skips an event from now on.
    ///
    /// # Errors
    /// There are too many of them.
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

    /// The events of one life after `after`, from the first segment that has some.
    pub(crate) fn run(
        &self,
        life: Position,
        after: Position,
        events_max: usize,
    ) -> Result<Vec<ColdEvent<Spot>>, EngineError> {
        let list = self.list();
        for segment in &list[number_of(&list, after)..] {
            let run = run_in(segment, StreamEpoch(life), after, events_max);
            let run = run.map_err(|error| segment.unreadable(error))?;
            if !run.is_empty() {
                return Ok(run.iter().map(|entry| entered(segment, entry)).collect());
            }
        }
        Ok(Vec::new())
    }

    pub(crate) fn scan_events(
        &self,
        after: Position,
        mut visit: impl FnMut(StreamName, ColdEvent<Spot>) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let list = self.list();
        for segment in &list[number_of(&list, after)..] {
            let mut events = SegmentScan::after(segment, after, self.salt)?;
            while let Some(event) = events.next()? {
                let (stream, event) = scanned(segment, event);
                if visit(stream, event).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// An event, read together with following ones that are near it; `None` for a broken one whose loss is
    /// recorded.
    pub(crate) fn event<'a>(
        &self,
        stream: &StreamName,
        event: &ColdEvent<Spot>,
        next: impl Iterator<Item = &'a ColdEvent<Spot>>,
        coalesced: &mut CoalescedRead,
        bytes_max: u64,
    ) -> Result<Option<Arc<Event>>, ColdError> {
        let ColdEvent { stub: Stub { position, time, .. }, spot: Spot { segment, spot } } = event;
        if self.is_passed_over(*position) {
            return Ok(None);
        }
        let following = next.map(|event| &event.spot).take_while(|next| next.segment.id == segment.id);
        // If that fails, reading the event alone reports why.
        let _ = coalesced.read(segment, *spot, following.map(|next| next.spot), bytes_max);
        let read = match coalesced.frame(segment, *spot) {
            Some(frame) => event_in(frame, spot.at, self.salt, stream, *position, *time),
            None => read_event(&*segment.file, *spot, self.salt, stream, *position, *time),
        };
        match read {
            Ok(event) => Ok(Some(Arc::new(event))),
            Err(error @ ReadError::Io { .. }) => Err(segment.unreadable(error).into()),
            Err(error @ ReadError::Corrupt { .. }) => {
                let why = format_args!("{error}; it is the event {} of {stream}", position.0);
                let (stream, error) = (stream.clone(), segment.unreadable(why));
                Err(ColdError::Damaged { stream, position: *position, error })
            }
        }
    }
}

fn entered(segment: &Arc<Segment>, entry: &Entry) -> ColdEvent<Spot> {
    let spot = EventSpot { at: entry.at, bytes: entry.bytes };
    ColdEvent { stub: stubs::stub(entry), spot: Spot { segment: Arc::clone(segment), spot } }
}

fn scanned(segment: &Arc<Segment>, event: ScannedEvent) -> (StreamName, ColdEvent<Spot>) {
    let ScannedEvent { stream, position, time, spot, .. } = event;
    let stub = Stub { position, time, counted_bytes: u64::from(counted_bytes_of(spot.bytes)) };
    (stream, ColdEvent { stub, spot: Spot { segment: Arc::clone(segment), spot } })
}

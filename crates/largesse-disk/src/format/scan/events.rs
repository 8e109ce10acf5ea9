//! Scans the events of a segment, in log order, without their text.
//!
//! It also works in compacted segments, and skips groups and commands without events. It reads only the heads of
//! events: [`super::read_event`] verifies the rest.
//!
//! Invariants: an event is returned only if its head's checksum over all its events holds; so a broken length never
//! moves an event to another position. Does not know whether an append was rejected when it was applied: callers
//! check for void ranges and for what is kept.

use std::{io, sync::Arc};

use largesse_log::{Position, StreamName, UnixMs};

use super::{
    EventSpot, Scanned,
    window::{Stop, Window, Zeros},
};
use crate::{
    format::{
        command::{AppendHead, EventsHead, KeptHead},
        frame::{EVENT_FRAME_BYTES_MIN, EventsCheck, Fault, Kind, Salt},
    },
    io::DiskFile,
};

/// An event without its text, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedEvent {
    /// The offset of its head: a scan can begin there.
    pub head_at: u64,
    /// Its stream.
    pub stream: StreamName,
    /// Its position.
    pub position: Position,
    /// Its time.
    pub time: UnixMs,
    /// Where its frame is.
    pub spot: EventSpot,
}

/// A scan over a segment's events.
pub struct EventScan {
    window: Window,
    salt: Salt,
    /// Where the scan continues after `current`.
    at: u64,
    current: Option<HeadEvents>,
}

/// A head, and its events that were not returned yet.
struct HeadEvents {
    head_at: u64,
    head: KeptHead,
    given: usize,
    spots: Vec<EventSpot>,
}

impl EventScan {
    /// Scans from `from`, where a group or a command begins, up to `upto`: the end of the file, or of its durable
    /// part. A file that ends before `upto` is broken there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn new(file: Arc<dyn DiskFile>, salt: Salt, from: u64, upto: u64) -> io::Result<Self> {
        Ok(Self { window: Window::new(file, upto)?, salt, at: from, current: None })
    }

    /// Treats zeros up to the end as the end, like [`super::Scan::ending_at_zeros`].
    #[must_use]
    pub fn ending_at_zeros(mut self) -> Self {
        self.window.set_zeros(Zeros::End);
        self
    }

    /// The next event. After anything else, further calls return the same.
    ///
    /// # Errors
    /// Those of the disk. The scan stays where it is, and can be retried.
    pub fn next_event(&mut self) -> io::Result<Scanned<ScannedEvent>> {
        loop {
            if let Some(event) = self.current.as_mut().and_then(HeadEvents::next) {
                return Ok(Scanned::Next(event));
            }
            if self.window.is_at_end(self.at) {
                return Ok(Scanned::End);
            }
            let whole_upto = self.at;
            if let Err(stop) = self.read_frame(whole_upto) {
                return self.window.stopped(stop, whole_upto);
            }
        }
    }

    /// Reads the frame at `at`, and the events after it if it is a head. Advances past them.
    fn read_frame(&mut self, at: u64) -> Result<(), Stop> {
        let end = self.window.end();
        let frame = self.window.frame(at, end, self.salt)?;
        let next = at + frame.bytes();
        let head = match frame.kind {
            Kind::Append => AppendHead::decode(frame.body).map(|head| Some(kept(head))),
            Kind::Kept => KeptHead::decode(frame.body).map(Some),
            Kind::Group
            | Kind::Claim
            | Kind::Put
            | Kind::Delete
            | Kind::Sweep
            | Kind::Limits
            | Kind::Damage => Ok(None),
            // An event without a head, or a kind of checkpoints.
            kind => Err(Fault::Misplaced { kind }),
        };
        let (current, next) = match head.map_err(|what| Stop::broken(at, what))? {
            None => (None, next),
            Some((head, events)) => {
                let (spots, next) = self.read_spots(at, next, events)?;
                (Some(HeadEvents { head_at: at, head, given: 0, spots }), next)
            }
        };
        (self.current, self.at) = (current, next);
        Ok(())
    }

    /// Where the events of the head at `head_at` are, from `next` on, and where the next frame is.
    fn read_spots(
        &mut self,
        head_at: u64,
        mut next: u64,
        events: EventsHead,
    ) -> Result<(Vec<EventSpot>, u64), Stop> {
        let end = self.window.end();
        // Don't trust a head's count: allocate no more than the file can have.
        let most = (end - next) / EVENT_FRAME_BYTES_MIN as u64;
        let mut spots = Vec::with_capacity(u64::from(events.count).min(most) as usize);
        let mut check = EventsCheck::start(self.salt);
        while spots.len() < events.count as usize {
            let head = self.window.frame_head(next, end)?;
            let bytes = head.frame_bytes().map_err(|what| Stop::broken(next, what))?;
            check.push(&head);
            spots.push(EventSpot { at: next, bytes });
            next += u64::from(bytes);
        }
        events.hold(check).map_err(|what| Stop::broken(head_at, what))?;
        // The checksum proves the lengths, but not that the file has the last event.
        if next > end {
            return Err(Stop::broken(head_at, Fault::Cut));
        }
        Ok((spots, next))
    }
}

/// An append's head as that of kept events.
fn kept(head: AppendHead) -> (KeptHead, EventsHead) {
    let AppendHead { stamp, events, stream, .. } = head;
    (KeptHead { base: stamp.base, time: stamp.time, stream }, events)
}

impl HeadEvents {
    fn next(&mut self) -> Option<ScannedEvent> {
        let spot = *self.spots.get(self.given)?;
        // Positions that were read are below half of the range.
        let position = Position(self.head.base.0 + self.given as u64);
        self.given += 1;
        let KeptHead { time, stream, .. } = &self.head;
        Some(ScannedEvent { head_at: self.head_at, stream: stream.clone(), position, time: *time, spot })
    }
}

//! The heads before events: of an append, and of events that a compaction kept.
//!
//! ```text
//! 2 Append  stamp | events | stream | then | once
//! 9 Kept    base position | time u64 | events | stream
//!   events  how many u32 | check u64, over the frames of the events (`frame/events.rs`)
//! ```
//!
//! The position of a head's n-th event, from 0, is its base plus n. The fields are in `command/fields.rs`.
//!
//! Invariant: a head says how many events follow, and which. Does not know whether the append was rejected when it
//! was applied.

use largesse_log::{Author, Once, Position, StreamName, Then, UnixMs, state::Stamp};

use super::fields::{Field, Fields};
use crate::format::frame::{EncodedEvents, EventsCheck, Fault, Kind, Salt, write_frame};

/// What a head says about its events' frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventsHead {
    pub(crate) count: u32,
    pub(crate) check: EventsCheck,
}

impl EventsHead {
    pub(crate) fn of(events: &EncodedEvents) -> Self {
        // No frame is empty, and together they have at most 2^30 bytes.
        Self { count: events.frames().len() as u32, check: events.check() }
    }
}

impl Field for EventsHead {
    fn put(&self, out: &mut Vec<u8>) {
        self.count.put(out);
        self.check.0.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self { count: Field::take(from)?, check: EventsCheck(Field::take(from)?) })
    }
}

/// An append without its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppendHead {
    pub(crate) stamp: Stamp,
    pub(crate) events: EventsHead,
    pub(crate) stream: StreamName,
    pub(crate) then: Then,
    pub(crate) author: Author,
    pub(crate) once: Once,
}

impl AppendHead {
    /// Reads the body of a frame of the kind [`Kind::Append`].
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Fault> {
        let mut from = Fields::of(body);
        let from = &mut from;
        let (stamp, events, stream) = (Field::take(from)?, Field::take(from)?, Field::take(from)?);
        let (then, author) = Field::take(from)?;
        let head = Self { stamp, events, stream, then, author, once: Field::take(from)? };
        from.end()?;
        Ok(head)
    }
}

/// The head of events of one stream with consecutive positions and one time, in a compacted segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHead {
    /// The position of the first.
    pub base: Position,
    /// The time of all of them.
    pub time: UnixMs,
    /// Their stream.
    pub stream: StreamName,
}

impl KeptHead {
    /// Writes the head to the end of `out`. The frames of `events` have to follow it.
    pub fn encode(&self, out: &mut Vec<u8>, salt: Salt, events: &EncodedEvents) {
        write_frame(out, salt, Kind::Kept, |out| {
            self.base.put(out);
            self.time.put(out);
            EventsHead::of(events).put(out);
            self.stream.put(out);
        });
    }

    /// Reads the body of a frame of the kind [`Kind::Kept`].
    pub(crate) fn decode(body: &[u8]) -> Result<(Self, EventsHead), Fault> {
        let mut from = Fields::of(body);
        let from = &mut from;
        let (base, time) = (Field::take(from)?, Field::take(from)?);
        let events = Field::take(from)?;
        let head = Self { base, time, stream: Field::take(from)? };
        from.end()?;
        Ok((head, events))
    }
}

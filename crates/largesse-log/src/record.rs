//! The records of the log: events, and the ends of streams.
//!
//! Invariant: an event is checked before it is made (`EventName`, `EventData`), so writing it out
//! can neither fail nor forge. Does not know how a record is stored or sent.

use std::sync::Arc;

use largesse_wire::{EventData, EventName};

use crate::{Position, Slow, StreamName, UnixMs};

/// An event from a publisher, which has no position yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The value of the `event:` line; `None` is the default name, `message`.
    pub name: Option<EventName>,
    /// The text.
    pub data: EventData,
}

impl NewEvent {
    /// Bytes that retention counts for this event: its data, its name and a fixed overhead.
    #[must_use]
    pub fn counted_bytes(&self) -> u64 {
        counted_bytes(self.name.as_ref(), &self.data)
    }
}

fn counted_bytes(name: Option<&EventName>, data: &EventData) -> u64 {
    let name_bytes = name.map_or(0, |name| name.as_str().len());
    (data.as_str().len() + name_bytes) as u64 + EVENT_OVERHEAD_BYTES
}

/// What retention counts for an event besides its text: about the memory of an entry and its places in
/// the indexes.
pub const EVENT_OVERHEAD_BYTES: u64 = 128;

/// An event as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The stream it is on.
    pub stream: StreamName,
    /// Its place in the log.
    pub position: Position,
    /// When it was appended; never before the event at any earlier position.
    pub time: UnixMs,
    /// The value of the `event:` line; `None` is the default name, `message`.
    pub name: Option<EventName>,
    /// The text.
    pub data: EventData,
}

impl Event {
    /// Bytes that retention counts for this event, as [`NewEvent::counted_bytes`].
    #[must_use]
    pub fn counted_bytes(&self) -> u64 {
        counted_bytes(self.name.as_ref(), &self.data)
    }
}

/// Why a stream ended. The words are used in `event: end` and `event: closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// A publisher closed it: all its events came before.
    Closed,
    /// It was removed, with its events.
    Deleted,
}

impl EndReason {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Deleted => "deleted",
        }
    }
}

/// One record, as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An event, and its stream's policy for readers that fall behind.
    Event {
        /// The event, shared by all its readers.
        event: Arc<Event>,
        /// The stream's policy at the time of the read.
        slow: Slow,
    },
    /// The end of a stream.
    End {
        /// The stream that ended.
        stream: StreamName,
        /// The end's own place in the log.
        position: Position,
        /// Why.
        reason: EndReason,
    },
}

impl Record {
    /// The record's place in the log.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Event { event, .. } => event.position,
            Self::End { position, .. } => *position,
        }
    }

    /// The stream the record is on.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        match self {
            Self::Event { event, .. } => &event.stream,
            Self::End { stream, .. } => stream,
        }
    }
}

//! Where events are that are not in memory any more.
//!
//! Invariant: the archive has every event up to the log's `evicted_upto` that is kept, and may have others. What is
//! kept, the log knows. Does not know retention or readers.

use std::sync::Arc;

use crate::{EngineError, Event, Position, StreamName, UnixMs};

/// What is known of an event without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Its place.
    pub position: Position,
    /// When it was appended.
    pub time: UnixMs,
    /// What it counts ([`Event::counted_bytes`]).
    pub counted_bytes: u64,
}

impl Stub {
    /// Of an event that is in memory.
    pub(super) fn of(event: &Arc<Event>) -> Self {
        Self { position: event.position, time: event.time, counted_bytes: event.counted_bytes() }
    }
}

/// The events up to `evicted_upto`, and who wants to know which of all events are gone.
pub trait Archive: Send {
    /// The first event after `after` of the life that began at `life`.
    ///
    /// # Errors
    /// When it can't be read.
    fn next_of_life(&mut self, life: Position, after: Position) -> Result<Option<Stub>, EngineError>;

    /// The stream and the place of the first event after `after`, of any life.
    ///
    /// # Errors
    /// When it can't be read.
    fn next_in_order(&mut self, after: Position) -> Result<Option<(StreamName, Position)>, EngineError>;

    /// An event is kept no more.
    fn dropped(&mut self, event: Stub);

    /// No event of a life is kept any more.
    fn retired(&mut self, life: Position);
}

/// The archive of a log that is in memory altogether.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoArchive;

impl Archive for NoArchive {
    fn next_of_life(&mut self, _: Position, _: Position) -> Result<Option<Stub>, EngineError> {
        Ok(None)
    }

    fn next_in_order(&mut self, _: Position) -> Result<Option<(StreamName, Position)>, EngineError> {
        Ok(None)
    }

    fn dropped(&mut self, _: Stub) {}

    fn retired(&mut self, _: Position) {}
}

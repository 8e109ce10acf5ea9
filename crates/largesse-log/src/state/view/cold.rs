//! The interface through which reads get cold events.
//!
//! All decisions of a read are made in this crate; an engine that keeps events on a disk only finds and reads them.
//! Invariants: nothing here is called while the state's lock is held; the guard from [`ColdEvents::state`] is dropped
//! before a file is used. Does not know files.

use std::{ops::ControlFlow, ops::Deref, sync::Arc};

use crate::{
    EngineError, Event, Position, StreamName, UnixMs,
    state::{LogState, Stub},
};

/// The events of a log that are on a disk, including those that are not kept any more. Its methods wait for the disk.
pub trait ColdEvents {
    /// Where an event's text is.
    type Spot;
    /// What was read ahead for one source.
    type Buffer: Default;
    /// Why something can't be read.
    type Error: From<EngineError>;

    /// The log's state, locked. Don't call the other methods while holding it.
    fn state(&self) -> impl Deref<Target = LogState> + '_;

    /// The next events after `after` of the life that began at `life`: at most `events_max`, at least one if there is
    /// one.
    ///
    /// # Errors
    /// When they can't be read.
    fn run(
        &self,
        life: Position,
        after: Position,
        events_max: usize,
    ) -> Result<Vec<ColdEvent<Self::Spot>>, Self::Error>;

    /// Visits the events after `after` in log order, until `visit` breaks or there are no more.
    ///
    /// # Errors
    /// When they can't be read.
    fn scan(
        &self,
        after: Position,
        visit: impl FnMut(StreamName, ColdEvent<Self::Spot>) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// Visits a range of events that ends with the last event at or before `upto`, in log order. The engine chooses the
    /// size of the range. Returns the position of its first event; `None` when there is no event.
    ///
    /// # Errors
    /// When they can't be read.
    fn scan_back(
        &self,
        upto: Position,
        visit: impl FnMut(StreamName, Position),
    ) -> Result<Option<Position>, Self::Error>;

    /// The last position after which these ranges have `events` events; they have at least that many.
    ///
    /// # Errors
    /// When they can't be read.
    fn last_with(&self, ranges: &[ColdRange], events: u64) -> Result<Position, Self::Error>;

    /// The position of the first event at `time` or later. `None` when all are earlier.
    ///
    /// # Errors
    /// When they can't be read.
    fn first_since(&self, time: UnixMs) -> Result<Option<Position>, Self::Error>;

    /// The event, with its text. `next` are the events wanted after it, some of which may be read ahead into the buffer,
    /// at most `bytes_max` bytes. `None` for a damaged event, whose loss is recorded.
    ///
    /// # Errors
    /// When it can't be read.
    fn event<'a>(
        &self,
        stream: &StreamName,
        event: &ColdEvent<Self::Spot>,
        next: impl Iterator<Item = &'a ColdEvent<Self::Spot>>,
        buffer: &mut Self::Buffer,
        bytes_max: u64,
    ) -> Result<Option<Arc<Event>>, Self::Error>
    where
        Self::Spot: 'a;
}

/// An event on the disk, without its text.
#[derive(Clone, Copy, Debug)]
pub struct ColdEvent<S> {
    /// The event.
    pub stub: Stub,
    /// Where its text is.
    pub spot: S,
}

/// The cold events of one life that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColdRange {
    /// The start of the life.
    pub life: Position,
    /// Events after this.
    pub after: Position,
    /// And up to this.
    pub upto: Position,
}

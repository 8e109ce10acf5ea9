//! What reads ask of the events that are on the disk.
//!
//! Everything that a read decides is decided here, in memory; an engine that moves events to a disk only finds and reads
//! them. Invariants: nothing here is called while the state's lock is held; what [`ColdEvents::state`] gives is given
//! back before a file is used. Does not know files.

use std::{ops::ControlFlow, ops::Deref, sync::Arc};

use crate::{
    EngineError, Event, Position, StreamName, UnixMs,
    state::{LogState, Stub},
};

/// The events of a log that are on a disk, also those that are not kept any more. Its methods wait for the disk.
pub trait ColdEvents {
    /// Where an event's text is.
    type Spot;
    /// What was read of one source beyond what was asked for.
    type Buffer: Default;
    /// Why something can't be read.
    type Error: From<EngineError>;

    /// The log's state, locked. Whoever has it must not call the other methods.
    fn state(&self) -> impl Deref<Target = LogState> + '_;

    /// The next events after `after` of the life that began at `life`: at most so many, at least one if there is one.
    ///
    /// # Errors
    /// When they can't be read.
    fn run(
        &self,
        life: Position,
        after: Position,
        events_max: usize,
    ) -> Result<Vec<ColdEvent<Self::Spot>>, Self::Error>;

    /// Visits the events after `after` in log order, until `visit` breaks off or there are no more.
    ///
    /// # Errors
    /// When they can't be read.
    fn scan(
        &self,
        after: Position,
        visit: impl FnMut(StreamName, ColdEvent<Self::Spot>) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// Visits the events of some stretch that ends with the last event at or before `upto`, in log order. Answers where
    /// the stretch begins; `None` when there is no event.
    ///
    /// # Errors
    /// When they can't be read.
    fn scan_back(
        &self,
        upto: Position,
        visit: impl FnMut(StreamName, Position),
    ) -> Result<Option<Position>, Self::Error>;

    /// The last position after which these have so many events; they do have so many.
    ///
    /// # Errors
    /// When they can't be read.
    fn last_with(&self, ranges: &[ColdRange], events: u64) -> Result<Position, Self::Error>;

    /// The position of the first event at `time` or later. `None` when all are earlier.
    ///
    /// # Errors
    /// When they can't be read.
    fn first_since(&self, time: UnixMs) -> Result<Option<Position>, Self::Error>;

    /// The event, text and all. `next` are those that will be wanted after it, of which some may be read into the
    /// buffer, at most so many bytes. `None` for an event whose loss was recorded because it is broken.
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
    /// Which it is.
    pub stub: Stub,
    /// Where its text is.
    pub spot: S,
}

/// The cold events of one life that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColdRange {
    /// Where the life began.
    pub life: Position,
    /// Events after this.
    pub after: Position,
    /// And up to this.
    pub upto: Position,
}

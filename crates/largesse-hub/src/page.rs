//! One page of history: the events after a place, and where to go on.
//!
//! Invariant: `next` is always a valid place, and pages that follow each other's `next` contain each event
//! once, in order. Does not wait for events, and does not know JSON.

use std::{num::NonZeroUsize, sync::Arc};

use largesse_log::{
    Batch, EngineError, EngineExt, Event, Lost, Place, PlaceKind, Position, ReadLimits, Record, Selection,
    StartFrom, Stopped, WireId,
};
use largesse_wire::EventId;

use crate::{
    Hub, Presented, ResetReason,
    control::ResetNotice,
    start::{self, Found, Standing},
};

/// Data bytes of a page; a single event may be larger and is then alone on its page.
const PAGE_BYTES_MAX: u64 = 1024 * 1024;

/// Which page is requested.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Which streams.
    pub selection: Selection,
    /// The place after which the page begins; `None` for the first page.
    pub after: Option<Presented>,
    /// Where the first page begins. The streams' own `from` applies to connections that follow a stream, not to pages.
    pub from: StartFrom,
    /// The most events on the page.
    pub events_max: NonZeroUsize,
}

/// A page of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The events in log order, each with its id.
    pub events: Vec<(EventId, Arc<Event>)>,
    /// The place after the page.
    pub next: EventId,
    /// Why the page does not simply continue from `after`.
    pub reset: Option<ResetNotice>,
}

/// A page being made.
struct Paging<'a> {
    hub: &'a Hub,
    place: Place,
    standing: Standing,
    horizon: Position,
    requested: String,
    events: Vec<(EventId, Arc<Event>)>,
    reset: Option<ResetNotice>,
}

impl Hub {
    /// Reads one page. Cancellation: nothing is left behind.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn page(&self, request: PageRequest) -> Result<Page, EngineError> {
        let PageRequest { selection, after, from, events_max } = request;
        let mut paging = self.begin_page(&selection, after.as_ref(), from).await?;
        let limits = ReadLimits { records_max: events_max, bytes_max: PAGE_BYTES_MAX };
        // An empty page says that nothing is left, so go on past ends of streams until there is an event.
        loop {
            let batch = self.engine().read(&selection, paging.place, limits).await?;
            let stopped = batch.stopped;
            paging.take(batch);
            if stopped == Stopped::Tail || !paging.events.is_empty() {
                return Ok(paging.finish());
            }
            // There is a lot to pass over that others wrote: yield the thread.
            tokio::task::yield_now().await;
        }
    }

    async fn begin_page(
        &self,
        selection: &Selection,
        after: Option<&Presented>,
        from: StartFrom,
    ) -> Result<Paging<'_>, EngineError> {
        let (place, standing, reset, requested) =
            match start::find(self.engine(), selection, after, Some(from)).await? {
                Found::Start(start) => (start.place, start.standing, start.reset, start.requested),
                Found::Ended => (Place::at(self.engine().tail()), Standing::Placed, None, String::new()),
            };
        let horizon = Position::MAX;
        Ok(Paging { hub: self, place, standing, horizon, requested, events: Vec::new(), reset })
    }
}

impl Paging<'_> {
    fn take(&mut self, batch: Batch) {
        if let Some(lost) = batch.lost {
            self.take_loss(lost);
        }
        self.horizon = batch.horizon;
        for record in batch.records {
            if let Record::Event { event, .. } = record {
                self.place = self.place.advanced_to(event.position);
                self.events.push((self.id_here(), event));
            }
        }
        self.place = self.place.advanced_to(batch.upto);
    }

    fn take_loss(&mut self, lost: Lost) {
        self.place = self.place.told(lost.told_upto);
        if self.standing == Standing::Fresh {
            return;
        }
        let requested = std::mem::take(&mut self.requested);
        let reason = ResetReason::Trimmed;
        self.reset = Some(ResetNotice { reason, streams: lost.streams, requested });
    }

    fn finish(self) -> Page {
        Page { next: self.id_here(), events: self.events, reset: self.reset }
    }

    fn id_here(&self) -> EventId {
        let place = self.place.marked_before(self.horizon);
        WireId::Place { kind: PlaceKind::Event, incarnation: self.hub.incarnation(), place }.encode()
    }
}

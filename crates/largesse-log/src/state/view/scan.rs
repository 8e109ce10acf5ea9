//! The records of many streams, found by scanning the log's own order.
//!
//! Invariant: one scan visits as many events as its [budget](crate::state::retention::work) allows; if it stops before
//! the read is full, the next read goes on from there. Events of streams that are gone are skipped. Does not know
//! which streams exist.

use std::{
    collections::{VecDeque, btree_map},
    convert::Infallible,
    ops::Bound::{Excluded, Unbounded},
    slice,
    sync::Arc,
};

use super::{
    batch_builder::{BatchBuilder, Fit, Found},
    candidates::Candidate,
    ends::ends_upto,
    merge::{Source, merge},
};
use crate::{
    Event, Place, Position, ReadLimits, Record, Selection, Stopped,
    state::{
        LogState,
        retention::work::{Spent, Work},
    },
};

/// The hot events of a selection, in log order.
struct HotScan<'a> {
    log: &'a LogState,
    selection: &'a Selection,
    events: btree_map::Range<'a, Position, Arc<Event>>,
    work: Work,
    /// Everything up to here was visited.
    scanned_upto: Position,
    /// Whether it stopped because the budget was used up.
    is_cut: bool,
    next: Option<Record>,
}

impl Source for HotScan<'_> {
    type Error = Infallible;

    fn next_position(&mut self) -> Result<Option<Position>, Infallible> {
        while self.next.is_none() && !self.is_cut {
            let Some((position, event)) = self.events.next() else { break };
            if self.work.spend_match(self.selection, &event.stream) == Spent::UsedUp {
                self.is_cut = true;
                break;
            }
            self.scanned_upto = *position;
            self.next = self.selection.matches(&event.stream).then(|| self.log.event_record(event)).flatten();
        }
        Ok(self.next.as_ref().map(Record::position))
    }

    fn next_record(&mut self, _: u64) -> Result<Option<Record>, Infallible> {
        Ok(self.next.take())
    }
}

impl LogState {
    /// The records of a selection after `place`, which is not before `evicted_upto`; `named` are the streams it
    /// names.
    pub(super) fn scan_hot(
        &self,
        selection: &Selection,
        named: &[Candidate<'_>],
        place: Place,
        limits: ReadLimits,
    ) -> Found {
        let mut ends = ends_upto(named, place, self.tail);
        let mut builder = BatchBuilder::new(limits);
        let mut scan = HotScan {
            log: self,
            selection,
            events: self.order.range((Excluded(place.position()), Unbounded)),
            work: Work::new(),
            scanned_upto: place.position(),
            is_cut: false,
            next: None,
        };
        let Ok(fit) = merge(slice::from_mut(&mut scan), &mut ends, &mut builder);
        let (upto, stopped) = match scan.is_cut {
            true => (scan.scanned_upto, Stopped::Limits),
            false => (self.tail, Stopped::Tail),
        };
        finished(fit, ends, builder, upto, stopped)
    }

    /// `None` for an event of a stream that is gone.
    fn event_record(&self, event: &Arc<Event>) -> Option<Record> {
        let life = self.life_of(event)?;
        Some(Record::Event { event: Arc::clone(event), slow: life.settings.slow })
    }
}

/// Finishes a read that added all events up to `upto`, if it is not full: adds the ends after the last of them.
pub(super) fn finished(
    fit: Fit,
    mut ends: VecDeque<Record>,
    mut builder: BatchBuilder,
    upto: Position,
    stopped: Stopped,
) -> Found {
    match fit {
        Fit::Added if builder.push_ends(&mut ends, upto.next()) == Fit::Added => builder.upto(upto, stopped),
        _ => builder.full(),
    }
}

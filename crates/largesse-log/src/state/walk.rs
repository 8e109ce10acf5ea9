//! The records of many streams, found by walking the log's own order.
//!
//! Invariant: one walk looks at as many events as the [work](super::work) goes; where it stops without a full
//! read, the next goes on from there. Events of streams that are gone are passed over. Does not know which
//! streams there are.

use std::{
    collections::VecDeque,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::{
    batch_builder::{BatchBuilder, Fit, Found},
    candidates::Candidate,
    log::LogState,
    work::{Spent, Work},
};
use crate::{Event, Place, ReadLimits, Record, Selection, Stopped};

impl LogState {
    /// The records of a selection after `place`, which is not before `evicted_upto`; `named` are the streams it
    /// names.
    pub(super) fn walk(
        &self,
        selection: &Selection,
        named: &[Candidate<'_>],
        place: Place,
        limits: ReadLimits,
    ) -> Found {
        let mut ends = VecDeque::from(self.ends_upto(named, place, self.tail));
        let mut builder = BatchBuilder::new(limits);
        let mut walked = place.position();
        let mut work = Work::new();
        let after = (Excluded(place.position()), Unbounded);
        for (position, event) in self.order.range(after) {
            if builder.take_ends(&mut ends, *position) == Fit::Full {
                return builder.full();
            }
            if work.spend_match(selection, &event.stream) == Spent::UsedUp {
                // Ends between the last event and this one may have been taken.
                let upto = walked.max(builder.last());
                return builder.upto(upto, Stopped::Limits);
            }
            walked = *position;
            let record = selection.matches(&event.stream).then(|| self.event_record(event)).flatten();
            if record.is_some_and(|record| builder.take(record) == Fit::Full) {
                return builder.full();
            }
        }
        match builder.take_ends(&mut ends, self.tail.next()) {
            Fit::Full => builder.full(),
            Fit::Taken => builder.upto(self.tail, Stopped::Tail),
        }
    }

    /// `None` for an event of a stream that is gone.
    fn event_record(&self, event: &Arc<Event>) -> Option<Record> {
        let life = self.life_of(event)?;
        Some(Record::Event { event: Arc::clone(event), slow: life.settings.slow })
    }
}

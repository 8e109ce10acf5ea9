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
    candidates::Candidate,
    log::LogState,
    read::{Fit, Found, Taken},
    work::{Spent, Work},
};
use crate::{Event, Place, Position, ReadLimits, Record, Selection, Stopped};

impl LogState {
    /// The records of a selection after `place`, which is not before the floor; `named` are the streams it
    /// names.
    pub(super) fn walk(
        &self,
        selection: &Selection,
        named: &[Candidate<'_>],
        place: Place,
        limits: ReadLimits,
    ) -> Found {
        let mut ends = VecDeque::from(self.ends_upto(named, place, self.tail));
        let mut taken = Taken::new(limits);
        let mut walked = place.position();
        let mut work = Work::new();
        let after = (Excluded(place.position()), Unbounded);
        for (position, event) in self.order.range(after) {
            if take_ends(&mut taken, &mut ends, *position) == Fit::Full {
                return full(taken);
            }
            if work.spend_match(selection, &event.stream) == Spent::UsedUp {
                // Ends between the last event and this one may have been taken.
                let upto = walked.max(taken.last());
                return Found { records: taken.records, upto, stopped: Stopped::Limits };
            }
            walked = *position;
            let record = selection.matches(&event.stream).then(|| self.event_record(event)).flatten();
            if record.is_some_and(|record| taken.take(record) == Fit::Full) {
                return full(taken);
            }
        }
        match take_ends(&mut taken, &mut ends, self.tail.next()) {
            Fit::Full => full(taken),
            Fit::Taken => Found { records: taken.records, upto: self.tail, stopped: Stopped::Tail },
        }
    }

    /// `None` for an event of a stream that is gone.
    fn event_record(&self, event: &Arc<Event>) -> Option<Record> {
        let life = self.life_of(event)?;
        Some(Record::Event { event: Arc::clone(event), slow: life.settings.slow })
    }
}

/// Takes the ends before `position`, as far as they fit.
fn take_ends(taken: &mut Taken, ends: &mut VecDeque<Record>, position: Position) -> Fit {
    while ends.front().is_some_and(|end| end.position() < position) {
        let Some(end) = ends.pop_front() else { break };
        if taken.take(end) == Fit::Full {
            return Fit::Full;
        }
    }
    Fit::Taken
}

fn full(taken: Taken) -> Found {
    let upto = taken.last();
    Found { records: taken.records, upto, stopped: Stopped::Limits }
}

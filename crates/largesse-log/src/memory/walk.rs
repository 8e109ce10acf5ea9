//! The records of many streams, found by walking the log's own order.
//!
//! Invariant: one walk looks at [`STEPS_MAX`] events at most; where it stops without a full read, the next
//! goes on from there. Does not know which streams there are.

use std::{
    collections::VecDeque,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::{
    candidates::Candidate,
    log::MemoryLog,
    merge::ends_of,
    read::{Fit, Found, Taken},
};
use crate::{Event, Place, Position, ReadLimits, Record, Selection, Stopped};

/// The most events that one read looks at without returning them: some milliseconds under the lock.
pub(super) const STEPS_MAX: usize = 16_384;

impl MemoryLog {
    /// The records of a selection after `place`; `named` are the streams it names.
    pub(super) fn walk(
        &self,
        selection: &Selection,
        named: &[Candidate<'_>],
        place: Place,
        limits: ReadLimits,
    ) -> Found {
        let mut ends: Vec<_> = named.iter().flat_map(|candidate| ends_of(candidate, place)).collect();
        ends.sort_unstable_by_key(Record::position);
        let mut ends = VecDeque::from(ends);
        let mut taken = Taken::new(limits);
        let mut walked = place.position();
        let after = (Excluded(place.position()), Unbounded);
        for (step, (position, event)) in self.order.range(after).enumerate() {
            if take_ends(&mut taken, &mut ends, *position) == Fit::Full {
                return full(taken);
            }
            if step >= STEPS_MAX {
                // Ends between the last event and this one may have been taken.
                let upto = walked.max(taken.last());
                return Found { records: taken.records, upto, stopped: Stopped::Limits };
            }
            walked = *position;
            if selection.matches(&event.stream) && taken.take(self.event_record(event)) == Fit::Full {
                return full(taken);
            }
        }
        match take_ends(&mut taken, &mut ends, self.tail.next()) {
            Fit::Full => full(taken),
            Fit::Taken => Found { records: taken.records, upto: self.tail, stopped: Stopped::Tail },
        }
    }

    fn event_record(&self, event: &Arc<Event>) -> Record {
        let settings = self.lives.get(&event.stream).map_or(self.limits.defaults, |life| life.settings);
        Record::Event { event: Arc::clone(event), slow: settings.slow }
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

//! What happens to a reader that fell behind on a stream that does not allow it.
//!
//! A reader is behind when a full read of events that came *while it was connected* is waiting for it.
//! History that it asked for is never skipped and never a reason to disconnect. Before such a read is
//! delivered, the reader looks ahead to the tail:
//!
//! - `slow = "latest"`: of each stream and event name only the newest survives ([`Filter`]).
//! - `slow = "disconnect"`: when more bytes wait than the limit allows, the connection ends.
//!
//! Invariants: looking ahead holds one read and at most [`LATEST_NAMES_MAX`] names; names beyond that are
//! delivered in full. Pure: no clock, no task.

use std::{collections::HashMap, sync::Arc, time::Duration};

use largesse_log::{Batch, Event, Place, Position, Record, Slow, Stopped, StreamName, UnixMs};
use largesse_wire::EventName;

use crate::HubLimits;

/// How many pairs of stream and event name one look ahead can tell apart.
pub(crate) const LATEST_NAMES_MAX: usize = 1024;

/// What to do with a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    LookAhead,
    TooFarBehind,
}

/// How far behind a reader may be, and what it has delivered so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lag {
    /// The tail when the reader connected; everything after it came while it was there.
    began: Position,
    lag_max: Duration,
    lag_bytes_max: u64,
    reads: Reads,
    policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    None,
    Some,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Patient,
    Disconnects,
}

impl Lag {
    pub(crate) fn new(began: Position, limits: &HubLimits) -> Self {
        Self {
            began,
            lag_max: limits.lag_max,
            lag_bytes_max: limits.lag_bytes_max,
            reads: Reads::None,
            policy: Policy::Patient,
        }
    }

    pub(crate) fn has_read(&self) -> bool {
        self.reads == Reads::Some
    }

    pub(crate) fn disconnects(&self) -> bool {
        self.policy == Policy::Disconnects
    }

    /// Judges a read that the reader is about to deliver.
    pub(crate) fn judge(&mut self, batch: &Batch, filter: &Filter, now: UnixMs) -> Verdict {
        self.reads = Reads::Some;
        let mut verdict = Verdict::Go;
        for (event, slow) in events(batch) {
            if slow == Slow::Disconnect {
                self.policy = Policy::Disconnects;
            }
            if !self.is_live(event) {
                continue;
            }
            if slow == Slow::Disconnect && now.since(event.time) > self.lag_max {
                return Verdict::TooFarBehind;
            }
            let is_full = batch.stopped == Stopped::Limits;
            if is_full && slow != Slow::CatchUp && event.position > filter.upto {
                verdict = Verdict::LookAhead;
            }
        }
        verdict
    }

    fn is_live(&self, event: &Event) -> bool {
        event.position > self.began
    }
}

/// A look from a full read to the tail.
#[derive(Debug)]
pub(crate) struct Lookahead {
    held: Batch,
    place: Place,
    tally: Tally,
}

/// What a look ahead has counted so far.
#[derive(Debug)]
struct Tally {
    lag: Lag,
    filter: Filter,
    waiting_bytes: u64,
}

impl Lookahead {
    /// Begins with a full read, which is held until the look is over.
    pub(crate) fn new(held: Batch, place: Place, lag: &Lag) -> Self {
        let filter = Filter { after: lag.began, ..Filter::default() };
        let mut tally = Tally { lag: *lag, filter, waiting_bytes: 0 };
        tally.count(&held);
        Self { place: place.advanced_to(held.upto), held, tally }
    }

    /// Where to read on; the reader itself has not moved.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn handle_batch(&mut self, batch: &Batch) -> Verdict {
        self.tally.count(batch);
        self.place = self.place.advanced_to(batch.upto);
        if self.tally.waiting_bytes > self.tally.lag.lag_bytes_max {
            return Verdict::TooFarBehind;
        }
        match batch.stopped {
            Stopped::Limits => Verdict::LookAhead,
            Stopped::Tail => Verdict::Go,
        }
    }

    pub(crate) fn check_invariants(&self) {
        let held = self.held.upto;
        assert!(held <= self.place.position(), "it looks ahead of the read that is held");
        self.tally.filter.check_invariants();
    }

    /// The read that was held, and what is skipped of it and of the reads up to here.
    pub(crate) fn into_parts(self) -> (Batch, Filter) {
        (self.held, self.tally.filter)
    }
}

impl Tally {
    fn count(&mut self, batch: &Batch) {
        for (event, slow) in events(batch) {
            if !self.lag.is_live(event) {
                continue;
            }
            match slow {
                Slow::CatchUp => {}
                Slow::Latest => self.filter.note(event),
                Slow::Disconnect => self.waiting_bytes += event.data.as_str().len() as u64,
            }
        }
        self.filter.upto = self.filter.upto.max(batch.upto);
    }
}

/// Which events of `slow = "latest"` streams a reader that fell behind still gets.
///
/// Covers the positions in `(after, upto]`; every other event passes.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    after: Position,
    upto: Position,
    newest: HashMap<(StreamName, Option<EventName>), Position>,
}

impl Filter {
    pub(crate) fn check_invariants(&self) {
        assert!(self.newest.len() <= LATEST_NAMES_MAX, "names are bounded");
        let is_covered = |position: &Position| (self.after..=self.upto).contains(position);
        assert!(self.newest.values().all(is_covered), "what is skipped was looked at");
    }

    fn note(&mut self, event: &Event) {
        let key = (event.stream.clone(), event.name.clone());
        if self.newest.len() < LATEST_NAMES_MAX || self.newest.contains_key(&key) {
            self.newest.insert(key, event.position);
        }
    }

    /// Whether the event is delivered: it is the newest of its name, or not covered by the look ahead.
    pub(crate) fn passes(&self, event: &Event) -> bool {
        if event.position <= self.after || event.position > self.upto {
            return true;
        }
        let key = (event.stream.clone(), event.name.clone());
        self.newest.get(&key).is_none_or(|newest| event.position >= *newest)
    }
}

fn events(batch: &Batch) -> impl Iterator<Item = (&Arc<Event>, Slow)> {
    batch.records.iter().filter_map(|record| match record {
        Record::Event { event, slow } => Some((event, *slow)),
        Record::End { .. } => None,
    })
}

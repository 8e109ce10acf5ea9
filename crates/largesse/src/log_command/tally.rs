//! How much an export of a running server has of what was there when it began.
//!
//! A stream keeps its events from the first one on; retention moves the first, and nothing else removes an event. So
//! if the first is still the same, what is missing is broken. If it is another, what is missing may have been
//! dropped before it was read, or be broken: the two can't be told apart from outside.
//!
//! Invariant: an event counts as missing if it was kept at the beginning and was not written, and each only once. Does
//! not know why an event can't be read: the server's trace says so.

use std::collections::HashMap;

use largesse::log::Position;

use crate::terminal::{Failure, counted, note, plain};

/// This many streams are reported one by one.
const TOLD_MAX: u64 = 100;

/// The events that a stream keeps at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) events: u64,
    pub(super) first: Option<Position>,
    pub(super) last: Option<Position>,
}

/// A stream that was there at the beginning.
#[derive(Debug)]
struct Begun {
    kept: Kept,
    /// How many of those kept were written.
    written: u64,
}

/// All streams that were there at the beginning.
#[derive(Debug, Default)]
pub(super) struct Tally {
    streams: HashMap<String, Begun>,
    broken: Missing,
    doubtful: Missing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Missing {
    events: u64,
    streams: u64,
}

impl Missing {
    /// Adds the events of one more stream; returns whether to report it by itself.
    fn add(&mut self, events: u64) -> bool {
        self.events += events;
        self.streams += 1;
        self.streams <= TOLD_MAX
    }
}

impl Tally {
    /// A stream is there at the beginning.
    pub(super) fn begin(&mut self, stream: String, kept: Kept) {
        self.streams.insert(stream, Begun { kept, written: 0 });
    }

    /// An event is read; returns whether its stream was there at the beginning, so that it is to be written.
    pub(super) fn written(&mut self, stream: &str, position: Position) -> bool {
        let Some(begun) = self.streams.get_mut(stream) else { return false };
        begun.written += u64::from(begun.kept.last.is_some_and(|last| position <= last));
        true
    }

    /// A stream is there at the end; returns whether it was at the beginning.
    pub(super) fn end(&mut self, stream: &str, now: &Kept) -> bool {
        let Some(begun) = self.streams.remove(stream) else { return false };
        self.add(stream, &begun, now.first);
        true
    }

    /// Reports what is missing.
    ///
    /// # Errors
    /// Events are broken.
    pub(super) fn told(mut self) -> Result<(), Failure> {
        // Those that are gone.
        for (stream, begun) in std::mem::take(&mut self.streams) {
            self.add(&stream, &begun, None);
        }
        for (missing, why) in [(self.broken, BROKEN), (self.doubtful, DOUBTFUL)] {
            if missing.streams > TOLD_MAX {
                note(&format!("{} streams: {} {why}", missing.streams, counted(missing.events, "event")));
            }
        }
        if self.broken.events == 0 {
            return Ok(());
        }
        let broken = counted(self.broken.events, "event");
        Err(Failure(format!(
            "{broken} broken and left out; all others are in it. The server's trace says where the log is broken"
        )))
    }

    fn add(&mut self, stream: &str, begun: &Begun, first_now: Option<Position>) {
        // A broken event may still be readable if it is in memory.
        let missing = begun.kept.events.saturating_sub(begun.written);
        if missing == 0 {
            return;
        }
        let is_broken = first_now == begun.kept.first;
        let (kind, why) = if is_broken { (&mut self.broken, BROKEN) } else { (&mut self.doubtful, DOUBTFUL) };
        if kind.add(missing) {
            note(&format!("{}: {} {why}", plain(stream), counted(missing, "event")));
        }
    }
}

const BROKEN: &str = "broken";
const DOUBTFUL: &str = "dropped before being read, or broken";

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(events: u64, first: u64, last: u64) -> Kept {
        Kept { events, first: Some(Position(first)), last: Some(Position(last)) }
    }

    /// A stream at the beginning, the events that are read from it, and its first event at the end: how many are
    /// broken, and how many may be either.
    #[track_caller]
    fn check(begin: Kept, read: &[u64], first_now: Option<u64>, want: (u64, u64)) {
        let mut tally = Tally::default();
        tally.begin("a".to_owned(), begin);
        for position in read {
            assert!(tally.written("a", Position(*position)));
        }
        if let Some(first) = first_now {
            assert!(tally.end("a", &kept(9, first, 99)));
            assert!(!tally.end("a", &kept(9, first, 99)), "once");
        }
        let (broken, doubtful) = (tally.broken.events, tally.doubtful.events);
        let is_told = tally.told().is_err();
        assert_eq!((broken, doubtful, is_told), (want.0, want.1, want.0 > 0));
    }

    #[test]
    fn what_is_missing_is_broken_where_retention_took_nothing() {
        check(kept(3, 10, 30), &[10, 20, 30], Some(10), (0, 0));
        check(kept(3, 10, 30), &[10, 30], Some(10), (1, 0));
        // What came later makes up for nothing.
        check(kept(3, 10, 30), &[10, 30, 40, 50], Some(10), (1, 0));
        check(kept(3, 10, 30), &[], Some(10), (3, 0));
        // The oldest were dropped; everything that was there had been read.
        check(kept(3, 10, 30), &[10, 20, 30], Some(30), (0, 0));
        check(kept(3, 10, 30), &[20, 30], Some(20), (0, 1));
        check(kept(3, 10, 30), &[10, 20, 30], None, (0, 0));
        check(Kept { events: 0, first: None, last: None }, &[40], Some(40), (0, 0));
    }

    #[test]
    fn a_stream_that_is_made_later_is_none_of_it() {
        let mut tally = Tally::default();
        assert!(!tally.written("b", Position(1)));
        assert!(!tally.end("b", &kept(1, 1, 1)));
        assert!(tally.told().is_ok());
    }
}

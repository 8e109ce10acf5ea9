//! Finding where a first request begins.
//!
//! Invariant: the place knows of all losses so far. Does not return events.

use std::ops::Bound::{Excluded, Unbounded};

use super::{
    candidates::{Candidate, Extent},
    life::Life,
    log::MemoryLog,
    read::CANDIDATES_MAX,
    work::{Spent, Work},
};
use crate::{Located, Place, Position, Repeat, Selection, StartFrom, UnixMs};

/// What one step of finding a place came to.
pub(super) enum Locating {
    Found(Located),
    /// It was a long way back: go on from here.
    GoOn(Back),
}

/// How far a way back from the tail has come.
#[derive(Clone, Copy)]
pub(super) struct Back {
    /// Events from here on were looked at.
    to: Position,
    /// How many events are still to be found; at least one.
    left: u64,
}

impl MemoryLog {
    pub(super) fn locate(&self, selection: &Selection, from: StartFrom) -> Locating {
        match from {
            StartFrom::Start => self.located(Position::ZERO, Repeat::SamePlace),
            StartFrom::Now | StartFrom::Last(0) => self.located(self.tail, Repeat::AnotherPlace),
            StartFrom::Last(events) => self.before_last(selection, events),
            StartFrom::Time(time) => {
                let (position, repeat) = self.before_time(time);
                self.located(position, repeat)
            }
        }
    }

    fn located(&self, position: Position, repeat: Repeat) -> Locating {
        Locating::Found(Located { place: Place::knowing(position, self.tail), repeat })
    }

    /// Just before the n-th last event of the selection.
    fn before_last(&self, selection: &Selection, events: u64) -> Locating {
        let few = self.candidates(selection, CANDIDATES_MAX, &mut Work::new());
        match few.extent {
            Extent::All => {
                self.located(before_last_of(&few.streams, self.tail, events), Repeat::AnotherPlace)
            }
            Extent::NamesOnly => self.locate_back(selection, Back { to: self.tail.next(), left: events }),
        }
    }

    /// Goes back along the log's order as far as the work goes.
    pub(super) fn locate_back(&self, selection: &Selection, mut back: Back) -> Locating {
        let mut work = Work::new();
        for (position, event) in self.order.range(..back.to).rev() {
            if work.spend_match(selection, &event.stream) == Spent::UsedUp {
                return Locating::GoOn(back);
            }
            back.to = *position;
            if selection.matches(&event.stream) && self.life_of(event).is_some() {
                back.left -= 1;
            }
            if back.left == 0 {
                return self.located(before(*position), Repeat::AnotherPlace);
            }
        }
        self.located(Position::ZERO, Repeat::AnotherPlace)
    }

    /// Just before the first event of the log at `time` or later. Whichever streams are selected, these are
    /// the events of theirs from that time on, since times never go back along the log.
    fn before_time(&self, time: UnixMs) -> (Position, Repeat) {
        if self.last_time.is_none_or(|last| time > last) {
            return (self.tail, Repeat::AnotherPlace);
        }
        // Everything up to `low` is earlier; nothing after `high` is.
        let (mut low, mut high) = (Position::ZERO, self.tail);
        while low < high {
            let middle = Position(low.0.midpoint(high.0));
            match self.first_after(middle) {
                Some((position, at)) if at < time => low = position,
                _ => high = middle,
            }
        }
        let place = self.first_after(low).map_or(self.tail, |(position, _)| before(position));
        (place, Repeat::SamePlace)
    }

    fn first_after(&self, position: Position) -> Option<(Position, UnixMs)> {
        let (position, event) = self.order.range((Excluded(position), Unbounded)).next()?;
        Some((*position, event.time))
    }
}

/// The last position after which there are `events` events of these streams, or zero when there are fewer.
/// Looks at each stream as often as a position has bits, however many events there are.
fn before_last_of(streams: &[Candidate<'_>], tail: Position, events: u64) -> Position {
    let lives: Vec<&Life> = streams.iter().filter_map(|candidate| candidate.life).collect();
    let after = |position: Position| -> u64 {
        lives.iter().map(|life| (life.events.len() - life.events_upto(position)) as u64).sum()
    };
    // There are at least `events` after every position up to `low`, if there are at all, and fewer after `high`.
    let (mut low, mut high) = (0, tail.0);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if after(Position(middle)) >= events { low = middle } else { high = middle - 1 }
    }
    Position(low)
}

fn before(position: Position) -> Position {
    Position(position.0.saturating_sub(1))
}

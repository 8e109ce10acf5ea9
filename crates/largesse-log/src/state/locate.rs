//! Finding where a first request begins.
//!
//! Invariant: the place knows of all losses so far. Does not return events.

use std::ops::Bound::{Excluded, Unbounded};

use super::{
    candidates::{Candidate, Extent},
    life::Life,
    log::LogState,
    look::{Locating, Walked},
    read::CANDIDATES_MAX,
    work::{Spent, Work},
};
use crate::{Located, Place, Position, Repeat, Selection, StartFrom, UnixMs};

/// How far a way back from the tail has come.
#[derive(Clone, Copy, Debug)]
pub struct Back {
    /// Events from here on were looked at.
    pub to: Position,
    /// How many events are still to be found; at least one.
    pub left: u64,
}

/// The last events of a few lives, some of which are in the archive.
#[derive(Debug)]
pub struct Deep {
    /// The lives: where each began, and the events of it in the archive that are kept: after this, up to that.
    pub lives: Vec<(Position, Position, Position)>,
    /// How many of their events the archive is to have after the place; at least one, and it has them.
    pub events: u64,
    /// The place is not after this.
    pub evicted_upto: Position,
    /// What the place knows of.
    pub tail: Position,
}

impl LogState {
    /// Finds where a first request begins to read.
    #[must_use]
    pub fn locate(&self, selection: &Selection, from: StartFrom) -> Locating {
        match from {
            StartFrom::Start => self.located(Position::ZERO, Repeat::SamePlace),
            StartFrom::Now | StartFrom::Last(0) => self.located(self.tail, Repeat::AnotherPlace),
            StartFrom::Last(events) => self.before_last(selection, events),
            StartFrom::Time(time) => self.before_time(time),
        }
    }

    /// A place that was found in the archive.
    #[must_use]
    pub fn located_at(&self, position: Position, repeat: Repeat) -> Located {
        Located { place: Place::knowing(position, self.tail), repeat }
    }

    fn located(&self, position: Position, repeat: Repeat) -> Locating {
        Locating::Found(self.located_at(position, repeat))
    }

    /// Just before the n-th last event of the selection.
    fn before_last(&self, selection: &Selection, events: u64) -> Locating {
        let few = self.candidates(selection, CANDIDATES_MAX, &mut Work::new());
        match few.extent {
            Extent::All => self.before_last_of(&few.streams, events),
            Extent::NamesOnly => self.locate_back(selection, Back { to: self.tail.next(), left: events }),
        }
    }

    /// Goes back along the log's order as far as the work goes.
    #[must_use]
    pub fn locate_back(&self, selection: &Selection, mut back: Back) -> Locating {
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
        if self.evicted_upto == Position::ZERO {
            return self.located(Position::ZERO, Repeat::AnotherPlace);
        }
        Locating::WalkBack(Back { to: back.to.min(self.evicted_upto.next()), ..back })
    }

    /// Goes on with a way back by what was met along the archive, newest first, down to `to`.
    #[must_use]
    pub fn judge_back(&self, mut back: Back, walked: &[Walked], to: Position) -> Locating {
        for event in walked {
            if self.lives.get(&event.stream).is_some_and(|life| life.keeps(event.position)) {
                back.left -= 1;
            }
            if back.left == 0 {
                return self.located(before(event.position), Repeat::AnotherPlace);
            }
        }
        match to {
            Position::ZERO => self.located(Position::ZERO, Repeat::AnotherPlace),
            to => Locating::WalkBack(Back { to, ..back }),
        }
    }

    /// The last position after which there are `events` events of these streams, or zero when there are fewer.
    /// Looks at each stream as often as a position has bits, however many events there are.
    fn before_last_of(&self, streams: &[Candidate<'_>], events: u64) -> Locating {
        let lives: Vec<&Life> = streams.iter().filter_map(|candidate| candidate.life).collect();
        let hot: u64 = lives.iter().map(|life| life.hot.len() as u64).sum();
        let all: u64 = lives.iter().map(|life| life.events()).sum();
        if hot < events && events <= all {
            return Locating::Deep(self.deep(&lives, events - hot));
        }
        let after = |position: Position| -> u64 {
            lives.iter().map(|life| (life.hot.len() - life.hot_upto(position)) as u64).sum()
        };
        // There are at least `events` after every position up to `low`, if there are at all, and fewer after `high`.
        let (mut low, mut high) = (0, self.tail.0);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if after(Position(middle)) >= events { low = middle } else { high = middle - 1 }
        }
        self.located(Position(low), Repeat::AnotherPlace)
    }

    fn deep(&self, lives: &[&Life], events: u64) -> Deep {
        let cold = |life: &&Life| {
            let (first, last) = (life.cold.first?, life.cold.last?);
            Some((life.start, before(first.position), last.position))
        };
        let lives = lives.iter().filter_map(cold).collect();
        Deep { lives, events, evicted_upto: self.evicted_upto, tail: self.tail }
    }

    /// Just before the first event of the log at `time` or later. Whichever streams are selected, these are
    /// the events of theirs from that time on, since times never go back along the log.
    fn before_time(&self, time: UnixMs) -> Locating {
        if self.last_time.is_none_or(|last| time > last) {
            return self.located(self.tail, Repeat::AnotherPlace);
        }
        if self.evicted_upto > Position::ZERO && time <= self.evicted_time {
            return Locating::Time { time, evicted_upto: self.evicted_upto };
        }
        // Everything up to `low` is earlier; nothing after `high` is.
        let (mut low, mut high) = (self.evicted_upto, self.tail);
        while low < high {
            let middle = Position(low.0.midpoint(high.0));
            match self.first_after(middle) {
                Some((position, at)) if at < time => low = position,
                _ => high = middle,
            }
        }
        let place = self.first_after(low).map_or(self.tail, |(position, _)| before(position));
        self.located(place, Repeat::SamePlace)
    }

    fn first_after(&self, position: Position) -> Option<(Position, UnixMs)> {
        let (position, event) = self.order.range((Excluded(position), Unbounded)).next()?;
        Some((*position, event.time))
    }
}

fn before(position: Position) -> Position {
    Position(position.0.saturating_sub(1))
}

//! Finding where a first request begins.
//!
//! Invariant: the place knows of all losses so far. A backward scan of the log goes piece by piece, so that others can
//! use the thread, or the state, in between. Does not return events.

use std::ops::Bound::{Excluded, Unbounded};

use super::{
    CANDIDATES_MAX,
    candidates::{Candidate, Extent},
    cold::{ColdEvents, ColdRange},
};
use crate::{
    Located, Place, Position, Repeat, Selection, StartFrom, StreamName, UnixMs,
    state::{
        LogState,
        life::Life,
        retention::work::{Spent, Work},
    },
};

/// How far the search for a place has come.
#[derive(Debug)]
pub(in crate::state) enum Locating {
    /// It is found.
    Ready(Located),
    /// It is long: yield, then call [`LogState::continue_search`].
    More(Search),
    /// It goes on on the disk: call [`Search::run`].
    Cold(Search),
}

/// An unfinished search for a place.
#[derive(Debug)]
pub struct Search(SearchKind);

#[derive(Debug)]
enum SearchKind {
    /// Backwards along the log, event by event.
    Back { selection: Selection, back: BackwardScan },
    /// The last events of a few lives, some of which are cold.
    LastCold {
        /// The cold events of the lives that are kept.
        ranges: Vec<ColdRange>,
        /// How many of them have to come after the place; there are at least that many.
        events: u64,
        /// The place knows of losses up to here.
        tail: Position,
    },
    /// The first cold event at this time or later.
    Time {
        time: UnixMs,
        /// The last cold event when the search began: the place if no cold event is that late. Events evicted
        /// meanwhile come after it.
        evicted_upto: Position,
    },
}

/// How far a scan back from the tail has come.
#[derive(Clone, Copy, Debug)]
struct BackwardScan {
    /// Events from here on were visited.
    to: Position,
    /// How many events are still to be found; at least one.
    left: u64,
}

impl Search {
    /// Searches on the disk.
    pub(in crate::state) fn run<C: ColdEvents>(self, cold: &C) -> Result<Locating, C::Error> {
        match self.0 {
            SearchKind::LastCold { ranges, events, tail } => {
                let position = cold.last_with(&ranges, events)?;
                let place = Place::knowing(position, tail);
                Ok(Locating::Ready(Located { place, repeat: Repeat::AnotherPlace }))
            }
            SearchKind::Back { selection, back } => {
                let mut scanned = Vec::new();
                let begin = cold.scan_back(Position(back.to.0.saturating_sub(1)), |stream, position| {
                    if selection.matches(&stream) {
                        scanned.push((stream, position));
                    }
                })?;
                Ok(cold.state().continue_backward(selection, back, &scanned, begin.unwrap_or(Position::ZERO)))
            }
            SearchKind::Time { time, evicted_upto } => {
                let position = cold.first_since(time)?.map_or(evicted_upto, before);
                Ok(cold.state().located(position, Repeat::SamePlace))
            }
        }
    }
}

impl LogState {
    /// Finds where a first request begins to read.
    pub(in crate::state) fn locate(&self, selection: &Selection, from: StartFrom) -> Locating {
        match from {
            StartFrom::Start => self.located(Position::ZERO, Repeat::SamePlace),
            StartFrom::Now | StartFrom::Last(0) => self.located(self.tail, Repeat::AnotherPlace),
            StartFrom::Last(events) => self.before_last(selection, events),
            StartFrom::Time(time) => self.before_time(time),
        }
    }

    fn located(&self, position: Position, repeat: Repeat) -> Locating {
        Locating::Ready(Located { place: Place::knowing(position, self.tail), repeat })
    }

    /// Just before the n-th last event of the selection.
    fn before_last(&self, selection: &Selection, events: u64) -> Locating {
        let few = self.candidates(selection, CANDIDATES_MAX, &mut Work::new());
        match few.extent {
            Extent::All => self.before_last_of(&few.streams, events),
            Extent::NamesOnly => {
                self.scan_backward(selection, BackwardScan { to: self.tail.next(), left: events })
            }
        }
    }

    /// Continues in memory.
    ///
    /// # Panics
    /// When the search has to continue on the disk.
    pub(in crate::state) fn continue_search(&self, search: Search) -> Locating {
        match search.0 {
            SearchKind::Back { selection, back } => self.scan_backward(&selection, back),
            kind @ (SearchKind::LastCold { .. } | SearchKind::Time { .. }) => {
                unreachable!("the search is on the disk: {kind:?}")
            }
        }
    }

    /// Scans back along the log's order as far as the budget goes.
    fn scan_backward(&self, selection: &Selection, mut back: BackwardScan) -> Locating {
        let mut work = Work::new();
        for (position, event) in self.order.range(..back.to).rev() {
            if work.spend_match(selection, &event.stream) == Spent::UsedUp {
                return Locating::More(Search(SearchKind::Back { selection: selection.clone(), back }));
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
        let to = back.to.min(self.evicted_upto.next());
        Locating::Cold(Search(SearchKind::Back {
            selection: selection.clone(),
            back: BackwardScan { to, ..back },
        }))
    }

    /// Continues a backward scan with the events found on the disk, in log order, down to `to`.
    fn continue_backward(
        &self,
        selection: Selection,
        mut back: BackwardScan,
        scanned: &[(StreamName, Position)],
        to: Position,
    ) -> Locating {
        for (stream, position) in scanned.iter().rev() {
            if self.lives.get(stream).is_some_and(|life| life.keeps(*position)) {
                back.left -= 1;
            }
            if back.left == 0 {
                return self.located(before(*position), Repeat::AnotherPlace);
            }
        }
        match to {
            Position::ZERO => self.located(Position::ZERO, Repeat::AnotherPlace),
            to => Locating::Cold(Search(SearchKind::Back { selection, back: BackwardScan { to, ..back } })),
        }
    }

    /// The last position after which there are `events` events of these streams, or zero when there are fewer.
    /// A binary search over positions, so the number of events does not matter.
    fn before_last_of(&self, streams: &[Candidate<'_>], events: u64) -> Locating {
        let lives: Vec<&Life> = streams.iter().filter_map(|candidate| candidate.life).collect();
        let hot: u64 = lives.iter().map(|life| life.hot.len() as u64).sum();
        let all: u64 = lives.iter().map(|life| life.events()).sum();
        if hot < events && events <= all {
            return self.last_cold(&lives, events - hot);
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

    fn last_cold(&self, lives: &[&Life], events: u64) -> Locating {
        let range = |life: &&Life| {
            let (first, last) = (life.cold.first?, life.cold.last?);
            Some(ColdRange { life: life.start, after: before(first.position), upto: last.position })
        };
        let ranges = lives.iter().filter_map(range).collect();
        Locating::Cold(Search(SearchKind::LastCold { ranges, events, tail: self.tail }))
    }

    /// Just before the first event of the log at `time` or later. That is right for every
    /// selection, because times never go back along the log.
    fn before_time(&self, time: UnixMs) -> Locating {
        if self.last_time.is_none_or(|last| time > last) {
            return self.located(self.tail, Repeat::AnotherPlace);
        }
        if self.evicted_upto > Position::ZERO && time <= self.evicted_time {
            return Locating::Cold(Search(SearchKind::Time { time, evicted_upto: self.evicted_upto }));
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

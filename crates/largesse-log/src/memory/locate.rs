//! Finding where a first request begins.
//!
//! Invariant: the place knows of all losses so far. Does not return events.

use std::{
    collections::BinaryHeap,
    ops::Bound::{Excluded, Unbounded},
};

use super::{
    candidates::{Candidate, Extent},
    log::MemoryLog,
    read::CANDIDATES_MAX,
    walk::STEPS_MAX,
};
use crate::{Located, Place, Position, Repeat, Selection, StartFrom, UnixMs};

/// What a walk back from the tail found.
enum Back {
    /// The n-th last event.
    Event(Position),
    /// There are fewer events.
    Start,
    /// It would have been too long a walk.
    TooFar,
}

impl MemoryLog {
    pub(super) fn locate(&self, selection: &Selection, from: StartFrom) -> Located {
        let (position, repeat) = match from {
            StartFrom::Start => (Position::ZERO, Repeat::SamePlace),
            StartFrom::Now => (self.tail, Repeat::AnotherPlace),
            StartFrom::Last(events) => (self.before_last(selection, events), Repeat::AnotherPlace),
            StartFrom::Time(time) => self.before_time(time),
        };
        Located { place: Place::knowing(position, self.tail), repeat }
    }

    /// Just before the n-th last event of the selection.
    fn before_last(&self, selection: &Selection, events: u64) -> Position {
        if events == 0 {
            return self.tail;
        }
        let few = self.candidates(selection, CANDIDATES_MAX);
        if few.extent == Extent::All {
            return before_last_of(&few.streams, events);
        }
        match self.walk_back(selection, events) {
            Back::Event(position) => before(position),
            Back::Start => Position::ZERO,
            Back::TooFar => before_last_of(&self.candidates(selection, u64::MAX).streams, events),
        }
    }

    fn walk_back(&self, selection: &Selection, events: u64) -> Back {
        let mut left = events;
        for (step, (position, event)) in self.order.iter().rev().enumerate() {
            if step >= STEPS_MAX {
                return Back::TooFar;
            }
            if selection.matches(&event.stream) {
                left -= 1;
            }
            if left == 0 {
                return Back::Event(*position);
            }
        }
        Back::Start
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

/// Goes back over the events of all streams at once, the last first.
fn before_last_of(streams: &[Candidate<'_>], events: u64) -> Position {
    let lives: Vec<_> = streams.iter().filter_map(|candidate| candidate.life).collect();
    let kept: u64 = lives.iter().map(|life| life.events.len() as u64).sum();
    if events > kept {
        return Position::ZERO;
    }
    let at = |index: usize, left: usize| {
        let event = lives[index].events.get(left.checked_sub(1)?)?;
        Some((event.position, index, left - 1))
    };
    if let ([life], Ok(events)) = (lives.as_slice(), usize::try_from(events)) {
        return at(0, life.events.len() + 1 - events).map_or(Position::ZERO, |(found, ..)| before(found));
    }
    let lasts = lives.iter().enumerate().filter_map(|(index, life)| at(index, life.events.len()));
    let mut heap: BinaryHeap<_> = lasts.collect();
    let mut found = Position::ZERO;
    for _ in 0..events {
        let Some((position, index, left)) = heap.pop() else { break };
        found = before(position);
        heap.extend(at(index, left));
    }
    found
}

fn before(position: Position) -> Position {
    Position(position.0.saturating_sub(1))
}

//! The records of a few streams, merged into log order.
//!
//! Invariant: costs the logarithm of the streams for each record returned. Does not know patterns.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
};

use super::{
    batch_builder::{BatchBuilder, Fit, Found},
    candidates::{By, Candidate},
    life::Life,
    log::LogState,
    look::ColdLife,
};
use crate::{EndReason, Place, Position, ReadLimits, Record, Stopped, StreamName};

/// How far one stream's hot records are merged.
struct Cursor<'a> {
    /// Ends after the place, in log order: of the tombstone, and of the life.
    ends: VecDeque<Record>,
    life: Option<&'a Life>,
    next_event: usize,
}

impl<'a> Cursor<'a> {
    fn new(candidate: &Candidate<'a>, place: Place) -> Self {
        let next_event = candidate.life.map_or(0, |life| life.hot_upto(place.position()));
        Self { ends: ends_of(candidate, place).collect(), life: candidate.life, next_event }
    }

    fn event_position(&self) -> Option<Position> {
        self.life?.hot.get(self.next_event).map(|event| event.position)
    }

    fn end_position(&self) -> Option<Position> {
        self.ends.front().map(Record::position)
    }

    fn position(&self) -> Option<Position> {
        [self.event_position(), self.end_position()].into_iter().flatten().min()
    }

    fn record(&self) -> Option<Record> {
        let event = self.life.and_then(|life| Some((life, life.hot.get(self.next_event)?)));
        match (event, self.ends.front()) {
            (Some((_, event)), Some(end)) if end.position() < event.position => Some(end.clone()),
            (Some((life, event)), _) => {
                Some(Record::Event { event: Arc::clone(event), slow: life.settings.slow })
            }
            (None, end) => end.cloned(),
        }
    }

    fn advance(&mut self) {
        if self.position() == self.end_position() {
            self.ends.pop_front();
        } else {
            self.next_event += 1;
        }
    }
}

/// The ends of one stream that a reader at `place` has still before it; of named streams only.
pub(super) fn ends_of<'a>(candidate: &Candidate<'a>, place: Place) -> impl Iterator<Item = Record> + 'a {
    let Candidate { name, by, life, tombstone } = *candidate;
    let tombstone = tombstone
        .filter(|tombstone| tombstone.end_is_news_to(place))
        .map(|tombstone| (tombstone.end, tombstone.reason));
    let current = life.and_then(|life| life.end).map(|end| (end.position, EndReason::Closed));
    let current = current.filter(|(position, _)| *position > place.position());
    let ends = tombstone.into_iter().chain(current).filter(move |_| by == By::Name);
    ends.map(|(position, reason)| end_record(name, position, reason))
}

fn end_record(name: &StreamName, position: Position, reason: EndReason) -> Record {
    Record::End { stream: name.clone(), position, reason }
}

impl LogState {
    /// What of these streams is in the archive after `place`, if anything is.
    pub(super) fn cold_lives(&self, streams: &[Candidate<'_>], place: Place) -> Vec<ColdLife> {
        let cold_life = |candidate: &Candidate<'_>| {
            let life = candidate.life.filter(|life| life.cold.reaches_beyond(place.position()))?;
            let before_first = Position(life.first()?.position.0 - 1);
            Some(ColdLife {
                stream: candidate.name.clone(),
                start: life.start,
                slow: life.settings.slow,
                after: place.position().max(before_first),
                upto: life.cold.last?.position,
            })
        };
        streams.iter().filter_map(cold_life).collect()
    }

    /// Ends of these streams after `place` and up to `upto`, in log order.
    pub(super) fn ends_upto(&self, streams: &[Candidate<'_>], place: Place, upto: Position) -> Vec<Record> {
        let mut ends: Vec<_> = streams.iter().flat_map(|candidate| ends_of(candidate, place)).collect();
        ends.retain(|end| end.position() <= upto);
        ends.sort_unstable_by_key(Record::position);
        ends
    }

    /// The records of these streams after `place`; none of them is in the archive.
    pub(super) fn merge(&self, streams: &[Candidate<'_>], place: Place, limits: ReadLimits) -> Found {
        let mut cursors: Vec<_> = streams.iter().map(|candidate| Cursor::new(candidate, place)).collect();
        let first = |(index, cursor): (usize, &Cursor<'_>)| Some(Reverse((cursor.position()?, index)));
        let mut heap: BinaryHeap<_> = cursors.iter().enumerate().filter_map(first).collect();
        let mut builder = BatchBuilder::new(limits);
        while let Some(Reverse((_, index))) = heap.pop() {
            let cursor = &mut cursors[index];
            let Some(record) = cursor.record() else { continue };
            if builder.take(record) == Fit::Full {
                return builder.full();
            }
            cursor.advance();
            heap.extend(cursor.position().map(|position| Reverse((position, index))));
        }
        builder.upto(self.tail, Stopped::Tail)
    }
}

//! The log as plain lists: everything ever appended, and simple filters over it.
//!
//! Invariant: nothing is ever removed; dropped events are marked with the call of the engine that dropped them.
//! Slow, and obviously right.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    EndReason, EndedStream, Ends, NewEvent, Now, Place, Position, Selection, Settings, StreamName, UnixMs,
};

/// The number of a call of the engine.
pub type CallNumber = usize;

/// An event, and whether it is still kept.
#[derive(Clone, Debug)]
pub struct ModelEvent {
    /// The stream it is on.
    pub stream: StreamName,
    /// Its place.
    pub position: Position,
    /// When it was appended.
    pub time: UnixMs,
    /// The text.
    pub data: String,
    bytes: u64,
    life: u64,
    /// The call that dropped it, if one did.
    pub dropped: Option<CallNumber>,
}

/// A stream between its making and its removal.
#[derive(Clone, Debug)]
pub struct ModelLife {
    number: u64,
    start: Position,
    /// What it keeps.
    pub settings: Settings,
    /// Where and when it was closed.
    pub end: Option<(Position, UnixMs)>,
}

#[derive(Clone, Debug)]
struct ModelTombstone {
    /// The number of the last ended life.
    life: u64,
    end: Position,
    reason: EndReason,
    call: CallNumber,
}

/// What a log should hold, after the same calls.
#[derive(Debug, Default)]
pub struct Model {
    /// Everything ever appended, by position.
    pub events: Vec<ModelEvent>,
    /// The streams that exist.
    pub lives: BTreeMap<StreamName, ModelLife>,
    tombstones: BTreeMap<StreamName, ModelTombstone>,
    /// The tail after each call.
    tails: Vec<Position>,
    last_time: UnixMs,
    lives_made: u64,
}

impl Model {
    /// The number of the current call.
    pub fn call(&self) -> CallNumber {
        self.tails.len()
    }

    /// Ends the current call, with the tail it left.
    pub fn finish_call(&mut self, tail: Position) {
        self.tails.push(tail);
    }

    /// The tail after the last finished call.
    pub fn tail(&self) -> Position {
        self.tails.last().copied().unwrap_or_default()
    }

    /// Makes a stream, at the next position.
    pub fn make(&mut self, stream: &StreamName, settings: Settings) {
        let start = self.tail().next();
        self.lives_made += 1;
        let life = ModelLife { number: self.lives_made, start, settings, end: None };
        self.lives.insert(stream.clone(), life);
    }

    /// Adds the events of one append, the last at `last`, as the engine answered.
    pub fn push(&mut self, stream: &StreamName, now: UnixMs, events: &[NewEvent], last: Position) {
        if !events.is_empty() {
            self.last_time = self.last_time.max(now);
        }
        let life = self.lives[stream].number;
        for (back, event) in events.iter().rev().enumerate().rev() {
            self.events.push(ModelEvent {
                stream: stream.clone(),
                position: Position(last.0 - back as u64),
                time: self.last_time,
                data: event.data.as_str().to_owned(),
                bytes: event.counted_bytes(),
                life,
                dropped: None,
            });
        }
    }

    /// Closes a stream, at the position that the engine answered.
    pub fn close(&mut self, stream: &StreamName, now: UnixMs, position: Position) {
        let time = self.last_time.max(now);
        if let Some(life) = self.lives.get_mut(stream) {
            life.end = Some((position, time));
        }
    }

    /// Removes a stream with all its events.
    pub fn retire(&mut self, stream: &StreamName, end: Position, reason: EndReason) {
        let call = self.call();
        let Some(life) = self.lives.remove(stream) else { return };
        let of_life = |event: &&mut ModelEvent| event.life == life.number && event.dropped.is_none();
        self.events.iter_mut().filter(of_life).for_each(|event| event.dropped = Some(call));
        self.tombstones.insert(stream.clone(), ModelTombstone { life: life.number, end, reason, call });
    }

    /// The time by which to measure the age of something stamped `stamp`: a leap of the log clock does not age what was
    /// stamped before it.
    fn clock_for(&self, now: Now, stamp: UnixMs) -> UnixMs {
        let is_spared = now.age < now.time && stamp <= now.age;
        if is_spared { now.age } else { self.last_time.max(now.time) }
    }

    /// Drops what is over the stream's own limits.
    pub fn retain(&mut self, stream: &StreamName, now: impl Into<Now>) {
        let now = now.into();
        let call = self.call();
        let Some(life) = self.lives.get(stream) else { return };
        let Settings { max_age, max_events, max_bytes, .. } = life.settings;
        loop {
            let kept: Vec<_> = (0..self.events.len())
                .filter(|i| self.events[*i].life == life.number && self.events[*i].dropped.is_none())
                .collect();
            let Some(oldest) = kept.first().copied() else { return };
            let bytes: u64 = kept.iter().map(|i| self.events[*i].bytes).sum();
            let too_old = max_age.is_some_and(|age| {
                self.clock_for(now, self.events[oldest].time).since(self.events[oldest].time) > age
            });
            let too_many = max_events.is_some_and(|events_max| kept.len() as u64 > events_max);
            if !too_old && !too_many && max_bytes.is_none_or(|bytes_max| bytes <= bytes_max) {
                return;
            }
            self.events[oldest].dropped = Some(call);
        }
    }

    /// Drops what has expired, of all streams.
    pub fn sweep(&mut self, now: impl Into<Now>) {
        let now = now.into();
        for (stream, life) in self.lives.clone() {
            match life.end {
                Some((end, time))
                    if self.clock_for(now, time) >= time.saturating_add(life.settings.ttl_after_close) =>
                {
                    self.retire(&stream, end, EndReason::Closed);
                }
                _ => self.retain(&stream, now),
            }
        }
    }

    /// Drops what the engine dropped by itself in this call: everything before its first event.
    pub fn drop_before(&mut self, stream: &StreamName, first: Option<Position>) {
        let call = self.call();
        let Some(life) = self.lives.get(stream) else { return };
        let gone = |event: &&mut ModelEvent| {
            event.life == life.number
                && event.dropped.is_none()
                && first.is_none_or(|first| event.position < first)
        };
        self.events.iter_mut().filter(gone).for_each(|event| event.dropped = Some(call));
    }

    /// The selection's events that are kept.
    pub fn kept<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> impl DoubleEndedIterator<Item = &'a ModelEvent> + 'a {
        let is_kept = |event: &&ModelEvent| event.dropped.is_none() && selection.matches(&event.stream);
        self.events.iter().filter(is_kept)
    }

    /// Events and ends after a place, as text, in log order.
    pub fn records(&self, selection: &Selection, place: Place) -> Vec<(Position, String)> {
        let after = |position: Position| position > place.position();
        let kept = self.kept(selection).filter(|event| after(event.position));
        let mut records: Vec<_> =
            kept.map(|event| (event.position, format!("{}:{}", event.stream, event.data))).collect();
        let ends = self.ends(selection, place);
        records
            .extend(ends.map(|(position, name, reason)| (position, format!("{name}!{}", reason.as_str()))));
        records.sort_unstable();
        records
    }

    /// Ends of named streams after a place, in the order of the names.
    pub fn ends<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
    ) -> impl Iterator<Item = (Position, &'a StreamName, EndReason)> + 'a {
        let of_name = move |name: &'a StreamName| {
            let tombstone =
                self.tombstones.get(name).filter(|tombstone| self.is_news(tombstone.call, place.asked_at()));
            let tombstone = tombstone.map(|tombstone| (tombstone.end, name, tombstone.reason));
            let end = self.lives.get(name).and_then(|life| life.end);
            tombstone.into_iter().chain(end.map(|(position, _)| (position, name, EndReason::Closed)))
        };
        selection.names().iter().flat_map(of_name).filter(move |(end, ..)| *end > place.position())
    }

    /// Streams with a loss that a reader at `place` was not told of.
    pub fn lost(&self, selection: &Selection, place: Place) -> BTreeSet<StreamName> {
        let is_news = |event: &&ModelEvent| {
            let call = event.dropped.filter(|call| self.is_news(*call, place.told_upto()));
            call.is_some() && event.position > place.position() && self.is_told_as_lost(selection, event)
        };
        self.events.iter().filter(is_news).map(|event| event.stream.clone()).collect()
    }

    /// What [`Batch::horizon`](crate::Batch::horizon) should be.
    pub fn horizon(&self, selection: &Selection, place: Place) -> Position {
        let gone = self.events.iter().filter(|event| event.dropped.is_some());
        let gone = gone.filter(|event| self.is_told_as_lost(selection, event));
        let never_met = selection.names().iter().filter_map(|name| {
            let tombstone = self.tombstones.get(name)?;
            let recreated_at = self.lives.get(name).map_or(Position::MAX, |life| life.start);
            (!self.is_news(tombstone.call, place.asked_at())).then_some(recreated_at)
        });
        let all = gone.map(|event| event.position).chain(never_met);
        all.filter(|reach| *reach > place.position()).max().unwrap_or(Position::ZERO)
    }

    /// What [`EngineExt::ended_at`](crate::EngineExt::ended_at) should answer.
    pub fn ended_at(&self, selection: &Selection, place: Place) -> Ends {
        let position = place.position();
        let end_of = |name: &StreamName| {
            if let Some(life) = self.lives.get(name).filter(|life| life.start <= position) {
                let (end, _) = life.end?;
                return (end <= position).then_some(EndReason::Closed);
            }
            let tombstone = self.tombstones.get(name).filter(|tombstone| tombstone.end <= position)?;
            self.is_news(tombstone.call, place.asked_at()).then_some(tombstone.reason)
        };
        let ended = |name: &StreamName| end_of(name).map(|reason| EndedStream { name: name.clone(), reason });
        let is_unknown =
            |name: &&StreamName| !self.lives.contains_key(*name) && !self.tombstones.contains_key(*name);
        let names = selection.names().iter();
        Ends {
            ended: names.clone().filter_map(ended).collect(),
            unknown: names.filter(is_unknown).cloned().collect(),
        }
    }

    /// A deletion is reported to readers that named the stream by its end, to all others as a loss.
    pub fn is_told_as_lost(&self, selection: &Selection, event: &ModelEvent) -> bool {
        if !selection.has_name(&event.stream) {
            return selection.matches(&event.stream);
        }
        let tombstone = self.tombstones.get(&event.stream).filter(|tombstone| event.life <= tombstone.life);
        tombstone.is_none_or(|tombstone| tombstone.reason == EndReason::Closed)
    }

    /// Whether a place that knows of everything up to `told_upto` does not know of the call: the records of a call
    /// come after all places that a reader could hold before it.
    pub fn is_news(&self, call: CallNumber, told_upto: Position) -> bool {
        self.tails[call] > told_upto
    }
}

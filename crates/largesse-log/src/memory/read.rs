//! Reading on from a place: one look at records, losses and how far they go.
//!
//! There are two ways to the records of a selection. Where it means few streams, their events are merged
//! (`merge.rs`); where patterns make it mean many, the log's own order is walked (`walk.rs`).
//!
//! Invariant: the cost is bounded by what is returned and by the smaller of the two ways, or by
//! [`walk::STEPS_MAX`]; never by the length of the log. Does not wait.

use std::collections::BTreeSet;

use super::{
    candidates::{By, Candidate, Candidates, Extent},
    log::MemoryLog,
    losses::Loss,
};
use crate::{
    Batch, EngineError, LOST_NAMES_MAX, Lost, Place, Position, ReadLimits, Record, Selection, Stopped,
    StreamName,
};

/// The most streams that a pattern may make one read look at by name.
pub(super) const CANDIDATES_MAX: u64 = 1024;

/// The records of one read under way.
pub(super) struct Taken {
    pub(super) records: Vec<Record>,
    limits: ReadLimits,
    bytes: u64,
}

/// Whether a record was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Taken,
    Full,
}

impl Taken {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { records: Vec::new(), limits, bytes: 0 }
    }

    pub(super) fn take(&mut self, record: Record) -> Fit {
        let bytes = match &record {
            Record::Event { event, .. } => self.bytes.saturating_add(event.data.as_str().len() as u64),
            Record::End { .. } => self.bytes,
        };
        let is_over = bytes > self.limits.bytes_max || self.records.len() >= self.limits.records_max.get();
        if is_over && !self.records.is_empty() {
            return Fit::Full;
        }
        self.bytes = bytes;
        self.records.push(record);
        Fit::Taken
    }

    /// Where a read that is full has come to.
    pub(super) fn last(&self) -> Position {
        self.records.last().map_or(Position::ZERO, Record::position)
    }
}

/// Records, and how far they go.
pub(super) struct Found {
    pub(super) records: Vec<Record>,
    pub(super) upto: Position,
    pub(super) stopped: Stopped,
}

impl MemoryLog {
    pub(super) fn read(
        &self,
        selection: &Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Result<Batch, EngineError> {
        self.check_reached(place)?;
        // Nothing is cheaper than the records that came since: at the tail, none.
        let span = self.tail.0 - place.position().0;
        let candidates = self.candidates(selection, span.min(CANDIDATES_MAX));
        let lost = self.lost(selection, &candidates, place);
        let horizon = self.horizon(selection, &candidates, place.position());
        let Found { records, upto, stopped } = match candidates.extent {
            Extent::All => self.merge(&candidates.streams, place, limits),
            Extent::NamesOnly => self.walk(selection, &candidates.streams, place, limits),
        };
        Ok(Batch { records, upto, stopped, lost, horizon })
    }

    fn lost(&self, selection: &Selection, candidates: &Candidates<'_>, place: Place) -> Option<Lost> {
        let mut names: BTreeSet<&StreamName> = BTreeSet::new();
        for candidate in &candidates.streams {
            if self.losses_of(candidate).any(|loss| loss.is_news_to(place)) {
                names.insert(candidate.name);
            }
        }
        if candidates.extent == Extent::NamesOnly {
            let is_meant = |name: &&StreamName| !selection.has_name(name) && selection.matches(name);
            for name in self.losses.news_to(place).filter(is_meant) {
                names.insert(name);
                if names.len() > LOST_NAMES_MAX {
                    names.pop_last();
                }
            }
        }
        let forgotten = self.forgotten_under(selection).is_some_and(|loss| loss.is_news_to(place));
        let streams: Vec<_> = names.into_iter().take(LOST_NAMES_MAX).cloned().collect();
        (forgotten || !streams.is_empty()).then_some(Lost { streams, known: self.tail })
    }

    fn horizon(&self, selection: &Selection, candidates: &Candidates<'_>, position: Position) -> Position {
        let reach = |candidate: &Candidate<'_>| {
            let end = candidate.past.filter(|_| candidate.by == By::Name).map(|past| past.reach());
            self.losses_of(candidate).map(|loss| loss.upto).chain(end).max()
        };
        let mut horizon = candidates.streams.iter().filter_map(reach).max();
        if candidates.extent == Extent::NamesOnly {
            let mut beyond = self.losses.reaching_beyond(position);
            horizon = horizon.max(beyond.find(|(_, name)| selection.matches(name)).map(|(upto, _)| upto));
        }
        horizon = horizon.max(self.forgotten_under(selection).map(|loss| loss.upto));
        horizon.filter(|horizon| *horizon > position).unwrap_or(Position::ZERO)
    }

    /// What was lost of one stream, as far as whoever selected it so has to be told.
    fn losses_of(&self, candidate: &Candidate<'_>) -> impl Iterator<Item = Loss> {
        let trim = candidate.life.and_then(|life| life.trim);
        let gone = candidate.past.and_then(|past| match candidate.by {
            By::Name => past.loss_by_name(),
            By::Pattern => past.loss,
        });
        [trim, gone, self.forgotten_of(candidate)].into_iter().flatten()
    }

    /// A named stream of which no past is remembered may be one whose past was forgotten, if that was before
    /// it was made.
    fn forgotten_of(&self, candidate: &Candidate<'_>) -> Option<Loss> {
        if candidate.by == By::Pattern || candidate.past.is_some() {
            return None;
        }
        let made = candidate.life.map_or(self.tail, |life| life.start);
        let forgotten = self.pasts.forgotten?;
        Some(Loss { upto: forgotten.upto.min(made), ..forgotten })
    }

    /// A pattern may mean streams of which not even the name is remembered.
    fn forgotten_under(&self, selection: &Selection) -> Option<Loss> {
        self.pasts.forgotten.filter(|_| !selection.patterns().is_empty())
    }
}

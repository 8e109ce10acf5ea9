//! Queries: reading on from a place gives records, losses and how far they go, as of one moment.
//!
//! There are two ways to find the records of a selection. The events of few streams are merged (`merge.rs`); where
//! patterns match many, the log's own order is scanned (`scan.rs`). Cold events are read in the same two ways, on a
//! thread that may wait for the disk ([`Cold`]).
//!
//! Invariant: the cost is bounded by what is returned and by the cheaper of the two ways, or by
//! [`WORK_MAX`](super::retention::work::WORK_MAX); never by the length of the log. Only reading cold events waits.

mod batch_builder;
mod candidates;
mod cold;
mod cold_read;
mod ended;
mod ends;
mod locate;
mod merge;
mod scan;

pub use cold::{ColdEvent, ColdEvents, ColdRange};

use std::collections::BTreeSet;

use batch_builder::{BatchBuilder, Found};
use candidates::{Candidate, Candidates, Extent, SelectedBy};
pub(super) use cold_read::ColdRead;
use cold_read::{ColdBatch, ColdLife, ResolvedScan};
use ends::ends_upto;
pub(super) use locate::Locating;
pub use locate::Search;
use merge::{HotEvents, merge};
use scan::finished;

use super::{
    log::LogState,
    retention::{
        losses::Loss,
        work::{Spent, Work},
    },
};
use crate::{
    Batch, EngineError, LOST_NAMES_MAX, Lost, Place, Position, Query, QueryReply, ReadLimits, Selection,
    Stopped, StreamName,
};

/// The most streams that one read looks up by name because of patterns. Few in tests, so that some reads scan.
const CANDIDATES_MAX: u64 = if cfg!(test) { 3 } else { 1024 };

/// How far a query has come.
#[derive(Debug)]
pub enum QueryProgress {
    /// It is done.
    Ready(QueryReply),
    /// It is long: yield, then call [`LogState::continue_query`].
    More(Search),
    /// The rest is on the disk: call [`Cold::run`].
    Cold(Cold),
}

/// The part of a query that has to read the disk.
#[derive(Debug)]
pub struct Cold(ColdQuery);

#[derive(Debug)]
enum ColdQuery {
    Read(ColdRead),
    Search(Search),
}

/// The result of a read.
#[derive(Debug)]
pub(super) enum Read {
    /// All of it: it was in memory.
    Ready(Batch),
    /// Part of it is on the disk.
    Cold(ColdRead),
}

impl Cold {
    /// Runs it. Waits for the disk: don't call it on an async thread, or under the state's lock.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn run<C: ColdEvents>(self, cold: &C) -> Result<QueryProgress, C::Error> {
        match self.0 {
            ColdQuery::Read(read) => Ok(QueryProgress::Ready(QueryReply::Batch(read.run(cold)?))),
            ColdQuery::Search(search) => Ok(search.run(cold)?.into()),
        }
    }
}

impl From<Locating> for QueryProgress {
    fn from(locating: Locating) -> Self {
        match locating {
            Locating::Ready(located) => Self::Ready(QueryReply::Located(located)),
            Locating::More(search) => Self::More(search),
            Locating::Cold(search) => Self::Cold(Cold(ColdQuery::Search(search))),
        }
    }
}

impl LogState {
    /// Queries the log.
    ///
    /// # Errors
    /// [`EngineError::BeyondTail`].
    pub fn query(&self, query: Query<'_>) -> Result<QueryProgress, EngineError> {
        let reply = match query {
            Query::State(stream) => QueryReply::State(self.state(stream).map(Box::new)),
            Query::List { after, states_max } => QueryReply::List(self.list(after, states_max)),
            Query::EndedAt { selection, place } => QueryReply::Ends(self.ended_at(selection, place)),
            Query::Locate { selection, from } => return Ok(self.locate(selection, from).into()),
            Query::Read { selection, place, limits } => match self.read(selection, place, limits)? {
                Read::Ready(batch) => QueryReply::Batch(batch),
                Read::Cold(read) => return Ok(QueryProgress::Cold(Cold(ColdQuery::Read(read)))),
            },
        };
        Ok(QueryProgress::Ready(reply))
    }

    /// Continues a query.
    #[must_use]
    pub fn continue_query(&self, search: Search) -> QueryProgress {
        self.continue_search(search).into()
    }
}

impl LogState {
    /// Reads on from a place.
    ///
    /// # Errors
    /// [`EngineError::BeyondTail`].
    pub(super) fn read(
        &self,
        selection: &Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Result<Read, EngineError> {
        self.check_reached(place)?;
        let candidates = self.candidates_after(selection, place);
        let is_cold = place.position() < self.evicted_upto;
        if is_cold && candidates.extent == Extent::NamesOnly {
            return Ok(Read::Cold(ColdRead::scan(selection, place, limits)));
        }
        let lost = self.lost(selection, &candidates, place);
        let horizon = self.horizon(selection, &candidates, place);
        let lives = if is_cold { self.cold_lives(&candidates.streams, place) } else { Vec::new() };
        if !lives.is_empty() {
            let evicted_upto = self.evicted_upto;
            let ends = ends_upto(&candidates.streams, place, evicted_upto);
            let rest = self.hot(selection, &candidates, place.advanced_to(evicted_upto), limits);
            let batch = ColdBatch { lives, ends, evicted_upto, rest, lost, horizon };
            return Ok(Read::Cold(ColdRead::merge(batch, limits)));
        }
        let Found { records, upto, stopped } = self.hot(selection, &candidates, place, limits);
        Ok(Read::Ready(Batch { records, upto, stopped, lost, horizon }))
    }

    /// The records after `place`; none of them is cold.
    fn hot(
        &self,
        selection: &Selection,
        candidates: &Candidates<'_>,
        place: Place,
        limits: ReadLimits,
    ) -> Found {
        match candidates.extent {
            Extent::All => self.merge_hot(&candidates.streams, place, limits),
            Extent::NamesOnly => self.scan_hot(selection, &candidates.streams, place, limits),
        }
    }

    /// The records of these streams after `place`; none of them is cold.
    fn merge_hot(&self, streams: &[Candidate<'_>], place: Place, limits: ReadLimits) -> Found {
        let mut ends = ends_upto(streams, place, self.tail);
        let lives = streams.iter().filter_map(|candidate| candidate.life);
        let mut events: Vec<_> = lives.map(|life| HotEvents::after(life, place.position())).collect();
        let mut builder = BatchBuilder::new(limits);
        let Ok(fit) = merge(&mut events, &mut ends, &mut builder);
        finished(fit, ends, builder, self.tail, Stopped::Tail)
    }

    /// The cold events of these streams after `place`, of those that have any.
    fn cold_lives(&self, streams: &[Candidate<'_>], place: Place) -> Vec<ColdLife> {
        let cold_life = |candidate: &Candidate<'_>| {
            let life = candidate.life.filter(|life| life.cold.reaches_beyond(place.position()))?;
            let before_first = Position(life.first()?.position.0 - 1);
            let after = place.position().max(before_first);
            let range = ColdRange { life: life.start, after, upto: life.cold.last?.position };
            Some(ColdLife { stream: candidate.name.clone(), slow: life.settings.slow, range })
        };
        streams.iter().filter_map(cold_life).collect()
    }

    /// Which of the cold events that a scan found are kept, and what follows in memory: the second part of a read,
    /// after its scan from `place` to `upto`. Anything gone by now is reported as lost.
    fn resolve_scan<'a>(
        &self,
        selection: &Selection,
        place: Place,
        scanned: impl Iterator<Item = (&'a StreamName, Position)>,
        upto: Position,
        limits: ReadLimits,
    ) -> ResolvedScan {
        let candidates = self.candidates_after(selection, place);
        let slow = |(stream, position)| {
            let life = self.lives.get(stream)?;
            life.keeps(position).then_some(life.settings.slow)
        };
        let follows = |upto| self.hot(selection, &candidates, place.advanced_to(upto), limits);
        ResolvedScan {
            kept: scanned.map(slow).collect(),
            ends: ends_upto(&candidates.streams, place, upto),
            lost: self.lost(selection, &candidates, place),
            horizon: self.horizon(selection, &candidates, place),
            rest: (upto >= self.evicted_upto).then(|| follows(upto)),
        }
    }

    fn candidates_after<'a>(&'a self, selection: &'a Selection, place: Place) -> Candidates<'a> {
        // Visiting the records since `place` is the upper bound: at the tail, none.
        let span = self.tail.0.saturating_sub(place.position().0);
        self.candidates(selection, span.min(CANDIDATES_MAX), &mut Work::new())
    }

    fn lost(&self, selection: &Selection, candidates: &Candidates<'_>, place: Place) -> Option<Lost> {
        let mut names: BTreeSet<&StreamName> = BTreeSet::new();
        for candidate in &candidates.streams {
            if self.losses_of(candidate).any(|loss| loss.is_news_to(place)) {
                names.insert(candidate.name);
            }
        }
        let looked = match candidates.extent {
            Extent::All => Spent::Enough,
            Extent::NamesOnly => self.lost_by_pattern(selection, place, &mut names),
        };
        let forgotten = self.forgotten_under(selection).is_some_and(|loss| loss.is_news_to(place));
        let streams: Vec<_> = names.into_iter().take(LOST_NAMES_MAX).cloned().collect();
        // What was not checked may be a loss: better to tell it once too often than never.
        let is_told = forgotten || looked == Spent::UsedUp || !streams.is_empty();
        is_told.then_some(Lost { streams, told_upto: self.tail })
    }

    /// Adds the streams that match a pattern and lost something, as far as the budget goes.
    fn lost_by_pattern<'a>(
        &'a self,
        selection: &Selection,
        place: Place,
        names: &mut BTreeSet<&'a StreamName>,
    ) -> Spent {
        let mut work = Work::new();
        for (loss, name) in self.losses.recorded_after(place) {
            let spent = match loss.is_news_to(place) {
                true => work.spend_match(selection, name),
                false => work.spend_one(),
            };
            if spent == Spent::UsedUp {
                return spent;
            }
            if loss.is_news_to(place) && !selection.has_name(name) && selection.matches(name) {
                names.insert(name);
                if names.len() > LOST_NAMES_MAX {
                    names.pop_last();
                }
            }
        }
        Spent::Enough
    }

    fn horizon(&self, selection: &Selection, candidates: &Candidates<'_>, place: Place) -> Position {
        let position = place.position();
        let reach = |candidate: &Candidate<'_>| {
            let losses = self.losses_of(candidate).map(|loss| loss.upto);
            losses.chain(never_met_before(candidate, place)).max()
        };
        let mut horizon = candidates.streams.iter().filter_map(reach).max();
        if candidates.extent == Extent::NamesOnly {
            horizon = horizon.max(self.horizon_by_pattern(selection, position));
        }
        horizon = horizon.max(self.forgotten_under(selection).map(|loss| loss.upto));
        horizon.filter(|horizon| *horizon > position).unwrap_or(Position::ZERO)
    }

    /// The farthest loss, as far as the budget goes; beyond the budget, the farthest that an unchecked loss may
    /// reach.
    fn horizon_by_pattern(&self, selection: &Selection, position: Position) -> Option<Position> {
        let mut work = Work::new();
        for (upto, name) in self.losses.reaching_beyond(position) {
            let is_used_up = work.spend_match(selection, name) == Spent::UsedUp;
            // The losses of named streams were checked by name.
            if is_used_up || (!selection.has_name(name) && selection.matches(name)) {
                return Some(upto);
            }
        }
        None
    }

    /// The losses of one stream that a reader has to be told of, given how it selected the stream.
    fn losses_of(&self, candidate: &Candidate<'_>) -> impl Iterator<Item = Loss> {
        let trim = candidate.life.and_then(|life| life.trim);
        let gone = candidate.tombstone.and_then(|tombstone| match candidate.by {
            SelectedBy::Name => tombstone.loss_by_name(),
            SelectedBy::Pattern => tombstone.loss,
        });
        [trim, gone, self.forgotten_of(candidate)].into_iter().flatten()
    }

    /// A named stream without a tombstone may have had one that was forgotten, if that was before its life.
    fn forgotten_of(&self, candidate: &Candidate<'_>) -> Option<Loss> {
        if candidate.by == SelectedBy::Pattern || candidate.tombstone.is_some() {
            return None;
        }
        let made = candidate.life.map_or(self.tail, |life| life.start);
        let forgotten = self.tombstones.forgotten?;
        Some(Loss { upto: forgotten.upto.min(made), ..forgotten })
    }

    /// A pattern may match streams whose names were forgotten.
    fn forgotten_under(&self, selection: &Selection) -> Option<Loss> {
        self.tombstones.forgotten.filter(|_| !selection.patterns().is_empty())
    }
}

/// The position up to which an id has to say that the reader never met the end of this stream: its last life ended
/// before the reader's first request, and the reader has not reached a new one.
fn never_met_before(candidate: &Candidate<'_>, place: Place) -> Option<Position> {
    let tombstone = candidate.tombstone.filter(|_| candidate.by == SelectedBy::Name)?;
    let recreated_at = candidate.life.map_or(Position::MAX, |life| life.start);
    (tombstone.at <= place.asked_at()).then_some(recreated_at)
}

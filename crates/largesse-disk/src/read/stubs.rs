//! What retention needs to know about cold events: their stubs, from the indexes and from the heads in the
//! segments.
//!
//! Invariant: it reads as much as requested, in the order of the segments. Does not know which events are kept.

use largesse_log::{
    EngineError, Position, StreamName,
    state::{OrderWanted, RunWanted, Stub, StubsFound, StubsWanted},
};

use super::{ColdReader, SegmentScan, scanned};
use crate::{
    index::{Entry, IndexError, Postings, StreamEpoch},
    segments::{Segment, number_of},
};

impl ColdReader {
    /// Reads the stubs that retention wants.
    ///
    /// # Errors
    /// A segment or index can't be read.
    pub(crate) fn stubs(&self, wanted: &StubsWanted) -> Result<StubsFound, EngineError> {
        let runs = wanted.runs.iter().map(|run| self.stubs_of(run)).collect::<Result<_, _>>()?;
        let order = wanted.order.map(|order| self.in_order(order)).transpose()?.unwrap_or_default();
        Ok(StubsFound { runs, order })
    }

    fn stubs_of(&self, wanted: &RunWanted) -> Result<Vec<Stub>, EngineError> {
        let list = self.list();
        let mut found: Vec<Stub> = Vec::new();
        for segment in &list[number_of(&list, wanted.after)..] {
            let after = found.last().map_or(wanted.after, |stub| stub.position);
            let entries = run_in(segment, StreamEpoch(wanted.life), after, wanted.stubs - found.len());
            found.extend(entries.map_err(|error| segment.unreadable(error))?.iter().map(stub));
            if found.len() >= wanted.stubs {
                break;
            }
        }
        Ok(found)
    }

    fn in_order(&self, wanted: OrderWanted) -> Result<Vec<(StreamName, Stub)>, EngineError> {
        let list = self.list();
        let mut found = Vec::new();
        for segment in &list[number_of(&list, wanted.after)..] {
            if found.len() >= wanted.stubs {
                break;
            }
            let mut scan = SegmentScan::after(segment, wanted.after, self.salt)?;
            while found.len() < wanted.stubs {
                let Some(event) = scan.next()? else { break };
                let (stream, event) = scanned(segment, event);
                found.push((stream, event.stub));
            }
        }
        Ok(found)
    }
}

/// The entries of a life after `after` in one segment, at most `entries_max`.
pub(super) fn run_in(
    segment: &Segment,
    life: StreamEpoch,
    after: Position,
    entries_max: usize,
) -> Result<Vec<Entry>, IndexError> {
    segment.index.ask(|index| {
        let Some(postings) = index.postings(life)?.filter(|postings: &Postings| postings.last > after) else {
            return Ok(Vec::new());
        };
        let from = if postings.first > after { 0 } else { index.upto(&postings, after)? };
        index.entries(&postings, from, entries_max)
    })
}

pub(super) fn stub(entry: &Entry) -> Stub {
    Stub { position: entry.position, time: entry.time, counted_bytes: u64::from(entry.counted_bytes) }
}

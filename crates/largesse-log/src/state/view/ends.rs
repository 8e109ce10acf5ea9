//! The ends of named streams that are still ahead of a reader.
//!
//! Does not know events.

use std::collections::VecDeque;

use super::candidates::{Candidate, SelectedBy};
use crate::{EndReason, Place, Position, Record, StreamName};

/// Ends of these streams after `place` and up to `upto`, in log order.
pub(super) fn ends_upto(streams: &[Candidate<'_>], place: Place, upto: Position) -> VecDeque<Record> {
    let mut ends: Vec<_> = streams.iter().flat_map(|candidate| ends_of(candidate, place)).collect();
    ends.retain(|end| end.position() <= upto);
    ends.sort_unstable_by_key(Record::position);
    ends.into()
}

/// The ends of one stream that are still ahead of a reader at `place`; of named streams only.
fn ends_of<'a>(candidate: &Candidate<'a>, place: Place) -> impl Iterator<Item = Record> + 'a {
    let Candidate { name, by, life, tombstone } = *candidate;
    let tombstone = tombstone
        .filter(|tombstone| tombstone.end_is_news_to(place))
        .map(|tombstone| (tombstone.end, tombstone.reason));
    let current = life.and_then(|life| life.end).map(|end| (end.position, EndReason::Closed));
    let current = current.filter(|(position, _)| *position > place.position());
    let ends = tombstone.into_iter().chain(current).filter(move |_| by == SelectedBy::Name);
    ends.map(|(position, reason)| end_record(name, position, reason))
}

fn end_record(name: &StreamName, position: Position, reason: EndReason) -> Record {
    Record::End { stream: name.clone(), position, reason }
}

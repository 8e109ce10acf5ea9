//! The streams, existing or gone, that a selection matches.
//!
//! Invariant: each stream is found once, by its name if it was named. The search costs no more than the caller
//! allows; beyond that, patterns have to be answered from the log's own order. Does not read events.

use std::ops::Bound::{Included, Unbounded};

use crate::{
    Pattern, Selection, StreamName,
    state::{
        LogState,
        life::Life,
        retention::{
            tombstones::Tombstone,
            work::{Spent, Work},
        },
    },
};

/// How a stream was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelectedBy {
    Name,
    Pattern,
}

/// A matching stream.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) name: &'a StreamName,
    pub(super) by: SelectedBy,
    pub(super) life: Option<&'a Life>,
    pub(super) tombstone: Option<&'a Tombstone>,
}

/// The matching streams.
pub(super) struct Candidates<'a> {
    /// All that were named; all that match a pattern, or none of these when there are too many.
    pub(super) streams: Vec<Candidate<'a>>,
    pub(super) extent: Extent,
}

/// Whether all matching streams were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    All,
    /// Streams selected by pattern are not among them.
    NamesOnly,
}

impl LogState {
    /// Finds the streams of a selection, if patterns need no more than `looks_max` lookups.
    pub(super) fn candidates<'a>(
        &'a self,
        selection: &'a Selection,
        looks_max: u64,
        work: &mut Work,
    ) -> Candidates<'a> {
        let names = selection.names().iter();
        let named = names.map(|name| self.candidate(name, SelectedBy::Name)).collect::<Vec<_>>();
        let mut streams = named.clone();
        let mut looks_left = looks_max;
        for (index, pattern) in selection.patterns().iter().enumerate() {
            if self.has_more_under(pattern.literal_prefix(), looks_left) {
                return Candidates { streams: named, extent: Extent::NamesOnly };
            }
            let earlier = &selection.patterns()[..index];
            for name in self.names_under(pattern.literal_prefix()) {
                if looks_left == 0 || work.spend_match(selection, name) == Spent::UsedUp {
                    return Candidates { streams: named, extent: Extent::NamesOnly };
                }
                looks_left -= 1;
                if is_found_first(name, pattern, earlier) && !selection.has_name(name) {
                    streams.push(self.candidate(name, SelectedBy::Pattern));
                }
            }
        }
        Candidates { streams, extent: Extent::All }
    }

    fn candidate<'a>(&'a self, name: &'a StreamName, by: SelectedBy) -> Candidate<'a> {
        Candidate { name, by, life: self.lives.get(name), tombstone: self.tombstones.by_name.get(name) }
    }

    /// Whether more than `names` streams have names that begin with `prefix`. Far cheaper than looking each up, and
    /// mostly decisive where a pattern matches many.
    fn has_more_under(&self, prefix: &str, names: u64) -> bool {
        let names = usize::try_from(names).unwrap_or(usize::MAX);
        let next = self.lives.names_from(Included(prefix)).nth(names);
        next.is_some_and(|name| name.as_str().starts_with(prefix))
    }

    /// Names that begin with `prefix`: of existing streams, then of those that are gone.
    fn names_under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a StreamName> {
        let range = (Included(prefix), Unbounded);
        let there = self.lives.names_from(Included(prefix));
        let gone = self.tombstones.by_name.range::<_, str>(range).map(|(name, _)| name);
        let is_under = move |name: &&StreamName| name.as_str().starts_with(prefix);
        let gone = gone.take_while(is_under).filter(|name| !self.lives.contains(name));
        there.take_while(is_under).chain(gone)
    }
}

fn is_found_first(name: &StreamName, pattern: &Pattern, earlier: &[Pattern]) -> bool {
    pattern.matches(name) && !earlier.iter().any(|earlier| earlier.matches(name))
}

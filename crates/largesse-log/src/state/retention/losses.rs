//! The streams that lost events, by when the loss was recorded and by what was lost.
//!
//! Invariant: both indexes have the same losses: at most one for a stream's life, and one for its tombstone.
//! Does not know why events were lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Place, Position, StreamName};

/// Events of one stream that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The position of the last event that is gone.
    pub upto: Position,
    /// Where in the log the loss was recorded; after `upto`.
    pub at: Position,
}

impl Loss {
    /// Whether a reader at `place` has to be told of it.
    pub(in crate::state) fn is_news_to(self, place: Place) -> bool {
        self.upto > place.position() && self.at > place.told_upto()
    }
}

/// The losses of all streams.
#[derive(Default)]
pub(in crate::state) struct Losses {
    /// By `at`, with `upto`.
    by_at: BTreeMap<(Position, StreamName), Position>,
    by_upto: BTreeSet<(Position, StreamName)>,
}

impl Losses {
    pub(in crate::state) fn insert(&mut self, name: &StreamName, loss: Option<Loss>) {
        if let Some(Loss { upto, at }) = loss {
            self.by_at.insert((at, name.clone()), upto);
            self.by_upto.insert((upto, name.clone()));
        }
    }

    pub(in crate::state) fn remove(&mut self, name: &StreamName, loss: Option<Loss>) {
        if let Some(Loss { upto, at }) = loss {
            self.by_at.remove(&(at, name.clone()));
            self.by_upto.remove(&(upto, name.clone()));
        }
    }

    /// Losses recorded after those that a reader at `place` knows of, the newest first.
    pub(in crate::state) fn recorded_after(&self, place: Place) -> impl Iterator<Item = (Loss, &StreamName)> {
        let losses = self.by_at.iter().rev().take_while(move |((at, _), _)| *at > place.told_upto());
        losses.map(|((at, name), upto)| (Loss { upto: *upto, at: *at }, name))
    }

    /// Losses that reach beyond `position`, the farthest first.
    pub(in crate::state) fn reaching_beyond(
        &self,
        position: Position,
    ) -> impl Iterator<Item = (Position, &StreamName)> {
        let beyond = self.by_upto.iter().rev().take_while(move |(upto, _)| *upto > position);
        beyond.map(|(upto, name)| (*upto, name))
    }
}

//! What is remembered of streams that are gone: where they ended, and what was lost with them.
//!
//! Invariants: one tombstone for a name, that of its last life; both indexes have the same tombstones; `forgotten`
//! covers every forgotten one. Does not know the streams that exist.

use std::collections::BTreeMap;

use imbl::OrdMap;

use crate::state::{life::entry_bytes, retention::losses::Loss};
use crate::{EndReason, Place, Position, StreamName};

/// What is remembered of a stream's last life.
#[derive(Clone, Copy)]
pub(in crate::state) struct Tombstone {
    /// Where readers meet its end.
    pub(in crate::state) end: Position,
    pub(in crate::state) reason: EndReason,
    /// Where its removal was recorded; for a deletion that is the end.
    pub(in crate::state) at: Position,
    /// What pattern readers lost with it, or with a life before it.
    pub(in crate::state) loss: Option<Loss>,
}

impl Tombstone {
    /// Whether the end is still ahead of a reader at `place` who named the stream.
    pub(in crate::state) fn end_is_news_to(&self, place: Place) -> bool {
        self.end > place.position() && self.at > place.asked_at()
    }

    /// Whether a reader at `place` who named the stream has passed its end. It has not if the stream was gone
    /// before its first request.
    pub(in crate::state) fn end_was_met_by(&self, place: Place) -> bool {
        self.end <= place.position() && self.at > place.asked_at()
    }

    /// What a reader who named the stream lost. A deletion is reported by its end instead.
    pub(in crate::state) fn loss_by_name(&self) -> Option<Loss> {
        match self.reason {
            EndReason::Closed => self.loss,
            EndReason::Deleted => None,
        }
    }

    /// The last position that matters to a reader who named the stream.
    pub(in crate::state) fn reach(&self) -> Position {
        self.loss.map_or(self.end, |loss| loss.upto.max(self.end))
    }
}

/// The tombstones of all streams.
#[derive(Default)]
pub(in crate::state) struct Tombstones {
    /// A persistent map, so that a checkpoint can copy it at once.
    pub(in crate::state) by_name: OrdMap<StreamName, Tombstone>,
    by_at: BTreeMap<Position, StreamName>,
    /// The union of all forgotten tombstones.
    pub(in crate::state) forgotten: Option<Loss>,
    pub(in crate::state) bytes: u64,
}

impl Tombstones {
    /// Adds a tombstone. Returns the earlier one of the same name, which it replaces.
    pub(in crate::state) fn insert(&mut self, name: &StreamName, tombstone: Tombstone) -> Option<Tombstone> {
        self.by_at.insert(tombstone.at, name.clone());
        let earlier = self.by_name.insert(name.clone(), tombstone);
        match &earlier {
            Some(earlier) => {
                self.by_at.remove(&earlier.at);
            }
            None => self.bytes += entry_bytes(name),
        }
        earlier
    }

    /// Where removals were recorded, and of which streams; the oldest first.
    pub(in crate::state) fn oldest(&self) -> impl Iterator<Item = (Position, &StreamName)> {
        self.by_at.iter().map(|(at, name)| (*at, name))
    }

    /// Compares the sum and the index with the tombstones.
    pub(in crate::state) fn check_invariants(&self) {
        assert_eq!(self.bytes, self.by_name.keys().map(entry_bytes).sum::<u64>());
        assert_eq!(self.by_at.len(), self.by_name.len());
        let is_indexed =
            |(name, tombstone): (&StreamName, &Tombstone)| self.by_at.get(&tombstone.at) == Some(name);
        assert!(self.by_name.iter().all(is_indexed), "each tombstone is indexed by its position");
    }

    /// Forgets the oldest removal; from now on, readers that might have missed it are told of a loss.
    pub(in crate::state) fn forget_oldest(&mut self) -> Option<(StreamName, Tombstone)> {
        let (_, name) = self.by_at.pop_first()?;
        let tombstone = self.by_name.remove(&name)?;
        self.bytes -= entry_bytes(&name);
        let mut forgotten = Loss { upto: tombstone.reach(), at: tombstone.at };
        for earlier in [tombstone.loss, self.forgotten].into_iter().flatten() {
            forgotten.upto = forgotten.upto.max(earlier.upto);
            forgotten.at = forgotten.at.max(earlier.at);
        }
        self.forgotten = Some(forgotten);
        Some((name, tombstone))
    }
}

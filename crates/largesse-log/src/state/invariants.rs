//! The invariants of the log's state between two commands, recomputed from the entries.
//!
//! In builds with debug assertions the state checks itself regularly: after as many commands as it has entries, so that
//! the cost per command is about that of one entry. So tests, simulations and fuzzing check it without a call.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    life::{Life, entry_bytes},
    log::LogState,
};
use crate::{Event, Place, Position, StreamName};

impl LogState {
    /// Compares the sums and indexes with the entries.
    ///
    /// # Panics
    /// When one of them is wrong, which is a bug.
    pub fn check_invariants(&self) {
        self.check_sums();
        self.check_order();
        self.check_losses();
        self.tombstones.check_invariants();
        self.keys.check_invariants();
        let scheduled = self.lives.iter().filter(|(_, life)| life.scheduled.is_some()).count();
        assert_eq!(self.due.len(), scheduled, "each stream is due at most once");
        for (name, life) in self.lives.iter() {
            life.check_invariants();
            self.check_scheduled(name, life);
        }
    }

    /// Checks, once enough commands were applied since the last check.
    pub(super) fn check_in_turn(&mut self) {
        self.unchecked_commands += 1;
        let entries = self.order.len() + self.lives.len() + self.tombstones.by_name.len() + self.keys.len();
        if self.unchecked_commands > entries {
            self.unchecked_commands = 0;
            self.check_invariants();
        }
    }

    fn check_sums(&self) {
        let lives = || self.lives.iter();
        assert_eq!(self.hot_bytes, self.order.values().map(|event| event.counted_bytes()).sum::<u64>());
        assert_eq!(self.events_bytes, lives().map(|(_, life)| life.bytes).sum::<u64>());
        assert_eq!(self.lives_bytes, lives().map(|(name, _)| entry_bytes(name)).sum::<u64>());
    }

    /// `order` has exactly the hot events of all lives and those of `pending_free`, after `evicted_upto`.
    fn check_order(&self) {
        let is_in_order =
            |event: &Arc<Event>| self.order.get(&event.position).is_some_and(|at| Arc::ptr_eq(at, event));
        let hot = || self.lives.iter().flat_map(|(_, life)| &life.hot);
        assert!(hot().all(is_in_order), "each hot event is in the order");
        // Retention may have removed events of `pending_free` from the order.
        let pending = self.pending_free.iter().flatten().filter(|event| is_in_order(event)).count();
        assert_eq!(self.order.len(), hot().count() + pending, "each event in the order is hot or pending");
        assert!(self.order.first_key_value().is_none_or(|(first, _)| *first > self.evicted_upto));
        assert!(self.order.last_key_value().is_none_or(|(last, _)| *last <= self.tail));
    }

    fn check_losses(&self) {
        let of_lives = self.lives.iter().filter_map(|(name, life)| Some((life.trim?.upto, name)));
        let of_tombstones =
            self.tombstones.by_name.iter().filter_map(|(name, tombstone)| Some((tombstone.loss?.upto, name)));
        let losses: BTreeSet<_> = of_lives.chain(of_tombstones).collect();
        let indexed: BTreeSet<_> = self.losses.reaching_beyond(Position::ZERO).collect();
        assert_eq!(indexed, losses);
        assert_eq!(self.losses.recorded_after(Place::default()).count(), losses.len());
    }

    fn check_scheduled(&self, name: &StreamName, life: &Life) {
        if let Some(scheduled) = life.scheduled {
            assert!(self.due.contains(&(scheduled, name.clone())), "{name} is due at its scheduled time");
        }
        // At the time when it is due, or a while later after a leap of the clock.
        assert!(life.scheduled.is_some() || life.due().is_none(), "{name} is scheduled");
    }
}

impl Life {
    fn check_invariants(&self) {
        let hot_bytes: u64 = self.hot.iter().map(|event| event.counted_bytes()).sum();
        assert_eq!(self.bytes, self.cold.bytes + hot_bytes);
        let cold = [self.cold.first, self.cold.last].into_iter().flatten().map(|stub| stub.position);
        let positions: Vec<_> = cold.chain(self.hot.iter().map(|event| event.position)).collect();
        assert!(positions.is_sorted() && positions.iter().all(|position| self.start <= *position));
        assert!(self.end.is_none_or(|end| positions.last().is_none_or(|last| *last < end.position)));
        assert_eq!(self.cold.events == 0, self.cold.last.is_none());
    }
}

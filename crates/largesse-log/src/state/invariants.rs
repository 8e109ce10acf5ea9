//! What holds of the log's state between two commands, checked from nothing but the entries.
//!
//! In builds with debug assertions the state checks itself now and then: after as many commands as it has entries, so that
//! a command costs about as much more as one entry. So tests, simulations and fuzzing check it without asking.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    life::{Life, entry_bytes},
    log::LogState,
};
use crate::{Event, Place, Position, StreamName};

impl LogState {
    /// Holds the sums and indexes against what they are of.
    ///
    /// # Panics
    /// When one of them is wrong, which is a bug.
    pub fn check_invariants(&self) {
        self.check_sums();
        self.check_order();
        self.check_losses();
        self.pasts.check_invariants();
        self.keys.check_invariants();
        let scheduled = self.lives.iter().filter(|(_, life)| life.scheduled.is_some()).count();
        assert_eq!(self.due.len(), scheduled, "each stream is due once at most");
        for (name, life) in self.lives.iter() {
            life.check_invariants();
            self.check_scheduled(name, life);
        }
    }

    /// Checks, when it is time.
    pub(super) fn check_in_turn(&mut self) {
        self.unchecked_commands += 1;
        let entries = self.order.len() + self.lives.len() + self.pasts.by_name.len() + self.keys.len();
        if self.unchecked_commands > entries {
            self.unchecked_commands = 0;
            self.check_invariants();
        }
    }

    fn check_sums(&self) {
        let lives = || self.lives.iter();
        assert_eq!(self.young_bytes, self.order.values().map(|event| event.counted_bytes()).sum::<u64>());
        assert_eq!(self.events_bytes, lives().map(|(_, life)| life.bytes).sum::<u64>());
        assert_eq!(self.lives_bytes, lives().map(|(name, _)| entry_bytes(name)).sum::<u64>());
    }

    /// The order has just the young events of all lives and graves, after the floor.
    fn check_order(&self) {
        let is_in_order =
            |event: &Arc<Event>| self.order.get(&event.position).is_some_and(|at| Arc::ptr_eq(at, event));
        let young = || self.lives.iter().flat_map(|(_, life)| &life.young);
        assert!(young().all(is_in_order), "what is young is in the order");
        // What was buried may have left the order, by retention.
        let buried = self.graves.iter().flatten().filter(|event| is_in_order(event)).count();
        assert_eq!(self.order.len(), young().count() + buried, "what is in the order is young, or buried");
        assert!(self.order.first_key_value().is_none_or(|(first, _)| *first > self.floor));
        assert!(self.order.last_key_value().is_none_or(|(last, _)| *last <= self.tail));
    }

    fn check_losses(&self) {
        let of_lives = self.lives.iter().filter_map(|(name, life)| Some((life.trim?.upto, name)));
        let of_pasts = self.pasts.by_name.iter().filter_map(|(name, past)| Some((past.loss?.upto, name)));
        let losses: BTreeSet<_> = of_lives.chain(of_pasts).collect();
        let indexed: BTreeSet<_> = self.losses.reaching_beyond(Position::ZERO).collect();
        assert_eq!(indexed, losses);
        assert_eq!(self.losses.recorded_after(Place::default()).count(), losses.len());
    }

    fn check_scheduled(&self, name: &StreamName, life: &Life) {
        if let Some(scheduled) = life.scheduled {
            assert!(self.due.contains(&(scheduled, name.clone())), "{name} is due when it says");
        }
        // When it is due, or after a leap of the time that it was spared, a while later.
        assert!(life.scheduled.is_some() || life.due().is_none(), "{name} is looked at");
    }
}

impl Life {
    fn check_invariants(&self) {
        let young_bytes: u64 = self.young.iter().map(|event| event.counted_bytes()).sum();
        assert_eq!(self.bytes, self.old.bytes + young_bytes);
        let old = [self.old.first, self.old.last].into_iter().flatten().map(|stub| stub.position);
        let positions: Vec<_> = old.chain(self.young.iter().map(|event| event.position)).collect();
        assert!(positions.is_sorted() && positions.iter().all(|position| self.start <= *position));
        assert!(self.end.is_none_or(|end| positions.last().is_none_or(|last| *last < end.position)));
        assert_eq!(self.old.events == 0, self.old.last.is_none());
    }
}

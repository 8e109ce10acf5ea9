//! What time takes away: old events, streams closed long ago, old keys, and what deletions left.
//!
//! Invariant: a step looks at one stream or one key, and at one piece of a grave, so the lock is held for a bounded
//! time; a step with nothing to do looks at the first entry of the indexes. Does not know how often it is called.

use super::{log::LogState, slot::Slot, work::DROPS_MAX};
use crate::{EndReason, StreamName, Sweep, UnixMs};

impl LogState {
    /// Takes one step, and says whether another is due now. Takes no position beyond [`Slot::end`].
    pub fn sweep_step(&mut self, slot: Slot) -> Sweep {
        let now = slot.now;
        if !self.has_due(now) {
            return Sweep::Done;
        }
        let tail = self.tail;
        self.begin(slot);
        let begun = self.tail;
        self.clear_grave();
        if self.due.first().is_some_and(|(due, _)| *due <= now) {
            self.sweep_first(now);
        } else if self.keys.has_due(now) {
            self.keys.forget_first();
        }
        if self.tail == begun {
            // It recorded nothing. What it was taken for (a grave, a look too early) is not written down anywhere: a
            // log that was opened again has to come to the same tail without it.
            self.tail = tail;
        }
        if self.has_due(now) { Sweep::More } else { Sweep::Done }
    }

    /// Whether a step has something to do.
    #[must_use]
    pub fn has_due(&self, now: UnixMs) -> bool {
        let is_due = |(due, _): &(UnixMs, StreamName)| *due <= now;
        !self.graves.is_empty() || self.due.first().is_some_and(is_due) || self.keys.has_due(now)
    }

    /// Frees a piece of what deletions left. Each publish does, too, so that deleting and publishing in turn
    /// does not fill the memory.
    pub(super) fn clear_grave(&mut self) {
        let Some(mut grave) = self.graves.pop_front() else { return };
        for _ in 0..DROPS_MAX {
            let Some(event) = grave.pop_front() else { return };
            self.drop_from_order(event.position);
        }
        self.graves.push_front(grave);
    }

    fn sweep_first(&mut self, now: UnixMs) {
        let Some((_, stream)) = self.due.pop_first() else { return };
        if let Some(life) = self.life_mut(&stream) {
            life.scheduled = None;
        }
        self.sweep_stream(&stream, now);
        self.schedule(&stream);
    }

    fn sweep_stream(&mut self, stream: &StreamName, now: UnixMs) {
        let Some(life) = self.lives.get(stream) else { return };
        match life.end.filter(|_| life.is_expired(now)) {
            Some(end) => {
                let at = self.take_position();
                self.retire(stream, end.position, EndReason::Closed, at);
            }
            None => self.trim_stream(stream, now, 0),
        }
    }
}

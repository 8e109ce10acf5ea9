//! What time takes away: old events, streams closed long ago, old keys.
//!
//! Invariant: a sweep with nothing to do looks at the first entry of two indexes. Does not know how often it
//! is called.

use std::num::NonZeroUsize;

use super::log::MemoryLog;
use crate::{EndReason, StreamName, Sweep, UnixMs};

impl MemoryLog {
    /// Each stream and each key that is looked at uses up one of the budget.
    pub(super) fn sweep(&mut self, now: UnixMs, budget: NonZeroUsize) -> Sweep {
        let mut left = budget.get();
        while self.has_due(now) {
            if left == 0 {
                return Sweep::More;
            }
            left -= 1;
            match self.due.first() {
                Some((due, _)) if *due <= now => self.sweep_first(now),
                _ => _ = self.keys.forget_first(),
            }
        }
        Sweep::Done
    }

    fn has_due(&self, now: UnixMs) -> bool {
        self.due.first().is_some_and(|(due, _)| *due <= now) || self.keys.has_due(now)
    }

    fn sweep_first(&mut self, now: UnixMs) {
        let Some((_, stream)) = self.due.pop_first() else { return };
        if let Some(life) = self.lives.get_mut(&stream) {
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
            None => self.trim_stream(stream, now),
        }
    }
}

//! Retention: the oldest events go when there is too much.
//!
//! Invariants: each event is dropped once, at the cost of a few looks into trees, so retention costs an append
//! as much as appends put in; what new settings or time make too much goes piece by piece, the rest at the next
//! sweep. Does not know when time has passed: the sweep asks.

use std::collections::BTreeMap;

use super::{log::MemoryLog, losses::Loss, work::DROPS_MAX};
use crate::{Position, StreamName, UnixMs};

impl MemoryLog {
    /// Drops what one stream has too much, by its own settings: all that `pushed` new events push out and a
    /// bounded piece more.
    pub(super) fn trim_stream(&mut self, stream: &StreamName, now: UnixMs, pushed: usize) {
        let mut upto = None;
        let mut left = pushed + DROPS_MAX;
        while self.lives.get(stream).is_some_and(|life| life.has_too_much(now)) {
            if left == 0 {
                self.schedule_at(stream, now);
                break;
            }
            left -= 1;
            match self.drop_oldest(stream) {
                Some(position) => upto = Some(position),
                None => break,
            }
        }
        if let Some(upto) = upto {
            let at = self.take_position();
            self.record_trim(stream, Loss { upto, at });
        }
    }

    /// Drops what the whole log has too much: the oldest first, be it an event or the memory of a stream that
    /// is gone. What was just appended stays: `check_fits` has seen that it fits.
    pub(super) fn trim_log(&mut self) {
        let mut trimmed: BTreeMap<StreamName, Position> = BTreeMap::new();
        while self.bytes() > self.limits.log_bytes_max {
            let oldest_event = self.order.first_key_value().map(|(position, event)| (*position, event));
            match (oldest_event, self.pasts.oldest_at()) {
                (Some((position, event)), past) if past.is_none_or(|at| position < at) => {
                    if self.life_of(event).is_some() {
                        let stream = event.stream.clone();
                        self.drop_oldest(&stream);
                        trimmed.insert(stream, position);
                    } else {
                        self.drop_from_order(position);
                    }
                }
                (_, Some(_)) => self.forget_oldest_past(),
                _ => break,
            }
        }
        if trimmed.is_empty() {
            return;
        }
        let at = self.take_position();
        for (stream, upto) in trimmed {
            self.record_trim(&stream, Loss { upto, at });
        }
    }

    fn drop_oldest(&mut self, stream: &StreamName) -> Option<Position> {
        let life = self.lives.get_mut(stream)?;
        let event = life.events.pop_front()?;
        life.bytes -= event.counted_bytes();
        self.drop_from_order(event.position);
        Some(event.position)
    }

    fn record_trim(&mut self, stream: &StreamName, loss: Loss) {
        if let Some(life) = self.lives.get_mut(stream) {
            let earlier = life.trim.replace(loss);
            self.losses.remove(stream, earlier);
            self.losses.insert(stream, Some(loss));
        }
    }
}

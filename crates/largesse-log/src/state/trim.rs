//! Retention: the oldest events go when there is too much.
//!
//! Invariants: each event is dropped once, at the cost of a few looks into trees, so retention costs an append
//! as much as appends put in; what new settings or time make too much goes piece by piece, the rest at the next
//! sweep. Does not know when time has passed: the sweep asks.

use std::collections::BTreeMap;

use super::{archive::Stub, log::LogState, losses::Loss, stamp::Stamp, work::DROPS_MAX};
use crate::{Position, StreamName};

/// Events in the archive that one step passes over because they are not kept.
const SKIPS_MAX: usize = 4_096;

impl LogState {
    /// Drops what one stream has too much, by its own settings: all that `pushed` new events push out and a
    /// bounded piece more.
    pub(super) fn trim_stream(&mut self, stream: &StreamName, stamp: Stamp, pushed: usize) {
        let mut upto = None;
        let mut left = pushed + DROPS_MAX;
        while self.lives.get(stream).is_some_and(|life| life.has_too_much(stamp)) {
            if left == 0 {
                self.schedule_at(stream, stamp.now);
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
        let mut skips_left = SKIPS_MAX;
        while self.bytes() > self.limits.log_bytes_max && skips_left > 0 {
            match (self.oldest_event(), self.tombstones.oldest_at()) {
                (Some((stream, position)), tombstone) if tombstone.is_none_or(|at| position < at) => {
                    self.low_watermark = self.low_watermark.max(position.min(self.evicted_upto));
                    let keeps = self.lives.get(&stream).is_some_and(|life| life.keeps(position));
                    if keeps && self.drop_oldest(&stream).is_some() {
                        trimmed.insert(stream, position);
                    } else {
                        skips_left -= 1;
                        self.drop_from_order(position);
                    }
                }
                (_, Some(_)) if self.fault.is_none() => self.forget_oldest_tombstone(),
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

    /// The oldest event of the log that may be kept.
    fn oldest_event(&mut self) -> Option<(StreamName, Position)> {
        if self.low_watermark < self.evicted_upto {
            match self.archive.next_in_order(self.low_watermark) {
                Ok(Some((stream, position))) if position <= self.evicted_upto => {
                    return Some((stream, position));
                }
                Ok(_) => self.low_watermark = self.evicted_upto,
                Err(error) => {
                    self.fault = Some(error);
                    return None;
                }
            }
        }
        self.order.first_key_value().map(|(position, event)| (event.stream.clone(), *position))
    }

    fn drop_oldest(&mut self, stream: &StreamName) -> Option<Position> {
        let stub = match self.lives.get(stream)?.cold.events {
            0 => {
                let life = self.life_mut(stream)?;
                let stub = Stub::of(&life.hot.pop_front()?);
                self.drop_from_order(stub.position);
                stub
            }
            _ => self.drop_oldest_cold(stream)?,
        };
        self.life_mut(stream)?.bytes -= stub.counted_bytes;
        self.events_bytes -= stub.counted_bytes;
        self.archive.dropped(stub);
        Some(stub.position)
    }

    fn drop_oldest_cold(&mut self, stream: &StreamName) -> Option<Stub> {
        let life = self.life_mut(stream)?;
        let start = life.start;
        let stub = life.cold.pop()?;
        let has_more = life.cold.events > 0;
        if has_more {
            match self.archive.next_of_life(start, stub.position) {
                Ok(next) => self.life_mut(stream)?.cold.first = next,
                Err(error) => self.fault = Some(error),
            }
        }
        Some(stub)
    }

    pub(super) fn record_trim(&mut self, stream: &StreamName, loss: Loss) {
        if let Some(life) = self.life_mut(stream) {
            let earlier = life.trim.replace(loss);
            self.losses.remove(stream, earlier);
            self.losses.insert(stream, Some(loss));
        }
    }
}

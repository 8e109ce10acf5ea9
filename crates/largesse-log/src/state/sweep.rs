//! What time takes away: old events, streams closed long ago, old keys, and what deletions left.
//!
//! Invariant: a step looks at one stream or one key, and at one piece of what waits to be freed, so the lock is held
//! for a bounded time; a step with nothing to do looks at the first entry of the indexes. Does not know how often it is
//! called.

use std::time::Duration;

use super::{life::Life, log::LogState, stamp::Stamp, work::DROPS_MAX};
use crate::{EndReason, Now, SWEEP_STREAMS_MAX, StreamName, Sweep, UnixMs};

/// How late something is dropped that was spared after a leap of the time.
const SPARED_LOOKED_AT_EVERY: Duration = Duration::from_secs(10 * 60);

impl LogState {
    /// Takes one step on each of these streams, and as many as are left of [`SWEEP_STREAMS_MAX`] on none: what those do
    /// leaves nothing behind that anybody could tell. Takes no position beyond [`Stamp::end`].
    pub(super) fn sweep(&mut self, stamp: Stamp, streams: &[StreamName]) -> Sweep {
        let mut base = stamp.base;
        let steps = streams.len().max(SWEEP_STREAMS_MAX);
        let mut streams = streams.iter();
        for _ in 0..steps {
            let stream = streams.next();
            if stream.is_none() && !self.has_due_at(stamp) {
                break;
            }
            self.sweep_step(Stamp { base, ..stamp }, stream);
            base = base.max(self.tail.next());
        }
        if self.has_due_at(stamp) { Sweep::More } else { Sweep::Done }
    }

    /// The streams that time may take something from now, those first that the sweep is to look at first; at most
    /// `streams_max`. Which they are is not the same in a log that was restored: a log may look too early, and forgets
    /// that when it is. Whoever writes steps down writes the streams down, too.
    pub(super) fn due_streams(&self, time: UnixMs, streams_max: usize) -> Vec<StreamName> {
        let due = self.due.iter().take_while(|(due, _)| *due <= time);
        due.take(streams_max).map(|(_, stream)| stream.clone()).collect()
    }

    /// One step, on a stream or on none.
    pub(super) fn sweep_step(&mut self, stamp: Stamp, stream: Option<&StreamName>) {
        let tail = self.tail;
        self.begin(stamp);
        let begun = self.tail;
        self.free_some();
        match stream {
            Some(stream) => self.sweep_due(stream, stamp),
            None if self.keys.has_due(stamp.now) => _ = self.keys.forget_first(),
            None => {}
        }
        if self.tail == begun {
            // It recorded nothing. What it was taken for (what waits to be freed, a look too early) is not written down
            // anywhere: a log that was opened again has to come to the same tail without it.
            self.tail = tail;
        }
    }

    /// Whether a step has something to do.
    #[must_use]
    pub fn has_due(&self, now: impl Into<Now>) -> bool {
        self.has_due_at(self.next_stamp(now))
    }

    /// The same for a step whose stamp is known.
    #[must_use]
    pub fn has_due_at(&self, stamp: Stamp) -> bool {
        let is_due = |(due, _): &(UnixMs, StreamName)| *due <= stamp.time;
        !self.pending_free.is_empty() || self.due.first().is_some_and(is_due) || self.keys.has_due(stamp.now)
    }

    /// Frees a piece of what deletions left. Each publish does, too, so that deleting and publishing in turn
    /// does not fill the memory.
    pub(super) fn free_some(&mut self) {
        let Some(mut batch) = self.pending_free.pop_front() else { return };
        for _ in 0..DROPS_MAX {
            let Some(event) = batch.pop_front() else { return };
            self.drop_from_order(event.position);
        }
        self.pending_free.push_front(batch);
    }

    fn sweep_due(&mut self, stream: &StreamName, stamp: Stamp) {
        if let Some(due) = self.life_mut(stream).and_then(|life| life.scheduled.take()) {
            self.due.remove(&(due, stream.clone()));
        }
        self.sweep_stream(stream, stamp);
        let due = self.lives.get(stream).and_then(Life::due);
        match due.filter(|due| stamp.spared() > Duration::ZERO && *due <= stamp.time) {
            // It is spared. How long, nobody knows.
            Some(due) => {
                let spared = stamp.spared().min(SPARED_LOOKED_AT_EVERY);
                self.schedule_at(
                    stream,
                    due.saturating_add(stamp.spared()).min(stamp.time.saturating_add(spared)),
                );
            }
            None => self.schedule(stream),
        }
    }

    fn sweep_stream(&mut self, stream: &StreamName, stamp: Stamp) {
        let Some(life) = self.lives.get(stream) else { return };
        match life.end.filter(|_| life.is_expired(stamp)) {
            Some(end) => {
                let at = self.take_position();
                self.retire(stream, end.position, EndReason::Closed, at);
            }
            None => self.trim_stream(stream, stamp, 0),
        }
    }
}

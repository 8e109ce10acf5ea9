//! What time takes away: old events, streams closed long ago, old keys, and what deletions left.
//!
//! Invariant: a step looks at one stream or one key, and at one piece of what waits to be freed, so the lock is held
//! for a bounded time; a step with nothing to do looks at the first entry of the indexes. Does not know how often it is
//! called.

use std::{time::Duration, vec};

use crate::state::{
    life::Life,
    log::LogState,
    retention::{StreamPlan, stub_cache::StubsWanted, work::DROPS_MAX},
    stamp::Stamp,
};
use crate::{EndReason, Now, SWEEP_STREAMS_MAX, StreamName, UnixMs};

/// How late something is dropped that was spared after a leap of the time.
const SPARED_LOOKED_AT_EVERY: Duration = Duration::from_secs(10 * 60);

/// A sweep that has come so far.
pub(in crate::state) struct SweepUnderWay {
    pub(in crate::state) stamp: Stamp,
    streams: vec::IntoIter<StreamName>,
    rounds_left: usize,
}

impl SweepUnderWay {
    pub(in crate::state) fn new(stamp: Stamp, streams: Vec<StreamName>) -> Self {
        Self { stamp, rounds_left: streams.len().max(SWEEP_STREAMS_MAX), streams: streams.into_iter() }
    }
}

impl LogState {
    /// Takes one step on each of these streams, and as many as are left of [`SWEEP_STREAMS_MAX`] on none: what those do
    /// leaves nothing behind that anybody could tell. Takes no position beyond [`Stamp::end`].
    ///
    /// # Errors
    /// What has to be known before the next step.
    pub(in crate::state) fn continue_sweep(&mut self, sweep: &mut SweepUnderWay) -> Result<(), StubsWanted> {
        let stamp = sweep.stamp;
        while sweep.rounds_left > 0 {
            let stream = sweep.streams.as_slice().first();
            if stream.is_none() && !self.has_due_at(stamp) {
                break;
            }
            let base = stamp.base.max(self.tail.next());
            self.sweep_one(Stamp { base, ..stamp }, stream)?;
            sweep.streams.next();
            sweep.rounds_left -= 1;
        }
        if self.has_more_to_trim {
            let base = stamp.base.max(self.tail.next());
            self.in_stamp(Stamp { base, ..stamp }, |log| log.trim_log(log.bytes()))?;
        }
        Ok(())
    }

    /// Takes a step that may record nothing. What it is taken for then (what waits to be freed, a look too early) is
    /// not written down anywhere: a log that was opened again has to come to the same tail without it.
    fn in_stamp<T>(&mut self, stamp: Stamp, step: impl FnOnce(&mut Self) -> T) -> T {
        let tail = self.tail;
        self.begin(stamp);
        let begun = self.tail;
        let answer = step(self);
        if self.tail == begun {
            self.tail = tail;
        }
        answer
    }

    /// The streams that time may take something from now, those first that the sweep is to look at first; at most
    /// `streams_max`. Which they are is not the same in a log that was restored: a log may look too early, and forgets
    /// that when it is. Whoever writes steps down writes the streams down, too.
    pub(in crate::state) fn due_streams(&self, time: UnixMs, streams_max: usize) -> Vec<StreamName> {
        let due = self.due.iter().take_while(|(due, _)| *due <= time);
        due.take(streams_max).map(|(_, stream)| stream.clone()).collect()
    }

    /// One step, on a stream or on none.
    ///
    /// # Errors
    /// What has to be known first; then nothing was changed.
    pub(in crate::state) fn sweep_one(
        &mut self,
        stamp: Stamp,
        stream: Option<&StreamName>,
    ) -> Result<(), StubsWanted> {
        let plan = match stream {
            Some(stream) if !self.is_expired(stream, stamp) => self.plan_stream(stream, stamp, DROPS_MAX)?,
            _ => StreamPlan::default(),
        };
        self.in_stamp(stamp, |log| {
            log.free_some();
            match stream {
                Some(stream) => log.sweep_due(stream, stamp, plan),
                None if log.keys.has_due(stamp.now) => _ = log.keys.forget_first(),
                None => {}
            }
        });
        Ok(())
    }

    fn is_expired(&self, stream: &StreamName, stamp: Stamp) -> bool {
        self.lives.get(stream).is_some_and(|life| life.is_expired(stamp))
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
        let is_in_memory = !self.pending_free.is_empty() || self.has_more_to_trim;
        is_in_memory || self.due.first().is_some_and(is_due) || self.keys.has_due(stamp.now)
    }

    /// Frees a piece of what deletions left. Each publish does, too, so that deleting and publishing in turn
    /// does not fill the memory.
    pub(in crate::state) fn free_some(&mut self) {
        let Some(mut batch) = self.pending_free.pop_front() else { return };
        for _ in 0..DROPS_MAX {
            let Some(event) = batch.pop_front() else { return };
            self.drop_from_order(event.position);
        }
        self.pending_free.push_front(batch);
    }

    fn sweep_due(&mut self, stream: &StreamName, stamp: Stamp, plan: StreamPlan) {
        if let Some(due) = self.life_mut(stream).and_then(|life| life.scheduled.take()) {
            self.due.remove(&(due, stream.clone()));
        }
        self.sweep_stream(stream, stamp, plan);
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

    fn sweep_stream(&mut self, stream: &StreamName, stamp: Stamp, plan: StreamPlan) {
        let Some(life) = self.lives.get(stream) else { return };
        match life.end.filter(|_| life.is_expired(stamp)) {
            Some(end) => {
                let at = self.allocate_position();
                self.retire(stream, end.position, EndReason::Closed, at);
            }
            None => self.trim_stream_by(stream, stamp, plan),
        }
    }
}

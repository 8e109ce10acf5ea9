//! Expiry: old events, streams closed long ago, old keys, and the memory of deleted streams.
//!
//! Invariant: a round visits one stream or one key, and frees a bounded number of events, so the lock is held for a
//! bounded time; a round with nothing to do only looks at the first entry of each index. Does not know how often it
//! is called.

use std::{time::Duration, vec};

use crate::state::{
    life::Life,
    log::LogState,
    retention::{StreamPlan, stub_cache::StubsWanted, work::DROPS_MAX},
    stamp::Stamp,
};
use crate::{EndReason, Now, SWEEP_STREAMS_MAX, StreamName, UnixMs};

/// After a leap of the clock, how late something may be dropped that the leap did not age.
const SPARED_LOOKED_AT_EVERY: Duration = Duration::from_secs(10 * 60);

/// A sweep in progress.
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
    /// Runs one round on each of these streams, and up to [`SWEEP_STREAMS_MAX`] in all without a stream: the latter have
    /// no visible effect. Uses no position beyond [`Stamp::end`].
    ///
    /// # Errors
    /// The facts that the next round needs.
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

    /// Runs something that may record nothing, and then leaves the tail as it was: its cause (memory to be freed, a
    /// stream visited too early) is not saved anywhere, so a recovered log has to get the same tail without it.
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

    /// The streams that may have something to expire now, in the order in which they are due; at most `streams_max`. A
    /// restored log may find others, because early visits are not saved. So an engine that writes commands writes the
    /// streams with them.
    pub(in crate::state) fn due_streams(&self, time: UnixMs, streams_max: usize) -> Vec<StreamName> {
        let due = self.due.iter().take_while(|(due, _)| *due <= time);
        due.take(streams_max).map(|(_, stream)| stream.clone()).collect()
    }

    /// One round, on a stream or on none.
    ///
    /// # Errors
    /// The facts that it needs; nothing was changed then.
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

    /// Whether a round has something to do.
    #[must_use]
    pub fn has_due(&self, now: impl Into<Now>) -> bool {
        self.has_due_at(self.next_stamp(now))
    }

    /// The same with a given stamp.
    #[must_use]
    pub fn has_due_at(&self, stamp: Stamp) -> bool {
        let is_due = |(due, _): &(UnixMs, StreamName)| *due <= stamp.time;
        let is_in_memory = !self.pending_free.is_empty() || self.has_more_to_trim;
        is_in_memory || self.due.first().is_some_and(is_due) || self.keys.has_due(stamp.now)
    }

    /// Frees a bounded part of the memory of deleted streams. Each publish does so too, so that deleting and publishing
    /// in turn does not fill the memory.
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
            // The leap does not age it. For how long is unknown.
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

//! One connection's progress along one or more streams: the asynchronous face of [`Progress`].
//!
//! It reads when there is something to read, waits at the tail to be woken, and keeps the connection alive in
//! between. It has no task of its own: whoever polls [`Reader::next`] drives it, so a connection that can't
//! be written to reads nothing. That is its back-pressure. Does not know what the blocks look like on the wire.

use std::{sync::Arc, time::Duration};

use largesse_log::{EngineError, EngineExt, Place, Stopped};
use tokio::{sync::watch, time::Instant};

use crate::{
    HeartbeatForm, Hub, Need, Out, Progress, Subscription,
    hub::{Admission, Drain},
};

/// A reader of the log.
#[derive(Debug)]
pub struct Reader {
    hub: Arc<Hub>,
    progress: Progress,
    subscription: Subscription,
    drain: watch::Receiver<Drain>,
    heartbeat: HeartbeatForm,
    silent_until: Instant,
    /// Whether a read of the log failed.
    has_failed: bool,
    /// Counts this reader until it is dropped.
    _admission: Admission,
}

impl Reader {
    pub(crate) fn new(
        hub: Arc<Hub>,
        progress: Progress,
        subscription: Subscription,
        heartbeat: HeartbeatForm,
        admission: Admission,
    ) -> Self {
        let drain = hub.drain_signal();
        let silent_until = Instant::now() + silence(hub.limits().heartbeat);
        Self {
            hub,
            progress,
            subscription,
            drain,
            heartbeat,
            silent_until,
            has_failed: false,
            _admission: admission,
        }
    }

    /// What to write next, or `None` to close the connection at this block's end: the streams have ended,
    /// the hub drains, the reader fell too far behind, or the log failed (which is traced).
    ///
    /// Cancellation: a dropped future loses nothing; the next call goes on.
    pub async fn next(&mut self) -> Option<Out> {
        loop {
            if *self.drain.borrow() == Drain::Draining {
                return None;
            }
            match self.progress.poll() {
                Need::Emit(blocks) => {
                    self.rest_heartbeat();
                    return Some(Out::Blocks(blocks));
                }
                Need::Read(place) => self.read(place).await?,
                Need::AskEnds(place) => self.ask_ends(place).await?,
                Need::Wait => {
                    if let Some(out) = self.wait().await {
                        return Some(out);
                    }
                }
                Need::Finish => return None,
            }
        }
    }

    /// Whether it ended because the log failed: a reader that comes back at once finds the same.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// How long a write may make no progress before the connection should be closed. `Some` once a stream that
    /// disconnects slow readers is being read.
    #[must_use]
    pub fn stall_max(&self) -> Option<Duration> {
        self.progress.disconnects().then(|| self.hub.limits().lag_max)
    }

    async fn read(&mut self, place: Place) -> Option<()> {
        let limits = self.hub.read_limits();
        let read = self.hub.engine().read(self.progress.selection(), place, limits).await;
        match read {
            Ok(batch) => {
                let is_long_way = batch.records.is_empty() && batch.stopped == Stopped::Limits;
                self.progress.handle_batch(batch, self.hub.now());
                // A replay from memory never waits; this lets other tasks run.
                if is_long_way {
                    tokio::task::yield_now().await;
                } else {
                    tokio::task::consume_budget().await;
                }
                Some(())
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn ask_ends(&mut self, place: Place) -> Option<()> {
        match self.hub.engine().ended_at(self.progress.selection(), place).await {
            Ok(ends) => {
                self.progress.handle_ends(&ends);
                Some(())
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn wait(&mut self) -> Option<Out> {
        tokio::select! {
            // The order does not matter, so it is fixed: a simulation repeats exactly.
            biased;
            () = self.subscription.woken() => {
                self.progress.handle_woken();
                None
            }
            // The sender lives in the hub, which this reader holds, so it can't have gone: this is a change.
            _ = self.drain.changed() => None,
            () = tokio::time::sleep_until(self.silent_until) => {
                self.rest_heartbeat();
                Some(Out::Heartbeat(self.heartbeat))
            }
        }
    }

    fn failed(&mut self, error: &EngineError) -> Option<()> {
        tracing::error!(%error, "a read of the log failed; the reader is disconnected and may come back");
        self.has_failed = true;
        None
    }

    fn rest_heartbeat(&mut self) {
        self.silent_until = Instant::now() + silence(self.hub.limits().heartbeat);
    }
}

/// The wait until a heartbeat, drawn from 20 % around `mean`, so that readers that came together do not all get
/// theirs at once.
fn silence(mean: Duration) -> Duration {
    mean.mul_f64(0.8 + 0.4 * fastrand::f64())
}

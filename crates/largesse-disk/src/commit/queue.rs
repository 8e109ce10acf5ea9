//! The steps that wait to be written.
//!
//! Invariants: what waits counts at most [`WAITING_KIB_MAX`]; it is taken in the order it came. A step that is
//! in the queue is written, also when whoever asked for it is gone.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use largesse_log::EngineError;
use tokio::sync::Semaphore;

/// What all waiting steps count, in KiB: with the largest events, a few dozen of them.
const WAITING_KIB_MAX: u32 = 64 * 1024;
/// How many steps one group has.
pub(crate) const GROUP_COMMANDS_MAX: usize = 4_096;

/// The queue of steps `A`.
pub(crate) struct Queue<A> {
    waiting: Mutex<QueueState<A>>,
    changed: Condvar,
    permits: Semaphore,
}

struct QueueState<A> {
    /// With what each counts, in KiB: so many permits are out for it.
    entries: VecDeque<(A, u32)>,
    /// The writer is to be woken when so many wait: it would only be in the way before.
    wake_at: usize,
    /// Somebody has something for the writer that is no step.
    is_nudged: bool,
    is_stopping: bool,
}

/// How long a group waits to be complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    /// So many steps are expected: those that were answered just now may all come again.
    pub(crate) expected: usize,
    /// But no longer than this.
    pub(crate) wait_max: Duration,
}

/// What the writer is to do next.
pub(crate) enum Next<A> {
    /// Write these.
    Group(Vec<A>),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Stop,
}

impl<A> Queue<A> {
    pub(crate) fn new() -> Self {
        let waiting =
            QueueState { entries: VecDeque::new(), wake_at: 1, is_nudged: false, is_stopping: false };
        let permits = Semaphore::new(WAITING_KIB_MAX as usize);
        Self { waiting: Mutex::new(waiting), changed: Condvar::new(), permits }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<A>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a step into the queue, when there is a place for its bytes. Dropping the future before that leaves
    /// nothing.
    ///
    /// # Errors
    /// [`EngineError::Stopping`].
    pub(crate) async fn push(&self, entry: A, bytes: usize) -> Result<(), EngineError> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(WAITING_KIB_MAX);
        let permit = self.permits.acquire_many(kib).await.map_err(|_| EngineError::Stopping)?;
        let mut waiting = self.lock();
        if waiting.is_stopping {
            return Err(EngineError::Stopping);
        }
        // Whoever takes it out of the queue gives it back.
        permit.forget();
        waiting.entries.push_back((entry, kib));
        let is_enough = waiting.entries.len() >= waiting.wake_at;
        drop(waiting);
        if is_enough {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Lets the writer look around, also when no step waits.
    pub(crate) fn nudge(&self) {
        self.lock().is_nudged = true;
        self.changed.notify_all();
    }

    /// No step is taken in any more; those that wait are still given out.
    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.permits.close();
        self.changed.notify_all();
    }

    /// Nobody writes any more: takes no step, and gives back those that wait.
    pub(crate) fn abandon(&self) -> Vec<A> {
        self.stop();
        self.lock().entries.drain(..).map(|(entry, _)| entry).collect()
    }

    /// The next group. Waits for it to be complete; when none of it comes in time, for a step, at most until
    /// `deadline`.
    pub(crate) fn next(&self, linger: Linger, deadline: Option<Instant>) -> Next<A> {
        let mut waiting = self.lock();
        // Those who are answered come one by one: woken for the first, the writer would be in the way of the others.
        let lingered = Instant::now() + linger.wait_max;
        waiting.wake_at = linger.expected;
        while waiting.entries.len() < linger.expected && !waiting.is_stopping {
            let Some(left) = left_until(lingered) else { break };
            waiting = self.wait(waiting, left);
        }
        waiting.wake_at = 1;
        while waiting.entries.is_empty() {
            if waiting.is_stopping {
                return Next::Stop;
            }
            if mem::take(&mut waiting.is_nudged) {
                return Next::Nothing;
            }
            waiting = match deadline {
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let Some(left) = left_until(deadline) else { return Next::Nothing };
                    self.wait(waiting, left)
                }
            };
        }
        let count = waiting.entries.len().min(GROUP_COMMANDS_MAX);
        let mut kib = 0;
        let group = waiting.entries.drain(..count).map(|(entry, entry_kib)| {
            kib += entry_kib as usize;
            entry
        });
        let group = group.collect();
        drop(waiting);
        self.permits.add_permits(kib);
        Next::Group(group)
    }

    fn wait<'a>(
        &self,
        waiting: MutexGuard<'a, QueueState<A>>,
        left: Duration,
    ) -> MutexGuard<'a, QueueState<A>> {
        self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0
    }
}

fn left_until(deadline: Instant) -> Option<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left)
}

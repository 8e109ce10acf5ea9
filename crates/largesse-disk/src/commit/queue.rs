//! The queue of commands that wait to be written.
//!
//! Invariants: waiting commands count at most [`WAITING_KIB_MAX`]; they leave in the order they came. A queued
//! command is written, even if its caller is gone.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use largesse_log::EngineError;
use tokio::sync::Semaphore;

/// The limit of all waiting commands, in KiB: with the largest events, a few dozen commands.
const WAITING_KIB_MAX: u32 = 64 * 1024;
/// How many commands one group has, at most.
pub(crate) const GROUP_COMMANDS_MAX: usize = 4_096;

/// The queue of commands `A`.
pub(crate) struct Queue<A> {
    waiting: Mutex<QueueState<A>>,
    changed: Condvar,
    permits: Semaphore,
}

struct QueueState<A> {
    /// Each with its size in KiB, which is the number of permits it holds.
    entries: VecDeque<(A, u32)>,
    /// The writer is woken once this many wait: woken earlier, it would only be in the way.
    wake_at: usize,
    /// Something other than a command waits for the writer.
    is_nudged: bool,
    is_stopping: bool,
}

/// How long to linger for a group to fill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    /// How many commands are expected: the callers just answered may all come again.
    pub(crate) expected: usize,
    /// The longest wait.
    pub(crate) wait_max: Duration,
}

/// What the writer does next.
pub(crate) enum Next<A> {
    /// Write these.
    Group(Vec<A>),
    /// Nothing came before the deadline.
    Nothing,
    /// Nothing more will come.
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

    /// Queues a command, once there is room for its bytes. Dropping the future before that leaves nothing behind.
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
        // `next` gives it back.
        permit.forget();
        waiting.entries.push_back((entry, kib));
        let is_enough = waiting.entries.len() >= waiting.wake_at;
        drop(waiting);
        if is_enough {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Wakes the writer even if no command waits.
    pub(crate) fn nudge(&self) {
        self.lock().is_nudged = true;
        self.changed.notify_all();
    }

    /// Accepts no more commands; those that wait are still handed out.
    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.permits.close();
        self.changed.notify_all();
    }

    /// The writer is gone: accepts no more commands, and returns those that wait.
    pub(crate) fn abandon(&self) -> Vec<A> {
        self.stop();
        self.lock().entries.drain(..).map(|(entry, _)| entry).collect()
    }

    /// The next group. Lingers for it to fill; if nothing came by then, waits for a command, at most until
    /// `deadline`.
    pub(crate) fn next(&self, linger: Linger, deadline: Option<Instant>) -> Next<A> {
        let mut waiting = self.lock();
        // Answered callers return one by one: woken for the first, the writer would be in the way of the others.
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

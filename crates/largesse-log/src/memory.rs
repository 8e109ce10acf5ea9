//! The engine that keeps events in memory: safe at once, gone with the process.
//!
//! All of the log's meaning is in [`LogState`]. This file is its asynchronous face.
//!
//! Invariants: a step of the log is whole before the lock is given back, so every read is one consistent
//! look; a listener is called only after that. Does not know the clock, and starts no task.

use std::{
    future::poll_fn,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use crate::state::{Locating, LogState, Look, NoArchive, Slot, Stepped};
use crate::{
    Append, AppendError, Appended, Batch, Claim, Deleted, Ends, Engine, EngineError, EngineLimits,
    IdempotencyKey, Incarnation, Located, Now, Pending, Place, Position, Put, PutAnswer, ReadLimits,
    Selection, Settings, StartFrom, StreamName, StreamState, Sweep, TailListener,
};

/// A log in memory.
pub struct MemoryEngine {
    incarnation: Incarnation,
    /// One lock, and a plain one: every step under it is short and bounded, and no step waits. A lock for
    /// readers and writers would let looks run side by side; it would be right once measurements show
    /// readers waiting for each other rather than for the network. A lock held over an await, or over a
    /// disk, would be wrong here.
    log: Mutex<LogState>,
    listener: Mutex<Option<Arc<dyn TailListener>>>,
}

impl std::fmt::Debug for MemoryEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryEngine").field("incarnation", &self.incarnation).finish_non_exhaustive()
    }
}

impl MemoryEngine {
    /// An empty log.
    #[must_use]
    pub fn new(incarnation: Incarnation, limits: EngineLimits) -> Self {
        let log = Mutex::new(LogState::new(limits, Box::new(NoArchive)));
        Self { incarnation, log, listener: Mutex::new(None) }
    }

    /// No step of the log panics, so no lock is poisoned; were there such a bug, the log would rather go on
    /// than fail every caller after it.
    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sweep_step(&self, now: Now) -> Sweep {
        let mut log = self.lock();
        let slot = log.next_slot(now);
        log.sweep_step(slot)
    }

    /// Takes a step that may append, and tells the listener after the lock is given back.
    fn step<T>(
        &self,
        now: Now,
        stream: &StreamName,
        step: impl FnOnce(&mut LogState, Slot) -> Stepped<T>,
    ) -> T {
        let Stepped { answer, ring, life: _ } = {
            let mut log = self.lock();
            let slot = log.next_slot(now);
            step(&mut log, slot)
        };
        if let Some(position) = ring {
            let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(listener) = listener {
                listener.appended(stream, position);
            }
        }
        answer
    }
}

/// Nothing is ever moved out of memory, so a look always finds all there.
const NO_ARCHIVE: &str = "a log in memory has no archive";

/// Lets others have the thread once, whatever runs us.
async fn yielded() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Engine for MemoryEngine {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn tail(&self) -> Position {
        self.lock().tail()
    }

    fn defaults(&self) -> Settings {
        self.lock().limits().defaults
    }

    fn listen(&self, listener: Arc<dyn TailListener>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    fn claim<'a>(
        &'a self,
        now: Now,
        stream: &'a StreamName,
        key: &'a IdempotencyKey,
    ) -> Pending<'a, Result<Claim, AppendError>> {
        Box::pin(async move {
            let mut log = self.lock();
            let slot = log.next_slot(now);
            log.claim(slot, stream, key)
        })
    }

    fn append(&self, now: Now, append: Append) -> Pending<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            let stream = append.stream.clone();
            self.step(now, &stream, |log, slot| log.append(slot, append))
        })
    }

    fn put<'a>(
        &'a self,
        now: Now,
        stream: &'a StreamName,
        put: Put,
    ) -> Pending<'a, Result<PutAnswer, AppendError>> {
        Box::pin(async move {
            let mut log = self.lock();
            let slot = log.next_slot(now);
            log.put(slot, stream, &put)
        })
    }

    fn delete<'a>(
        &'a self,
        now: Now,
        stream: &'a StreamName,
    ) -> Pending<'a, Result<Option<Deleted>, EngineError>> {
        Box::pin(async move { Ok(self.step(now, stream, |log, slot| log.delete(slot, stream))) })
    }

    fn state<'a>(&'a self, stream: &'a StreamName) -> Pending<'a, Result<Option<StreamState>, EngineError>> {
        Box::pin(async move { Ok(self.lock().state(stream)) })
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a StreamName>,
        states_max: NonZeroUsize,
    ) -> Pending<'a, Result<Vec<StreamState>, EngineError>> {
        Box::pin(async move { Ok(self.lock().list(after, states_max)) })
    }

    fn locate<'a>(
        &'a self,
        selection: &'a Selection,
        from: StartFrom,
    ) -> Pending<'a, Result<Located, EngineError>> {
        Box::pin(async move {
            let mut step = self.lock().locate(selection, from);
            loop {
                match step {
                    Locating::Found(located) => return Ok(located),
                    Locating::GoOn(back) => {
                        yielded().await;
                        step = self.lock().locate_back(selection, back);
                    }
                    Locating::Deep(_) | Locating::WalkBack(_) | Locating::Time { .. } => {
                        unreachable!("{NO_ARCHIVE}")
                    }
                }
            }
        })
    }

    fn ended_at<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
    ) -> Pending<'a, Result<Ends, EngineError>> {
        Box::pin(async move { Ok(self.lock().ended_at(selection, place)) })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Pending<'a, Result<Batch, EngineError>> {
        Box::pin(async move {
            match self.lock().read(selection, place, limits)? {
                Look::Whole(batch) => Ok(batch),
                Look::Merge(_) | Look::Walk => unreachable!("{NO_ARCHIVE}"),
            }
        })
    }

    fn sweep(&self, now: Now, budget: NonZeroUsize) -> Pending<'_, Result<Sweep, EngineError>> {
        Box::pin(async move {
            // The lock is given back after each step, and the thread too.
            for _ in 0..budget.get() {
                if self.sweep_step(now) == Sweep::Done {
                    return Ok(Sweep::Done);
                }
                yielded().await;
            }
            Ok(Sweep::More)
        })
    }
}

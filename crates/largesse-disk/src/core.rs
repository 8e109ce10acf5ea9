//! What the writer, the readers and the maintenance thread of one log share.
//!
//! Invariants: the state has only commands that are safe (with [`crate::SyncRule::Interval`]: written). While somebody
//! holds its lock, that thread neither reads nor writes a file: [`check_no_state_is_held`] holds it to that. A listener
//! is called while no lock is held.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use largesse_log::{
    Command, EngineError, Incarnation, Position, Query, QueryReply, StreamName, TailListener,
    state::{Applied, Effects, LogState, Looked, Progress, Stamp},
};

use crate::{
    cold::{ColdError, ColdReader},
    frame::Salt,
    health::Health,
    segments::{Segments, number_of},
};

/// One log.
pub(crate) struct Core {
    pub(crate) incarnation: Incarnation,
    pub(crate) salt: Salt,
    pub(crate) segments: Arc<Segments>,
    pub(crate) cold: ColdReader,
    /// Whether lives are over whose events still count as live in their segments.
    has_retired: AtomicBool,
    /// What the last checkpoint takes on the disk; 0 before there is one of this run.
    pub(crate) checkpoint_bytes: AtomicU64,
    pub(crate) health: Arc<Health>,
    /// A plain lock: what is done under it is short, and never waits for the disk.
    state: Mutex<LogState>,
    listener: Mutex<Option<Arc<dyn TailListener>>>,
}

/// The state, locked.
pub(crate) struct StateGuard<'a>(MutexGuard<'a, LogState>);

impl Core {
    pub(crate) fn new(
        incarnation: Incarnation,
        salt: Salt,
        segments: Arc<Segments>,
        state: LogState,
    ) -> Self {
        let cold = ColdReader::new(Arc::clone(&segments), salt);
        let (state, listener) = (Mutex::new(state), Mutex::new(None));
        let (checkpoint_bytes, health) = (AtomicU64::new(0), Arc::default());
        let has_retired = AtomicBool::new(false);
        Self { incarnation, salt, segments, cold, has_retired, checkpoint_bytes, health, state, listener }
    }

    /// No step of the log panics, so no lock is poisoned; were there such a bug, the log would rather go on
    /// than fail every caller after it.
    pub(crate) fn state(&self) -> StateGuard<'_> {
        StateGuard::new(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies a command. Gives the lock back while retention has to know of cold events: nobody else applies commands
    /// then, and readers may look. Where those can't be read, it says why: then nothing was dropped that should be.
    pub(crate) fn apply<'a>(
        &'a self,
        mut state: StateGuard<'a>,
        stamp: Stamp,
        command: Command,
    ) -> (StateGuard<'a>, Applied, Option<EngineError>) {
        let mut progress = state.apply(stamp, command);
        loop {
            let wanted = match progress {
                Progress::Applied(applied) => {
                    self.take_effects(&applied.effects);
                    return (state, applied, None);
                }
                Progress::Wants(wanted) => wanted,
            };
            drop(state);
            let found = self.cold.stubs(&wanted);
            state = self.state();
            match found {
                Ok(found) => progress = state.go_on(&wanted, found),
                Err(error) => {
                    let applied = state.give_up();
                    self.take_effects(&applied.effects);
                    return (state, applied, Some(error));
                }
            }
        }
    }

    /// Looks at the log, on this thread: waits for the disk where it has to.
    ///
    /// # Errors
    /// [`EngineError::BeyondTail`], and when something can't be read.
    pub(crate) fn query(&self, query: Query<'_>) -> Result<QueryReply, ColdError> {
        // The lock is free again before anything is read.
        let mut looked = self.state().query(query)?;
        loop {
            looked = match looked {
                Looked::Ready(reply) => return Ok(reply),
                Looked::More(search) => self.state().look_on(search),
                Looked::Cold(cold) => cold.run(self)?,
            };
        }
    }

    /// Counts what is not kept any more.
    fn take_effects(&self, effects: &Effects) {
        if effects.has_retired {
            self.has_retired.store(true, Relaxed);
        }
        if effects.dropped.is_empty() {
            return;
        }
        let list = self.segments.all();
        for event in &effects.dropped {
            if let Some(segment) = list.get(number_of(&list, event.position)) {
                segment.lost(event.counted_bytes);
            }
        }
    }

    /// Whether lives are over whose events still count as live in their segments.
    pub(crate) fn has_retired(&self) -> bool {
        self.has_retired.load(Relaxed)
    }

    /// Asks, and forgets.
    pub(crate) fn take_retired(&self) -> bool {
        self.has_retired.swap(false, Relaxed)
    }

    pub(crate) fn listen(&self, listener: Arc<dyn TailListener>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Tells the listener of streams with new records, which readers can read now.
    pub(crate) fn tell(&self, dirty: &[(StreamName, Position)]) {
        if dirty.is_empty() {
            return;
        }
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            for (stream, position) in dirty {
                listener.appended(stream, *position);
            }
        }
    }
}

thread_local! {
    static HOLDS_STATE: Cell<bool> = const { Cell::new(false) };
}

/// In builds with debug assertions, holds whoever is about to use a file to not holding the state's lock: readers and
/// publishers wait for that on threads that must not wait for a disk.
pub(crate) fn check_no_state_is_held() {
    debug_assert!(!HOLDS_STATE.get(), "a file is used under the lock of the log's state");
}

impl<'a> StateGuard<'a> {
    fn new(guard: MutexGuard<'a, LogState>) -> Self {
        if cfg!(debug_assertions) {
            HOLDS_STATE.set(true);
        }
        Self(guard)
    }
}

impl Drop for StateGuard<'_> {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            HOLDS_STATE.set(false);
        }
    }
}

impl Deref for StateGuard<'_> {
    type Target = LogState;

    fn deref(&self) -> &LogState {
        &self.0
    }
}

impl DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut LogState {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use largesse_log::EngineLimits;

    use super::*;
    use crate::{
        disk::{Disk, SimulatedDisk, Watched},
        settings::DiskSettings,
    };

    /// All other tests rely on it: whatever they do, no file is used under the lock.
    #[test]
    fn a_file_that_is_used_under_the_lock_of_the_state_is_found() {
        let disk = Watched::new(Arc::new(SimulatedDisk::new(1)), DiskSettings::DEFAULT.open_files_max);
        let file = disk.create("a").unwrap();
        let state = LogState::new(EngineLimits::default());
        let core = Core::new(Incarnation(1), Salt(1), Arc::default(), state);
        let uses: [(&str, &dyn Fn()); 4] = [
            ("read", &|| _ = file.read_at(&mut [0; 1], 0)),
            ("write", &|| _ = file.write_at(&[0; 1], 0)),
            ("sync", &|| _ = file.sync()),
            ("open", &|| _ = disk.open("a").map(drop)),
        ];
        for (name, used) in uses {
            used();
            let state = core.state();
            assert!(catch_unwind(AssertUnwindSafe(used)).is_err(), "{name} under the lock");
            drop(state);
            used();
        }
    }
}

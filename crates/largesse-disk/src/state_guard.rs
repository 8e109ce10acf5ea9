//! A guard of the log's state, with a check that its thread uses no file meanwhile.
//!
//! Invariant: readers and publishers wait for this lock on threads that must not wait for a disk, so its holder
//! uses no file. Builds with debug assertions check that at every file operation.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    sync::MutexGuard,
};

use largesse_log::state::LogState;

/// The locked state. A thread has at most one.
pub(crate) struct StateGuard<'a>(MutexGuard<'a, LogState>);

thread_local! {
    static HOLDS_STATE: Cell<bool> = const { Cell::new(false) };
}

/// Call it before using a file.
pub(crate) fn check_no_state_is_held() {
    debug_assert!(!HOLDS_STATE.get(), "a file is used under the lock of the log's state");
}

impl<'a> StateGuard<'a> {
    pub(crate) fn new(guard: MutexGuard<'a, LogState>) -> Self {
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
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::Arc,
    };

    use largesse_log::{EngineLimits, Incarnation};

    use super::*;
    use crate::{
        core::Core,
        format::frame::Salt,
        io::{Disk, SimulatedDisk, Watched},
        settings::DiskSettings,
    };

    /// All other tests rely on this check.
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

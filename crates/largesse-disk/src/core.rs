//! What the writer, the readers and the maintenance thread of one log share.
//!
//! Invariants: the state has only steps that are safe (with [`crate::SyncRule::Interval`]: written); its lock
//! is not held while anything is written or synced. A listener is called while no lock is held.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64};

use largesse_log::{Incarnation, Position, StreamName, TailListener, state::LogState};

use crate::{archive::Retired, cold::ColdEvents, frame::Salt, health::Health, segments::Segments};

/// One log.
pub(crate) struct Core {
    pub(crate) incarnation: Incarnation,
    pub(crate) salt: Salt,
    pub(crate) segments: Arc<Segments>,
    pub(crate) cold: ColdEvents,
    pub(crate) retired: Arc<Retired>,
    /// What the last checkpoint takes on the disk; 0 before there is one of this run.
    pub(crate) checkpoint_bytes: AtomicU64,
    pub(crate) health: Arc<Health>,
    /// A plain lock: steps under it are short, but for the few reads that retention makes.
    state: Mutex<LogState>,
    listener: Mutex<Option<Arc<dyn TailListener>>>,
}

impl Core {
    pub(crate) fn new(
        incarnation: Incarnation,
        salt: Salt,
        segments: Arc<Segments>,
        retired: Arc<Retired>,
        state: LogState,
    ) -> Self {
        let cold = ColdEvents::new(Arc::clone(&segments), salt);
        let (state, listener) = (Mutex::new(state), Mutex::new(None));
        let (checkpoint_bytes, health) = (AtomicU64::new(0), Arc::default());
        Self { incarnation, salt, segments, cold, retired, checkpoint_bytes, health, state, listener }
    }

    /// No step of the log panics, so no lock is poisoned; were there such a bug, the log would rather go on
    /// than fail every caller after it.
    pub(crate) fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

//! Whether the files of the log are still in their folder, as far as was seen.
//!
//! Invariant: while it says what is missing, nothing may be written: it would be kept by nobody. Clones of one disk say
//! the same. Does not look: the engine does.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// What is missing, if something is.
#[derive(Default)]
pub(crate) struct Presence {
    is_missing: AtomicBool,
    missing: Mutex<Option<String>>,
    /// Whether the checkpoint is missing, which can be made again.
    is_checkpoint_missing: AtomicBool,
    has_checkpoint: AtomicBool,
}

impl Presence {
    /// Why nothing may be written, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        // The common answer costs no lock.
        if !self.is_missing.load(Relaxed) {
            return None;
        }
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what is missing from now on. Whether it said something else before.
    pub(crate) fn set_missing(&self, missing: Option<String>) -> bool {
        let mut known = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *known != missing;
        self.is_missing.store(missing.is_some(), Relaxed);
        *known = missing;
        is_news
    }

    /// Whether a checkpoint is to be made because the last one is gone.
    pub(crate) fn is_checkpoint_missing(&self) -> bool {
        self.is_checkpoint_missing.load(Relaxed)
    }

    /// There is a checkpoint now.
    pub(crate) fn checkpoint_is_there(&self) {
        self.has_checkpoint.store(true, Relaxed);
        self.is_checkpoint_missing.store(false, Relaxed);
    }

    /// There is none. Whether there was one until now.
    pub(crate) fn checkpoint_is_not_there(&self) -> bool {
        let is_gone = self.has_checkpoint.swap(false, Relaxed);
        self.is_checkpoint_missing.fetch_or(is_gone, Relaxed);
        is_gone
    }
}

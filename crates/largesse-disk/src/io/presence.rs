//! Whether the log's files are still in their folder, as of the last check.
//!
//! Invariant: while something is missing, nothing may be written: it would be lost. Clones of one disk share this.
//! Does not check by itself: the engine does.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// What is missing, if anything.
#[derive(Default)]
pub(crate) struct Presence {
    is_missing: AtomicBool,
    missing: Mutex<Option<String>>,
    /// Whether the checkpoint is missing, which can be rewritten.
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

    /// Sets what is missing. Returns whether that changed.
    pub(crate) fn set_missing(&self, missing: Option<String>) -> bool {
        let mut known = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *known != missing;
        self.is_missing.store(missing.is_some(), Relaxed);
        *known = missing;
        is_news
    }

    /// Whether a checkpoint has to be made because the last one is gone.
    pub(crate) fn is_checkpoint_missing(&self) -> bool {
        self.is_checkpoint_missing.load(Relaxed)
    }

    /// Records that there is a checkpoint.
    pub(crate) fn checkpoint_is_there(&self) {
        self.has_checkpoint.store(true, Relaxed);
        self.is_checkpoint_missing.store(false, Relaxed);
    }

    /// Records that there is none. Returns whether there was one until now.
    pub(crate) fn checkpoint_is_not_there(&self) -> bool {
        let is_gone = self.has_checkpoint.swap(false, Relaxed);
        self.is_checkpoint_missing.fetch_or(is_gone, Relaxed);
        is_gone
    }
}

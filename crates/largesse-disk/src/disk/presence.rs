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
    pub(crate) fn say(&self, missing: Option<String>) -> bool {
        let mut said = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *said != missing;
        self.is_missing.store(missing.is_some(), Relaxed);
        *said = missing;
        is_news
    }
}

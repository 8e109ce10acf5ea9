//! The wall clock of a run. It goes on when told, and sometimes back, as clocks do.

use std::sync::atomic::{AtomicU64, Ordering};

use largesse_hub::Clock;
use largesse_log::UnixMs;

use crate::luck::Luck;

#[derive(Debug)]
pub(crate) struct SimClock(AtomicU64);

impl SimClock {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1_000))
    }

    /// Mostly on, sometimes back.
    pub(crate) fn pass(&self, luck: &Luck) {
        let now = self.0.load(Ordering::Relaxed);
        let next = match luck.below(8) {
            0 => now.saturating_sub(luck.below(30)),
            1 => now + luck.below(100),
            2 => now + luck.below(40_000),
            _ => now + luck.below(10),
        };
        self.0.store(next, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::Relaxed))
    }
}

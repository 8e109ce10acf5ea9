//! What time it is, for whoever writes to the log.
//!
//! Invariant: only this file and `machine_clock.rs` ask the system for the time; everything else is handed a
//! [`Clock`], so that a simulation can drive time. Does not know timers: those are tokio's.

use std::time::{SystemTime, UNIX_EPOCH};

use largesse_log::{Now, UnixMs};

/// A source of wall-clock time. It may jump; the log never goes back all the same.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> UnixMs;

    /// The time now for a step of the log, and the one by which it judges what is old.
    fn now_for_step(&self) -> Now {
        self.now().into()
    }
}

/// The machine's clock, believed as it is. A server takes [`MachineClock`](crate::MachineClock), which looks whether it
/// leapt.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> UnixMs {
        // A clock set before 1970 counts as 1970: the log holds on to its last time anyway.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

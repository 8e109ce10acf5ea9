//! What time it is, for whoever writes to the log.
//!
//! Invariant: only this file and `machine_clock.rs` ask the system for the time; everything else is handed a
//! [`Clock`], so that a simulation can drive time. Does not know timers: those are tokio's.

use std::time::{SystemTime, UNIX_EPOCH};

use largesse_log::{Now, UnixMs};

/// A source of wall-clock time. It may jump; the log's time never goes back all the same.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> UnixMs;

    /// The time for a command, and the time by which the log judges what is old.
    fn now_for_step(&self) -> Now {
        self.now().into()
    }
}

/// The machine's clock, taken at its word. A server uses [`MachineClock`](crate::MachineClock), which checks for
/// leaps.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> UnixMs {
        // A clock set before 1970 counts as 1970: the log keeps its last time anyway.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

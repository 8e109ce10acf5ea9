//! Wall-clock time as the log keeps it.
//!
//! Invariant: this crate never asks a clock. Time is a parameter of every call that needs it, so that tests
//! and simulations drive it. Does not know calendars or text forms: doors do.

use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// This time plus `wait`, held at the end of the range.
    #[must_use]
    pub fn saturating_add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// What time it is for a step of the log.
///
/// Both are in the log's own time, and mostly the same. They part after the clock leapt: events are stamped with the
/// new time, and what is kept by its age is not yet judged by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// What the step's records are stamped with, if none before them has a later time.
    pub time: UnixMs,
    /// By this, what is old is old. Never after `time`.
    pub age: UnixMs,
}

impl From<UnixMs> for Now {
    fn from(time: UnixMs) -> Self {
        Self { time, age: time }
    }
}

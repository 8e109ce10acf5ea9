//! Wall-clock time in the log.
//!
//! Invariant: this crate never reads a clock. Time is a parameter of every call that needs it, so that tests
//! and simulations drive it. Does not know calendars or text forms: doors do.

use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// This time plus `wait`, saturating.
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

/// The current time for a command.
///
/// Both are times of the log clock, and usually equal. They differ after a leap of the clock: events are stamped with
/// the new time, while the age of older ones is still measured without the leap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The time of the command's records, unless an earlier record has a later time.
    pub time: UnixMs,
    /// The time by which ages are measured. Never after `time`.
    pub age: UnixMs,
}

impl From<UnixMs> for Now {
    fn from(time: UnixMs) -> Self {
        Self { time, age: time }
    }
}

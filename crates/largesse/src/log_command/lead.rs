//! How far a time is ahead of this machine's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use largesse::{hub::log_clock::LEAP_MAX, log::UnixMs};

/// The machine's clock. Before 1970 it counts as 1970.
pub(super) fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How far a time is ahead of the clock, if that is worth mentioning.
pub(super) fn of(time: UnixMs, clock: UnixMs) -> Option<Duration> {
    Some(time.since(clock)).filter(|lead| *lead > LEAP_MAX)
}

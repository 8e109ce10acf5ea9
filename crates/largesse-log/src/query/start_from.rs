//! Where a first request asks to begin.
//!
//! Does not know the text forms of a query: doors do.

use crate::UnixMs;

/// Where a first request asks to begin. Source: SPEC of Largesse §3, "Reading, the query" (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartFrom {
    /// With the first event that is kept.
    #[default]
    Start,
    /// With what comes after the request.
    Now,
    /// With the last so many events.
    Last(u64),
    /// With the first event at this time or later.
    Time(UnixMs),
}

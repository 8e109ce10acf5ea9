//! Where a first request begins.
//!
//! Does not know the text forms of a query: doors do.

use crate::UnixMs;

/// Where a first request begins. Source: SPEC of Largesse §3, "Reading, the query" (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartFrom {
    /// At the first event that is kept.
    #[default]
    Start,
    /// After the request.
    Now,
    /// At the n-th last event.
    Last(u64),
    /// At the first event of this time or later.
    Time(UnixMs),
}

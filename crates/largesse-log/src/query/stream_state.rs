//! A stream's state: everything about it except its events.
//!
//! A plain value, as it was at one moment.

use crate::{Position, Settings, StreamName, UnixMs};

/// A stream's state at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Its name.
    pub name: StreamName,
    /// The position of its end; `None` while it is open.
    pub closed: Option<Position>,
    /// How many events it keeps.
    pub events: u64,
    /// How many bytes they count as.
    pub bytes: u64,
    /// The first event kept.
    pub first: Option<Position>,
    /// The last event kept.
    pub last: Option<Position>,
    /// The time of the last event kept.
    pub last_time: Option<UnixMs>,
    /// When the stream was made.
    pub made: UnixMs,
    /// All settings in force.
    pub settings: Settings,
}

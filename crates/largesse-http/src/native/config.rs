//! The native door's settings: limits of one request, and the range of `retry`.
//!
//! Does not read files or the environment: the binary fills this in.

/// The door's settings. Source of the defaults: SPEC of Largesse §2 and §3 (ours).
#[derive(Clone, Debug)]
pub struct DoorConfig {
    /// One event's text. More: 413.
    pub event_bytes_max: usize,
    /// The body of a publish that is appended as a whole. More: 413.
    pub batch_bytes_max: usize,
    /// Events in such a publish. More: 413. The log applies them in one step, during which nobody else can append.
    pub batch_events_max: usize,
    /// The lower bound of `retry` at the head of a read, in milliseconds.
    pub retry_ms_min: u32,
    /// The upper bound of `retry` at the head of a read, in milliseconds.
    pub retry_ms_max: u32,
}

impl Default for DoorConfig {
    fn default() -> Self {
        Self {
            event_bytes_max: 1024 * 1024,
            batch_bytes_max: 16 * 1024 * 1024,
            batch_events_max: 10_000,
            retry_ms_min: 1_000,
            retry_ms_max: 3_000,
        }
    }
}

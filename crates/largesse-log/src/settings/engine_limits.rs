//! What a whole log may hold.
//!
//! Invariant: whatever publishers do, an engine stays within these. Does not read configuration.

use std::time::Duration;

use crate::Settings;

/// The limits of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// Bytes of all events and stream entries; beyond it the oldest events of the log are trimmed.
    pub log_bytes_max: u64,
    /// Streams; beyond it no new one is made.
    pub streams_max: u64,
    /// Idempotency keys; beyond it the one that would expire first is forgotten. At least one is kept.
    pub keys_max: usize,
    /// How long an idempotency key is kept after its last use that appended.
    pub key_ttl: Duration,
    /// Ends of streams that are gone, remembered for readers who have not come by yet; beyond it the oldest
    /// are forgotten, and whoever might have missed one is told of a loss.
    pub tombstones_max: usize,
    /// The settings of a stream that is made by publishing.
    pub defaults: Settings,
}

impl Default for EngineLimits {
    /// Source: SPEC of Largesse §2, "Idempotent" and "Defaults".
    fn default() -> Self {
        Self {
            log_bytes_max: 10 * 1024 * 1024 * 1024,
            streams_max: 1_000_000,
            keys_max: 1_000_000,
            key_ttl: Duration::from_secs(24 * 60 * 60),
            tombstones_max: 1_000_000,
            defaults: Settings::default(),
        }
    }
}

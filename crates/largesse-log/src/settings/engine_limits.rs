//! The limits of a whole log.
//!
//! Invariant: whatever publishers do, an engine stays within these. Does not read configuration.

use std::time::Duration;

use crate::Settings;

/// The limits of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// The most bytes of all events and stream entries; beyond it the oldest events of the log are trimmed.
    pub log_bytes_max: u64,
    /// The most streams; beyond it no new one is made.
    pub streams_max: u64,
    /// The most idempotency keys; beyond it the one that expires first is forgotten. At least one is kept.
    pub keys_max: usize,
    /// How long an idempotency key is kept after its last use that appended.
    pub key_ttl: Duration,
    /// The most tombstones, kept for readers that have not met the end yet; beyond it the oldest are forgotten,
    /// and readers that might have missed one are told of a loss.
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

//! What the hub may use: each bound with its default, and what happens when it is reached.
//!
//! Does not read configuration: the binary fills this in.

use std::{num::NonZeroUsize, time::Duration};

/// Bounds of a [`crate::Hub`]. Source: ours.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// Readers open at once. One more gets [`crate::ReadError::TooManyReaders`].
    pub readers_max: usize,
    /// Nodes that the patterns of all readers may take in the index of subscriptions: one per segment, shared
    /// where patterns begin alike. One more gets [`crate::ReadError::TooManyPatterns`].
    pub pattern_segments_max: usize,
    /// Silence after which a reader gets a heartbeat; each wait varies randomly by up to 20 %.
    pub heartbeat: Duration,
    /// Records taken from the log in one read, and so in one write to a reader.
    pub read_records_max: NonZeroUsize,
    /// Data bytes taken from the log in one read; a single event may be larger and is then read alone.
    pub read_bytes_max: u64,
    /// How old an unread event of a `slow = "disconnect"` stream may get.
    pub lag_max: Duration,
    /// How many bytes of `slow = "disconnect"` streams may wait for a reader.
    pub lag_bytes_max: u64,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            readers_max: 100_000,
            pattern_segments_max: 250_000,
            heartbeat: Duration::from_secs(15),
            read_records_max: NonZeroUsize::new(512).expect("512 is not zero"),
            read_bytes_max: 32 * 1024,
            lag_max: Duration::from_secs(30),
            lag_bytes_max: 8 * 1024 * 1024,
        }
    }
}

//! How the engine stores the log. Does not know what the log keeps: those are its limits.

use std::{num::NonZeroUsize, time::Duration};

/// When written groups are synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncRule {
    /// Before it is acknowledged or shown.
    #[default]
    Always,
    /// This often. A publish is acknowledged and shown once the system has it: if the machine dies, what was
    /// written since the last sync may be gone. Even so, no position is reused for another event.
    Interval(Duration),
}

/// The engine's settings.
#[derive(Clone, Copy, Debug)]
pub struct DiskSettings {
    /// When written groups are synced.
    pub sync: SyncRule,
    /// A segment of this size is sealed, and another begun; the first ones of a run are smaller. A start after a
    /// crash replays the last segment. At most two segments are preallocated: the active one, and the next.
    pub segment_bytes: u64,
    /// The counted bytes of hot events, besides those of the last two groups.
    pub hot_bytes_max: u64,
    /// How many files of sealed segments stay open. The others are opened on demand.
    pub open_files_max: NonZeroUsize,
}

/// Other open files: the folder, its lock, the active segment, the reserved descriptor, a new segment, index and
/// checkpoint, and those that the read threads are reading.
const FILES_BESIDES: usize = 24;

/// A full log has at least this many segments: space is freed by whole segments.
const SEGMENTS_MIN: u64 = 32;
/// The minimum size of a segment, whatever the log's limit.
const SEGMENT_BYTES_MIN: u64 = 64 * 1024;

impl DiskSettings {
    /// The default settings.
    pub const DEFAULT: Self = Self {
        sync: SyncRule::Always,
        segment_bytes: 64 * 1024 * 1024,
        hot_bytes_max: 16 * 1024 * 1024,
        open_files_max: NonZeroUsize::new(128).expect("it is not 0"),
    };

    /// With segments that are small compared to the log.
    pub(crate) fn fitting(self, log_bytes_max: u64) -> Self {
        let bytes_max = (log_bytes_max / SEGMENTS_MIN).max(SEGMENT_BYTES_MIN);
        Self { segment_bytes: self.segment_bytes.min(bytes_max), ..self }
    }

    /// How many files a log has open, at most, except for moments.
    #[must_use]
    pub fn files_max(&self) -> usize {
        self.open_files_max.get().saturating_add(FILES_BESIDES)
    }
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

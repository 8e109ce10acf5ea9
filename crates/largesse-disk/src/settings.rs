//! How the engine keeps the log. Does not know what the log keeps: those are its limits.

use std::{num::NonZeroUsize, time::Duration};

/// When what was written is made safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncRule {
    /// Before anybody is told of it.
    #[default]
    Always,
    /// This often. A publish is answered, and read, when the system has it: when the machine dies, what was
    /// written since the last time may be gone. No position is used for another event all the same.
    Interval(Duration),
}

/// The settings of the engine.
#[derive(Clone, Copy, Debug)]
pub struct DiskSettings {
    /// When what was written is made safe.
    pub sync: SyncRule,
    /// A segment that has so many bytes is sealed, and another begun; the first ones of a run are smaller. A start
    /// after a crash takes the steps of the last segment again. What is set aside ahead of need is at most two of them:
    /// in the segment that is written, and for the next.
    pub segment_bytes: u64,
    /// What events in memory may count, besides the last two groups.
    pub hot_bytes_max: u64,
    /// How many files of segments that are not written any more stay open. The others are opened when they are read.
    pub open_files_max: NonZeroUsize,
}

/// Files that are open besides: the folder, its lock, the segment that is written, one kept for the next, those that
/// become a segment, an index and a checkpoint, and those that a reader's thread just reads.
const FILES_BESIDES: usize = 24;

/// A log is at least so many segments when it is full: the space of what is dropped comes back by segments.
const SEGMENTS_MIN: u64 = 32;
/// But none is smaller for that.
const SEGMENT_BYTES_MIN: u64 = 64 * 1024;

impl DiskSettings {
    /// What is set where nobody says otherwise.
    pub const DEFAULT: Self = Self {
        sync: SyncRule::Always,
        segment_bytes: 64 * 1024 * 1024,
        hot_bytes_max: 16 * 1024 * 1024,
        open_files_max: NonZeroUsize::new(128).expect("it is not 0"),
    };

    /// With segments that are small beside the log.
    pub(crate) fn fitting(self, log_bytes_max: u64) -> Self {
        let bytes_max = (log_bytes_max / SEGMENTS_MIN).max(SEGMENT_BYTES_MIN);
        Self { segment_bytes: self.segment_bytes.min(bytes_max), ..self }
    }

    /// How many files a log has open, at most but for moments.
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

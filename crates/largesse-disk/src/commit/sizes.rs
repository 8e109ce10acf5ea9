//! How large a segment gets before the next is begun, and how much to preallocate for that one.
//!
//! Segments are small when the server starts and double from one to the next, so that a small log takes little disk
//! space. Invariant: none is planned larger than [`DiskSettings::segment_bytes`]. Pure: the caller passes what the
//! segment holds. Does not know files.

use crate::settings::{DiskSettings, SyncRule};

/// A segment with this many events is full, however small they are: its index is in memory until it is sealed.
const SEGMENT_EVENTS_MAX: u64 = 256 * 1024;
/// A segment that can't be followed by a new one grows to at most this many times its full size.
const OVERFULL_FACTOR: u64 = 4;
/// Planned size of a run's first segment.
const FIRST_BYTES: u64 = 4 * 1024 * 1024;
/// Preallocate only if the average group is smaller than this. Zeros are an extra write; for larger groups they
/// cost more than they save.
const GROUP_BYTES_MAX: u64 = 128 * 1024;

/// What a segment holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fullness {
    pub(crate) bytes: u64,
    pub(crate) events: u64,
    pub(crate) groups: u64,
}

/// The sizes of one run of the server.
#[derive(Debug)]
pub(crate) struct Sizes {
    segment_bytes: u64,
    /// Planned size of the current segment.
    planned_bytes: u64,
    /// Whether the preallocation for this segment's successor is due, or was.
    preallocation: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// There are too few syncs for it to pay off.
    Never,
    AtHalf,
    Passed,
}

impl Sizes {
    pub(crate) fn new(settings: &DiskSettings) -> Self {
        let segment_bytes = settings.segment_bytes;
        let (planned_bytes, preallocation) = match settings.sync {
            SyncRule::Always => (FIRST_BYTES.min(segment_bytes), Due::AtHalf),
            SyncRule::Interval(_) => (segment_bytes, Due::Never),
        };
        Self { segment_bytes, planned_bytes, preallocation }
    }

    pub(crate) fn is_full(&self, current: Fullness) -> bool {
        current.bytes >= self.planned_bytes || current.events >= SEGMENT_EVENTS_MAX
    }

    /// Whether the segment is so large that nothing more may be added.
    pub(crate) fn is_overfull(&self, current: Fullness) -> bool {
        current.bytes >= self.segment_bytes.saturating_mul(OVERFULL_FACTOR)
            || current.events >= SEGMENT_EVENTS_MAX * OVERFULL_FACTOR
    }

    fn is_half_full(&self, current: Fullness) -> bool {
        current.bytes >= self.planned_bytes / 2 || current.events >= SEGMENT_EVENTS_MAX / 2
    }

    fn next_bytes(&self) -> u64 {
        self.planned_bytes.saturating_mul(2).min(self.segment_bytes)
    }

    /// The size of the next preallocated segment, when it is due: once per segment.
    pub(crate) fn preallocation_bytes(&mut self, current: impl FnOnce() -> Fullness) -> Option<u64> {
        if self.preallocation != Due::AtHalf {
            return None;
        }
        let current = current();
        if !self.is_half_full(current) {
            return None;
        }
        self.preallocation = Due::Passed;
        if current.bytes / current.groups.max(1) > GROUP_BYTES_MAX {
            return None;
        }
        // If events are so small that their number fills a segment, it needs fewer bytes; with a margin, as they
        // vary.
        let by_events = current.bytes.saturating_mul(SEGMENT_EVENTS_MAX) / current.events.max(1);
        Some(self.next_bytes().min(by_events.saturating_add(by_events / 8)))
    }

    /// The next segment is begun, after one that holds `current`.
    pub(crate) fn begin_next(&mut self, current: Fullness) {
        // A segment that was left early, for a compaction, says nothing about how much is published.
        if self.is_half_full(current) {
            self.planned_bytes = self.next_bytes();
        }
        if self.preallocation == Due::Passed {
            self.preallocation = Due::AtHalf;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn sizes(segment_bytes: u64) -> Sizes {
        Sizes::new(&DiskSettings { segment_bytes, ..DiskSettings::default() })
    }

    fn current(bytes: u64, events: u64, groups: u64) -> Fullness {
        Fullness { bytes, events, groups }
    }

    #[test]
    fn segments_double_up_to_the_limit_while_they_are_filled() {
        let mut sizes = sizes(64 * MIB);
        for (mib, next) in [(4, 8), (8, 16), (16, 32), (32, 64), (64, 64), (64, 64)] {
            let full = current(mib * MIB, 10, 1_000);
            assert!(!sizes.is_full(current(mib * MIB - 1, 10, 10)) && sizes.is_full(full), "{mib} MiB");
            assert_eq!(
                sizes.preallocation_bytes(|| current(mib * MIB / 2 - 1, 10, 1_000)),
                None,
                "{mib} MiB"
            );
            assert_eq!(
                sizes.preallocation_bytes(|| current(mib * MIB / 2, 10, 1_000)),
                Some(next * MIB),
                "{mib} MiB"
            );
            assert_eq!(sizes.preallocation_bytes(|| full), None, "once, {mib} MiB");
            assert!(!sizes.is_overfull(current(256 * MIB - 1, 10, 10)), "however small it was planned");
            sizes.begin_next(current(100, 1, 1));
            assert!(sizes.is_full(full), "after one that was given up early");
            sizes.begin_next(full);
        }
        assert!(sizes.is_overfull(current(256 * MIB, 10, 10)));
    }

    #[test]
    fn small_settings_are_kept() {
        let mut sizes = sizes(1_200);
        assert!(sizes.is_full(current(1_200, 1, 1)) && !sizes.is_full(current(1_199, 1, 1)));
        assert_eq!(sizes.preallocation_bytes(|| current(600, 1, 1)), Some(1_200));
    }

    #[test]
    fn no_more_is_preallocated_than_many_small_events_take() {
        let mut sizes = sizes(64 * MIB);
        (0..4).for_each(|_| sizes.begin_next(current(64 * MIB, 0, 1)));
        let half = current(12 * MIB, SEGMENT_EVENTS_MAX / 2, 5_000);
        assert_eq!(sizes.preallocation_bytes(|| half), Some(27 * MIB));
        assert!(sizes.is_full(current(24 * MIB, SEGMENT_EVENTS_MAX, 1)));
    }

    #[test]
    fn nothing_is_preallocated_for_large_groups_or_few_syncs() {
        let mut of_large = sizes(64 * MIB);
        assert_eq!(of_large.preallocation_bytes(|| current(4 * MIB, 31, 31)), None);
        let sync = SyncRule::Interval(std::time::Duration::from_secs(1));
        let mut of_few = Sizes::new(&DiskSettings { sync, ..DiskSettings::default() });
        assert_eq!(of_few.preallocation_bytes(|| current(60 * MIB, 10, 1_000)), None);
        assert!(!of_few.is_full(current(63 * MIB, 10, 10)), "there is no reason to begin small");
    }
}

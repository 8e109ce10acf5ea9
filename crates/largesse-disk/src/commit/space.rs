//! The free space on the disk, and how much of it publishes may use.
//!
//! Publishes stop before the disk is full. The rest is for the work that frees space: removing streams,
//! checkpoints, and compactions, each of which writes something before it can remove anything.
//!
//! Invariant: a publish that is refused here has not touched the disk. Other processes may use the disk too, so it
//! can still fill up. Does not know the log's limits.

use std::sync::Arc;

use largesse_log::EngineError;

use crate::io::Disk;

/// Headroom that publishes may not use, besides what a checkpoint and a compaction take.
const HEADROOM_BYTES: u64 = 1024 * 1024;
/// A compaction needs room for one segment; at most this much is kept for it.
const COMPACTION_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The free space.
pub(crate) struct Space {
    disk: Arc<dyn Disk>,
    /// Lower bound of the free bytes, unless others used some since the disk was asked.
    left: u64,
    /// A refused publish needed this much, and there has not been as much since.
    short_of: Option<u64>,
}

/// Headroom that publishes may not use.
pub(crate) fn headroom_bytes(segment_bytes: u64, checkpoint_bytes: u64) -> u64 {
    // The old checkpoint stays until the new one is complete.
    let checkpoints = checkpoint_bytes.saturating_mul(2);
    HEADROOM_BYTES.saturating_add(segment_bytes.min(COMPACTION_BYTES_MAX)).saturating_add(checkpoints)
}

impl Space {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, left: 0, short_of: None }
    }

    /// Checks that publishes may use this many bytes without touching the headroom. Asks the disk if space may be
    /// short; if the disk can't say, they may.
    ///
    /// # Errors
    /// [`EngineError::Full`].
    pub(crate) fn check(&mut self, bytes: u64, headroom: u64) -> Result<(), EngineError> {
        let needed = bytes.saturating_add(headroom);
        if self.left < needed {
            self.left = self.disk.free_bytes().unwrap_or(u64::MAX);
        }
        let left = self.left;
        if left >= needed {
            self.short_of = self.short_of.filter(|short_of| left < *short_of);
            return Ok(());
        }
        if self.short_of.is_none() {
            tracing::error!(
                left,
                headroom,
                "the disk is nearly full: publishes are refused until there is space; make room, or remove streams"
            );
        }
        self.short_of = self.short_of.max(Some(needed));
        let reason =
            format!("{left} bytes are free, and {headroom} of them are kept for the work that frees space");
        Err(EngineError::Full { reason })
    }

    /// This many bytes were written.
    pub(crate) fn used(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// The disk was full: ask it next time.
    pub(crate) fn invalidate(&mut self) {
        self.left = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::SimulatedDisk;

    fn write(disk: &SimulatedDisk, name: &str, bytes: usize) {
        disk.create(name).unwrap().write_at(&vec![0; bytes], 0).unwrap();
    }

    #[test]
    fn publishes_may_use_everything_except_the_headroom() {
        let disk = SimulatedDisk::new(1);
        disk.set_capacity(1_000);
        let mut space = Space::new(Arc::new(disk.clone()));
        assert_eq!(space.check(900, 100), Ok(()));
        assert!(
            matches!(space.check(901, 100), Err(EngineError::Full { reason }) if reason.contains("1000 bytes"))
        );
        assert_eq!(space.check(900, 100), Ok(()), "a smaller one still goes");
        write(&disk, "ours", 500);
        space.used(500);
        assert!(space.check(401, 100).is_err());
        disk.remove("ours").unwrap();
        disk.sync_names().unwrap();
        assert_eq!(space.check(401, 100), Ok(()), "there is space again");
    }

    #[test]
    fn the_disk_is_asked_again_when_it_was_full_after_all() {
        let disk = SimulatedDisk::new(1);
        disk.set_capacity(1_000);
        let mut space = Space::new(Arc::new(disk.clone()));
        assert_eq!(space.check(100, 100), Ok(()));
        write(&disk, "another's", 950);
        assert_eq!(space.check(100, 100), Ok(()), "it is not asked at each publish");
        space.invalidate();
        assert!(space.check(100, 100).is_err());
    }

    #[test]
    fn the_headroom_fits_two_checkpoints_and_one_segment() {
        assert_eq!(headroom_bytes(1_000, 10_000), HEADROOM_BYTES + 21_000);
        assert_eq!(headroom_bytes(u64::MAX, 0), HEADROOM_BYTES + COMPACTION_BYTES_MAX);
        assert_eq!(headroom_bytes(0, u64::MAX), u64::MAX);
    }
}

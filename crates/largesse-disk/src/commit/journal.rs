//! The end of the write-ahead log: where groups are written and synced.
//!
//! Invariants:
//! - A group is written only after groups that are whole; what a failed write left is cut off, and the next group
//!   goes into a new segment.
//! - After a failed sync ([`Watched`]), or a failed truncation, nothing more is written: what is on the disk is
//!   unknown until recovery reads it.
//! - No position is shown before its reservation is durable.
//!
//! Does not know what is in a group.

use std::{io, sync::Arc};

use largesse_log::{EngineError, Position};

use crate::{
    format::frame::{GROUP_FRAME_BYTES, GroupHead, Salt, Sequence},
    io::{Watched, refused},
    segments::Segment,
    settings::SyncRule,
};

/// How many positions are reserved at once. Recovery after a crash skips at most this many.
const RESERVED_AT_ONCE: u64 = 1 << 20;

/// The active segment, and how far it is written.
pub(crate) struct Journal {
    disk: Watched,
    salt: Salt,
    segment: Arc<Segment>,
    /// Where the next group goes.
    at: u64,
    /// The last group written, and the last one synced.
    written: Sequence,
    synced: Sequence,
    /// Upper bound of reserved positions: written, and durable.
    reserved: Position,
    durable_reserved: Position,
    /// Whether the segment's end was cut off. Then the next group goes into a new segment.
    was_cut: bool,
    /// Why nothing more is written, if so.
    broken: Option<String>,
}

/// Where a journal continues.
pub(crate) struct Start {
    pub(crate) disk: Watched,
    pub(crate) salt: Salt,
    pub(crate) segment: Arc<Segment>,
    pub(crate) at: u64,
    pub(crate) written: Sequence,
}

impl Journal {
    /// Everything so far is durable, and no position is reserved.
    pub(crate) fn new(start: Start) -> Self {
        let Start { disk, salt, segment, at, written } = start;
        let (reserved, was_cut, broken) = (Position::ZERO, false, None);
        Self {
            disk,
            salt,
            segment,
            at,
            written,
            synced: written,
            reserved,
            durable_reserved: reserved,
            was_cut,
            broken,
        }
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Whether the last attempt to open a file failed for lack of descriptors.
    pub(crate) fn is_short_of_files(&self) -> bool {
        self.disk.is_short()
    }

    /// Whether the last checkpoint is gone.
    pub(crate) fn is_checkpoint_missing(&self) -> bool {
        self.disk.presence().is_checkpoint_missing()
    }

    /// Where the next group goes.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    pub(crate) fn written(&self) -> Sequence {
        self.written
    }

    /// Positions below this are reserved.
    pub(crate) fn reserved(&self) -> Position {
        self.reserved
    }

    /// Whether a new segment has to be begun before the next write.
    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut
    }

    /// Whether something is written and not synced yet.
    pub(crate) fn has_unsynced(&self) -> bool {
        self.synced < self.written
    }

    /// Writes a group: `group` has [`GROUP_FRAME_BYTES`] free bytes and then its frames, with positions before
    /// `end`. With [`SyncRule::Always`] it is durable on return. Calls `meanwhile` after the write and before the
    /// sync.
    ///
    /// # Errors
    /// [`EngineError::Full`] and [`EngineError::Unwritable`]: nothing was written. [`EngineError::Unsafe`]: the
    /// group may be there after a restart.
    pub(crate) fn write(
        &mut self,
        group: &mut [u8],
        end: Position,
        rule: SyncRule,
        meanwhile: impl FnOnce(),
    ) -> Result<(), EngineError> {
        self.check_writable()?;
        if end > self.reserved {
            self.reserved = Position(end.0.saturating_add(RESERVED_AT_ONCE));
        }
        let sequence = Sequence(self.written.0 + 1);
        let group_bytes = group.len() - GROUP_FRAME_BYTES;
        let head = GroupHead {
            sequence,
            synced_sequence: self.synced,
            reserved: self.reserved,
            group_bytes: u32::try_from(group_bytes).expect("the queue bounds what a group has"),
        };
        group[..GROUP_FRAME_BYTES].copy_from_slice(&head.encode(self.salt));
        if let Err(error) = self.segment.file.write_at(group, self.at) {
            return Err(self.write_failed(&error));
        }
        self.at += group.len() as u64;
        self.written = sequence;
        meanwhile();
        match rule {
            SyncRule::Interval(_) if end <= self.durable_reserved => {}
            SyncRule::Always | SyncRule::Interval(_) => self.sync()?,
        }
        self.check_named()
    }

    /// Checks that the segment still has a name. A file without one is gone when the server stops.
    ///
    /// # Errors
    /// [`EngineError::Unwritable`] if it has none; [`EngineError::Unsafe`] if that can't be known. Nothing more is
    /// written then.
    pub(crate) fn check_named(&mut self) -> Result<(), EngineError> {
        let name = self.segment.id.file_name();
        let links = match self.segment.file.links() {
            Ok(0) => Ok(format!("{name} was removed while it was written")),
            Ok(_) => return Ok(()),
            Err(error) => Err(format!("it is unknown whether {name} is still there: {error}")),
        };
        let (Ok(reason) | Err(reason)) = &links;
        self.fail(reason.clone());
        Err(match links {
            Ok(reason) => EngineError::Unwritable { reason },
            Err(reason) => EngineError::Unsafe { reason },
        })
    }

    /// Syncs everything written so far.
    ///
    /// # Errors
    /// [`EngineError::Unsafe`]; nothing more is written then.
    pub(crate) fn sync(&mut self) -> Result<(), EngineError> {
        self.check_writable()?;
        if let Err(error) = self.segment.file.sync() {
            let reason = format!("{} could not be synced: {error}", self.segment.id.file_name());
            return Err(EngineError::Unsafe { reason });
        }
        (self.synced, self.durable_reserved) = (self.written, self.reserved);
        Ok(())
    }

    /// Continues in a new segment. Everything has to be synced.
    pub(crate) fn continue_in(&mut self, segment: Arc<Segment>, at: u64) {
        debug_assert!(!self.has_unsynced(), "a segment is synced before the next is begun");
        (self.segment, self.at, self.was_cut) = (segment, at, false);
    }

    /// Writes nothing more until the next start: a file of the log has lost its name.
    pub(crate) fn fail(&mut self, reason: String) {
        self.disk.presence().set_missing(Some(reason.clone()));
        tracing::error!(reason, "nothing more is published until the server is started again");
        self.broken = Some(reason);
    }

    /// Writes nothing until the missing file is back.
    pub(crate) fn report_missing(&self, what: String) {
        self.disk.report_missing(Some(what));
    }

    fn check_writable(&self) -> Result<(), EngineError> {
        if let Some(reason) = self.disk.failure().or(self.broken.as_deref()) {
            let reason = format!("{reason}; nothing is published until the server is started again");
            return Err(EngineError::Unwritable { reason });
        }
        match self.disk.presence().missing() {
            None => Ok(()),
            Some(reason) => Err(EngineError::Unwritable { reason }),
        }
    }

    /// Cuts off what a failed write left behind.
    fn write_failed(&mut self, error: &io::Error) -> EngineError {
        let reason = format!("{} could not be written: {error}", self.segment.id.file_name());
        let cut_off = self.segment.file.truncate(self.at).and_then(|()| self.segment.file.sync());
        if let Err(cut) = cut_off {
            tracing::error!(
                segment = self.segment.id.file_name(), %error, %cut,
                "a write failed, and what it left could not be cut off; nothing more is published until the server is started again"
            );
            self.broken = Some(reason.clone());
            return EngineError::Unsafe { reason };
        }
        tracing::error!(segment = self.segment.id.file_name(), %error, "the log could not be written");
        self.was_cut = true;
        refused(error, reason)
    }
}

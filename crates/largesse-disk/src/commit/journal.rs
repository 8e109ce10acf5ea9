//! The end of the log: where groups are written, and made safe.
//!
//! Invariants:
//! - A group is written only behind groups that are whole; what a failed write left is cut off, and the
//!   next group goes into a new segment.
//! - After any sync that failed ([`Watched`]), or a cut that did, nothing is written any more: nobody knows what is
//!   there. Only a start that reads it all finds out.
//! - A position is shown to nobody before its reservation is safe.
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

/// How many positions are reserved at once. A start after a crash skips at most so many.
const RESERVED_AT_ONCE: u64 = 1 << 20;

/// The segment that is written, and how far.
pub(crate) struct Journal {
    disk: Watched,
    salt: Salt,
    segment: Arc<Segment>,
    /// Where the next group goes.
    at: u64,
    /// The last group that was written, and the last that is safe.
    written: Sequence,
    synced: Sequence,
    /// Positions below these are reserved: as written, and as is safe.
    reserved: Position,
    durable_reserved: Position,
    /// Whether something was cut off the end of the segment. Then the next group goes into a new one.
    was_cut: bool,
    /// Why nothing is written any more.
    broken: Option<String>,
}

/// Where a journal goes on.
pub(crate) struct Start {
    pub(crate) disk: Watched,
    pub(crate) salt: Salt,
    pub(crate) segment: Arc<Segment>,
    pub(crate) at: u64,
    pub(crate) written: Sequence,
}

impl Journal {
    /// Everything so far is safe, and no position is reserved.
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

    /// Whether the last file that was to be opened could not be.
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

    /// Whether a new segment is to be begun before anything is written.
    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut
    }

    /// Whether something was written that is not safe yet.
    pub(crate) fn has_unsynced(&self) -> bool {
        self.synced < self.written
    }

    /// Writes a group, whose frames stand in `group` behind [`GROUP_FRAME_BYTES`] free bytes, and whose
    /// positions are before `end`. With [`SyncRule::Always`] it is safe then. Calls `meanwhile` before the disk is
    /// waited for.
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

    /// Whether the segment still has a name. What is safe in a file without one is gone when the server stops.
    ///
    /// # Errors
    /// [`EngineError::Unwritable`] when it has none; [`EngineError::Unsafe`] when that can't be known. Nothing is
    /// written any more then.
    pub(crate) fn check_named(&mut self) -> Result<(), EngineError> {
        let name = self.segment.id.file_name();
        let links = match self.segment.file.links() {
            Ok(0) => Ok(format!("{name} was removed while it was written")),
            Ok(_) => return Ok(()),
            Err(error) => Err(format!("whether {name} is still there is not known: {error}")),
        };
        let (Ok(reason) | Err(reason)) = &links;
        self.fail(reason.clone());
        Err(match links {
            Ok(reason) => EngineError::Unwritable { reason },
            Err(reason) => EngineError::Unsafe { reason },
        })
    }

    /// Makes all safe that was written.
    ///
    /// # Errors
    /// [`EngineError::Unsafe`]; nothing is written any more then.
    pub(crate) fn sync(&mut self) -> Result<(), EngineError> {
        self.check_writable()?;
        if let Err(error) = self.segment.file.sync() {
            let reason = format!("{} could not be synced: {error}", self.segment.id.file_name());
            return Err(EngineError::Unsafe { reason });
        }
        (self.synced, self.durable_reserved) = (self.written, self.reserved);
        Ok(())
    }

    /// Goes on in a new segment. Everything is safe.
    pub(crate) fn continue_in(&mut self, segment: Arc<Segment>, at: u64) {
        debug_assert!(!self.has_unsynced(), "a segment is safe before the next is begun");
        (self.segment, self.at, self.was_cut) = (segment, at, false);
    }

    /// Writes nothing until the next start: a part of the log has lost its name.
    pub(crate) fn fail(&mut self, reason: String) {
        self.disk.presence().set_missing(Some(reason.clone()));
        tracing::error!(reason, "nothing more is published until the server is started again");
        self.broken = Some(reason);
    }

    /// Nothing is written until this is there again.
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

    /// Cuts off what a failed write left.
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

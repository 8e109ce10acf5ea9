//! Reads a log that no server has open: what is in it, its events, and whether all of it is whole.
//!
//! Invariants: nothing here changes a file; no event is returned before its checksum is verified. Callers keep
//! servers away from the folder: what one writes meanwhile would be seen half done. Does not repair anything.

use std::{io, num::NonZeroUsize, sync::Arc};

use largesse_log::{
    Batch, EngineError, Incarnation, Place, Position, Query, ReadLimits, Selection, StreamName, StreamState,
    UnixMs,
};

use crate::{
    core::Core,
    io::{Disk, DiskFile, ReadOnly, lock::LOCK_NAME},
    read::ColdError,
    recover::{InspectedLog, OpenError, inspect},
    segments::SegmentId,
};

mod check;

pub use check::{Checked, Defect, check, check_watched};

/// The file in which a server saves the log clock. Opening the log does not need it.
pub const CLOCK_NAME: &str = "clock";

/// A log that no server has open.
pub struct OfflineLog {
    core: Core,
    left_out: Vec<OpenError>,
    files: Files,
}

/// A log's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The latest format among them: in a folder of an earlier format, only what was written since has this
    /// version's. Zero if none has a format.
    pub format: u32,
    /// How many segments there are.
    pub segments: u64,
    /// Size of the log's files, preallocated space included; `lock` and `identity` not.
    pub bytes: u64,
}

impl std::fmt::Debug for OfflineLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OfflineLog").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Whether there is a log on the disk, whole or not.
///
/// # Errors
/// Those of the disk.
pub fn is_log(disk: &dyn Disk) -> io::Result<bool> {
    let is_ours =
        |name: &String| name == crate::format::checkpoint::FILE || SegmentId::of_file_name(name).is_some();
    Ok(disk.names()?.iter().any(is_ours))
}

impl OfflineLog {
    /// Reads what a start would: the checkpoint, and the commands after it. Broken parts of these are left out.
    /// Check with [`is_log`] first that there is a log.
    ///
    /// # Errors
    /// [`OpenError`], if not even the checkpoint can be read, or a file that it names.
    pub fn load(disk: Arc<dyn Disk>) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Io { file: "the data folder".to_owned(), source };
        let files = files(&*disk).map_err(failed)?;
        let InspectedLog { core, left_out } = inspect(Arc::new(ReadOnly(disk)))?;
        Ok(Self { core, left_out, files })
    }

    /// Which log it is.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.core.incarnation
    }

    /// The position of its last record.
    #[must_use]
    pub fn tail(&self) -> Position {
        self.core.state().tail()
    }

    /// The time of its last event, if it ever had one.
    #[must_use]
    pub fn last_time(&self) -> Option<UnixMs> {
        self.core.state().last_time()
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> Files {
        self.files
    }

    /// The parts that could not be replayed, because nothing says what they were: their events are missing here,
    /// and streams may have been created, closed or removed there.
    #[must_use]
    pub fn left_out(&self) -> &[OpenError] {
        &self.left_out
    }

    /// Streams after `after` by name, in byte order; at most `states_max`.
    #[must_use]
    pub fn list(&self, after: Option<&StreamName>, states_max: NonZeroUsize) -> Vec<StreamState> {
        self.core.state().list(after, states_max)
    }

    /// Reads from a place, like [`Query::Read`]. A broken event is passed to `broken`, skipped, and reported as a
    /// loss. Waits for the disk.
    ///
    /// # Errors
    /// [`EngineError::BeyondTail`], [`EngineError::Unreadable`].
    pub fn read(
        &self,
        selection: &Selection,
        place: Place,
        limits: ReadLimits,
        broken: &mut dyn FnMut(&EngineError),
    ) -> Result<Batch, EngineError> {
        loop {
            match self.core.query(Query::Read { selection, place, limits }) {
                Ok(reply) => return Ok(reply.into_batch()),
                Err(ColdError::Engine(error)) => return Err(error),
                // Each is found once: from then on it is skipped.
                Err(ColdError::Damaged { stream, position, error }) => {
                    broken(&error);
                    self.core.cold.pass_over(position)?;
                    self.core.state().damage(None, &stream, position);
                }
            }
        }
    }
}

/// The files of the log on a disk.
///
/// # Errors
/// Those of the disk.
pub fn files(disk: &dyn Disk) -> io::Result<Files> {
    let mut files = Files::default();
    let is_of_the_folder = |name: &String| name == LOCK_NAME || name == crate::recover::identity::FILE;
    for name in disk.names()?.into_iter().filter(|name| !is_of_the_folder(name)) {
        let file = disk.open(&name)?;
        files.segments += u64::from(SegmentId::of_file_name(&name).is_some());
        files.bytes += file.bytes()?;
        files.format = files.format.max(format_of(&*file)?.unwrap_or(0));
    }
    Ok(files)
}

/// The format of a segment or a checkpoint; both have it at the same offset.
fn format_of(file: &dyn DiskFile) -> io::Result<Option<u32>> {
    let mut head = [0; 12];
    match file.read_at(&mut head, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let (magic, format) = head.split_at(8);
    let is_ours = magic == crate::format::segment::MAGIC || magic == crate::format::checkpoint::MAGIC;
    Ok(format.try_into().ok().map(u32::from_le_bytes).filter(|_| is_ours))
}

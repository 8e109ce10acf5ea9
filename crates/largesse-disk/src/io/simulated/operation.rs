//! The operations of a simulated disk, and how they can fail, for tests.

use std::io;

/// How many operations a simulated disk records. Tests need fewer; older ones are dropped.
pub const OPERATIONS_KEPT_MAX: usize = 65_536;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes during the operation: a write may be torn at any byte, a change of a name happens or not, a
    /// sync has not happened. From then on everything fails, reads too.
    PowerCut,
    /// `EIO`. A write may be done in part. After a sync, everything unsynced stays in doubt forever.
    Error,
    /// `ENOSPC`, once. A write may be done in part; a sync fails like with [`Fault::Error`].
    Full,
}

impl Fault {
    /// The error: the operating system's own, with its kind and number.
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::PowerCut => io::Error::other("the power is cut"),
            Self::Error => io::Error::from_raw_os_error(EIO),
            Self::Full => io::Error::from_raw_os_error(ENOSPC),
        }
    }
}

/// Of all Unixes.
const EIO: i32 = 5;
/// Of all Unixes.
const ENOSPC: i32 = 28;

/// One recorded operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number, as in [`super::SimulatedDisk::fail_at`].
    pub number: u64,
    /// The operation.
    pub act: Act,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It failed; part of it may be done.
    Failed,
}

/// A kind of operation. Files have their name at the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Create a file.
    Create {
        /// Its name.
        name: String,
    },
    /// Rename a file.
    Rename {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// Remove a name.
    Remove {
        /// The name.
        name: String,
    },
    /// Write bytes.
    Write {
        /// The file's name.
        name: String,
        /// The offset.
        at: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// Sync a file.
    Sync {
        /// The file's name.
        name: String,
    },
    /// Truncate a file.
    Truncate {
        /// The file's name.
        name: String,
        /// The new length.
        bytes: u64,
    },
    /// Sync the names.
    SyncNames,
}

//! What is asked of a simulated disk, and how it can fail: the words a test uses.

use std::io;

/// How many operations a simulated disk remembers. A test's workload is smaller; older ones are forgotten.
pub const OPERATIONS_KEPT_MAX: usize = 65_536;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes while it happens: a write may be torn at any byte, a change of a name happens or not, a
    /// sync has not happened. From then on everything fails, reads too.
    PowerCut,
    /// `EIO`. A write may be done in part. After a sync it is unknown for good what of the unsynced is safe.
    Error,
    /// `ENOSPC`, once. A write may be done in part; a sync fails as with [`Fault::Error`].
    Full,
}

impl Fault {
    /// The error it answers: the operating system's own, so that code that looks at its kind or number does.
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

/// One operation that a simulated disk was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// How many there were before it: the number that makes [`super::SimulatedDisk::fail_at`] fail it.
    pub number: u64,
    /// What was asked.
    pub act: Act,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was answered with an error; part of it may be done.
    Failed,
}

/// What can be asked. Files have the name they have at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A file was to be made.
    Create {
        /// Its name.
        name: String,
    },
    /// A file was to get another name.
    Rename {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// A name was to be taken away.
    Remove {
        /// The name.
        name: String,
    },
    /// Bytes were to be written.
    Write {
        /// The file's name.
        name: String,
        /// The place of the first byte.
        at: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// A file's bytes were to be made safe.
    Sync {
        /// The file's name.
        name: String,
    },
    /// A file was to be cut off.
    Truncate {
        /// The file's name.
        name: String,
        /// How many bytes were to be left.
        bytes: u64,
    },
    /// The names were to be made safe.
    SyncNames,
}

//! The one way to the disk: a flat folder of files.
//!
//! Invariant: nothing else of this crate opens, names or syncs a file (but the lock, which holds nothing), so a
//! disk that cuts, tears or fails can stand in its place. Does not know what is in the files.

use std::{fmt, io, sync::Arc, time::Duration};

mod failure;
mod folder;
mod location;
pub mod lock;
mod open_files;
#[cfg(feature = "simulated")]
mod panicking;
mod presence;
mod read_only;
#[cfg(feature = "simulated")]
mod simulated;
mod watched;

pub(crate) use failure::{refused, remove_if_there};
pub use folder::Folder;
pub use location::{Instead, Location};
pub(crate) use open_files::{is_code_out_of_files, is_out_of_files};
#[cfg(feature = "simulated")]
pub use panicking::PanickingDisk;
pub(crate) use presence::Presence;
pub(crate) use read_only::ReadOnly;
#[cfg(feature = "simulated")]
pub use simulated::{Act, Fault, OPERATIONS_KEPT_MAX, Operation, Outcome, SimulatedDisk};
pub(crate) use watched::Watched;

/// A folder of files. Names have no slashes; another name than that of a file is an
/// [`io::ErrorKind::InvalidInput`].
pub trait Disk: Send + Sync + 'static {
    /// Makes an empty file, to read and write. Its name is safe only after [`Disk::sync_names`].
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::AlreadyExists`] when the name is taken.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file that is there, to read and write.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::NotFound`] when there is none.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// The names of all files, in no order.
    ///
    /// # Errors
    /// Those of the disk.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Gives a file another name, in place of whatever had that name. Safe only after [`Disk::sync_names`].
    ///
    /// # Errors
    /// Those of the disk.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a name away. Who has the file open still reads it.
    ///
    /// # Errors
    /// Those of the disk.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes all names safe: those made, changed and taken away.
    ///
    /// # Errors
    /// Those of the disk. After an error nothing is known of the names since the last success.
    fn sync_names(&self) -> io::Result<()>;

    /// What tells a file from each copy of it, for as long as it is there. `None` where the disk can't tell.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::NotFound`] when there is none.
    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        let _ = name;
        Ok(None)
    }

    /// Where the folder is now: it may have been moved, or removed, since it was opened.
    ///
    /// # Errors
    /// Those of the disk; its path may not be followed any more.
    fn location(&self) -> io::Result<Location> {
        Ok(Location::InPlace)
    }

    /// How many bytes are free on the disk for us, as far as it knows: it may be more than a quota lets us have, and
    /// is all there are to count unless the disk says otherwise.
    ///
    /// # Errors
    /// Those of the disk.
    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// What a file keeps when it is renamed or written, and no copy of it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// Its number on its disk. It may be that of another file once this one is gone.
    pub inode: u64,
    /// When it was made, since 1970.
    pub born: Duration,
}

impl fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {} born {}.{:09}", self.inode, self.born.as_secs(), self.born.subsec_nanos())
    }
}

/// One open file. Its bytes are counted from 0.
pub trait DiskFile: Send + Sync + 'static {
    /// How many bytes it has.
    ///
    /// # Errors
    /// Those of the disk.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `into` with the bytes at `at`.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::UnexpectedEof`] when the file ends before.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()>;

    /// Writes all bytes at `at`, which is at or before the end. After an error any part may be written.
    ///
    /// # Errors
    /// Those of the disk.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Makes everything written so far safe, as `fdatasync` does.
    ///
    /// # Errors
    /// Those of the disk. After an error nothing is known of what was written since the last success, and a
    /// later success says nothing about it either.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file off after `bytes` bytes.
    ///
    /// # Errors
    /// Those of the disk.
    fn truncate(&self, bytes: u64) -> io::Result<()>;

    /// How many names it has, where the disk says. With none, what is in it is gone when it is closed.
    ///
    /// # Errors
    /// Those of the disk.
    fn links(&self) -> io::Result<u64> {
        Ok(1)
    }

    /// As [`Disk::identity`], of this one, whatever has its name now.
    ///
    /// # Errors
    /// Those of the disk.
    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        Ok(None)
    }

    /// Before its name is taken away or given to another: who has it reads this one still. Nothing to do but where a
    /// file is not open all the time.
    ///
    /// # Errors
    /// Those of the disk.
    fn keep_open(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The name, if it can only be that of a file in the folder itself.
fn flat(name: &str) -> io::Result<&str> {
    let leaves_the_folder = matches!(name, "" | "." | "..") || name.contains(['/', '\0']);
    if leaves_the_folder {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is not a file's name")));
    }
    Ok(name)
}

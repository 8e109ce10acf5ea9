//! The only access to the disk: a flat folder of files.
//!
//! Invariant: nothing else in this crate opens, names or syncs a file (except the lock, which has no data), so
//! tests can replace it by a disk that cuts, tears or fails. Does not know what is in the files.

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

/// A folder of files. Names have no slashes; a name that can't be a file's is an [`io::ErrorKind::InvalidInput`].
pub trait Disk: Send + Sync + 'static {
    /// Creates an empty file, to read and write. Its name is durable only after [`Disk::sync_names`].
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::AlreadyExists`] if the name exists.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens an existing file, to read and write.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::NotFound`] when there is none.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// The names of all files, in any order.
    ///
    /// # Errors
    /// Those of the disk.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Renames a file, and replaces whatever had the new name. Durable only after [`Disk::sync_names`].
    ///
    /// # Errors
    /// Those of the disk.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Those who have it open can still read it.
    ///
    /// # Errors
    /// Those of the disk.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Syncs all names: created, changed and removed ones.
    ///
    /// # Errors
    /// Those of the disk. After an error, any change of names since the last success is in doubt.
    fn sync_names(&self) -> io::Result<()>;

    /// An identity that no copy of the file has, as long as it exists. `None` if the disk can't tell.
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
    /// Those of the disk; its path may no longer be accessible.
    fn location(&self) -> io::Result<Location> {
        Ok(Location::InPlace)
    }

    /// How many bytes are free for us, as far as the disk knows: a quota may allow less. The default is `u64::MAX`.
    ///
    /// # Errors
    /// Those of the disk.
    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// What a file keeps when it is renamed or written, and what no copy of it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// Its number on its disk. It can be reused once the file is gone.
    pub inode: u64,
    /// When it was created, since 1970.
    pub born: Duration,
}

impl fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {} born {}.{:09}", self.inode, self.born.as_secs(), self.born.subsec_nanos())
    }
}

/// One open file. Offsets count from 0.
pub trait DiskFile: Send + Sync + 'static {
    /// How many bytes it has.
    ///
    /// # Errors
    /// Those of the disk.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `into` with the bytes at `at`.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()>;

    /// Writes all bytes at `at`, which is at or before the end. After an error, any part may be written.
    ///
    /// # Errors
    /// Those of the disk.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Syncs everything written so far, like `fdatasync`.
    ///
    /// # Errors
    /// Those of the disk. After an error, everything written since the last success is in doubt, and a later
    /// success does not change that.
    fn sync(&self) -> io::Result<()>;

    /// Truncates the file to `bytes` bytes.
    ///
    /// # Errors
    /// Those of the disk.
    fn truncate(&self, bytes: u64) -> io::Result<()>;

    /// How many names it has, if the disk can say. A file without one is gone when it is closed.
    ///
    /// # Errors
    /// Those of the disk.
    fn links(&self) -> io::Result<u64> {
        Ok(1)
    }

    /// Like [`Disk::identity`], for this file, whatever has its name now.
    ///
    /// # Errors
    /// Those of the disk.
    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        Ok(None)
    }

    /// Call it before the file's name is removed or replaced: those who have it can still read it then. Does
    /// nothing unless the file is opened lazily.
    ///
    /// # Errors
    /// Those of the disk.
    fn keep_open(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The name, if it can only name a file in the folder itself.
fn flat(name: &str) -> io::Result<&str> {
    let leaves_the_folder = matches!(name, "" | "." | "..") || name.contains(['/', '\0']);
    if leaves_the_folder {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is not a file's name")));
    }
    Ok(name)
}

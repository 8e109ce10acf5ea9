//! The real disk: one folder of the file system.
//!
//! Invariant: what a call of [`Disk`] or [`DiskFile`] says is done was asked of the operating system, with no
//! buffer of our own in between. Does not retry anything, and does not keep two servers apart: see
//! [`crate::lock`].

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::{Disk, DiskFile, FileIdentity, flat};

/// Who may see into the folder: its owner. Events may be secret.
const FOLDER_MODE: u32 = 0o700;
/// Who may read and write the files: their owner.
const FILE_MODE: u32 = 0o600;

/// A folder of the file system.
#[derive(Debug)]
pub struct Folder {
    /// Absolute, so that it stays the same folder when the process changes its own.
    path: PathBuf,
    /// The folder itself, to sync its names.
    names: File,
    access: Access,
}

/// What may be done with the files of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadAndWrite,
    /// Whoever may read a file may open it, also where nothing can be written.
    Read,
}

impl Folder {
    /// Opens the folder, and makes it if it is missing, with those above it, all for their owner alone. Its own
    /// name is safe when this returns.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::NotADirectory`] when a file is in the way.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        make(&path)?;
        let names = File::open(&path)?;
        Ok(Self { path, names, access: Access::ReadAndWrite })
    }

    /// Opens a folder that is there, to read alone: files are opened so as well, and nothing is made.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open_to_read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let names = File::open(&path)?;
        Ok(Self { path, names, access: Access::Read })
    }

    /// Where it is, from the root.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(&self, name: &str) -> io::Result<PathBuf> {
        flat(name).map(|name| self.path.join(name))
    }
}

/// Makes the folder unless it is there, and makes its name safe.
fn make(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    if path.is_dir() {
        return sync_if_allowed(parent);
    }
    make_above(parent)?;
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            sync_if_allowed(parent)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(io::ErrorKind::NotADirectory, error))
        }
        Err(error) => Err(error),
        Ok(()) => File::open(parent)?.sync_all(),
    }
}

/// A folder above that is there already is not ours to sync.
fn make_above(parent: &Path) -> io::Result<()> {
    if parent.is_dir() { Ok(()) } else { make(parent) }
}

/// The folder was there, but whoever made it may have died before its name was safe. A parent that we may not
/// even list was not where a server of ours made it.
fn sync_if_allowed(parent: &Path) -> io::Result<()> {
    match File::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        opened => opened?.sync_all(),
    }
}

impl Disk for Folder {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(FILE_MODE);
        Ok(Arc::new(options.open(self.at(name)?)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let writes = self.access == Access::ReadAndWrite;
        Ok(Arc::new(OpenOptions::new().read(true).write(writes).open(self.at(name)?)?))
    }

    /// Folders, and names that are not UTF-8, are none of ours and left out.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from)?, self.at(to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.at(name)?)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.names.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let disk = rustix::fs::fstatvfs(&self.names)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Not every file system knows when a file was made.
    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        let metadata = fs::metadata(self.at(name)?)?;
        let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Ok(born.map(|born| FileIdentity { inode: metadata.ino(), born }))
    }
}

impl DiskFile for File {
    fn bytes(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.read_exact_at(into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

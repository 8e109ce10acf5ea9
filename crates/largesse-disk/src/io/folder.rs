//! The real disk: one folder of the file system.
//!
//! Invariants: every call of [`Disk`] or [`DiskFile`] is a system call, with no buffer of our own in between. The
//! path is followed once, when the folder is opened: every file is reached through the folder's descriptor, so a
//! moved folder stays the same, and another one at its path is never touched. Does not retry anything, and does not
//! keep two servers apart: see [`super::lock`].

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstatvfs, openat, renameat, statat, unlinkat};

use super::{Disk, DiskFile, FileIdentity, Location, flat, location};

/// Only the owner may list the folder. Events may be secret.
const FOLDER_MODE: u32 = 0o700;
/// Only the owner may read and write the files.
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// How a folder is opened.
const AS_FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder of the file system.
#[derive(Debug)]
pub struct Folder {
    /// Where it was opened: absolute, and only for messages and [`Disk::location`].
    path: PathBuf,
    /// The folder's descriptor. Every file is reached through it, so it stays the same folder wherever it is moved.
    itself: File,
    access: Access,
}

/// How files of a folder are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadAndWrite,
    /// Needs no permission to write.
    Read,
}

impl Folder {
    /// Opens the folder, and creates it and its parents if they are missing, all for their owner only. Its name is
    /// durable on return.
    ///
    /// # Errors
    /// Those of the disk; [`io::ErrorKind::NotADirectory`] if a file is in the way.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        make(&path)?;
        Self::opened(path, Access::ReadAndWrite)
    }

    /// Opens an existing folder, only for reading: files are opened the same way, and nothing is created.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open_to_read(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::opened(std::path::absolute(path)?, Access::Read)
    }

    fn opened(path: PathBuf, access: Access) -> io::Result<Self> {
        let itself = openat(CWD, &path, AS_FOLDER, Mode::empty())?.into();
        Ok(Self { path, itself, access })
    }

    /// Its absolute path when it was opened. It may have been moved since: don't open anything by this.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All names in it, in any order, including folders and names that are not UTF-8.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn all_names(&self) -> io::Result<Vec<String>> {
        self.entries(|_, _| Ok(true))
    }

    /// The size of all files in it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn file_bytes(&self) -> io::Result<u64> {
        let size = |name: String| match statat(&self.itself, name, AtFlags::SYMLINK_NOFOLLOW) {
            // Removed meanwhile.
            Err(rustix::io::Errno::NOENT) => Ok(0),
            found => Ok(u64::try_from(found?.st_size).unwrap_or(0)),
        };
        self.names()?.into_iter().map(size).sum()
    }

    /// Opens one of its files with any flags, for the lock.
    pub(crate) fn open_as(&self, name: &str, how: OFlags) -> io::Result<File> {
        Ok(openat(&self.itself, flat(name)?, how | OFlags::CLOEXEC, FILE_MODE)?.into())
    }

    /// Opens the folder itself again.
    pub(crate) fn open_itself(&self) -> io::Result<File> {
        Ok(openat(&self.itself, ".", AS_FOLDER, Mode::empty())?.into())
    }

    fn entries(&self, is_wanted: impl Fn(&str, FileType) -> io::Result<bool>) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.itself)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !matches!(name.as_str(), "." | "..") && is_wanted(&name, entry.file_type())? {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Whether this name is a file's. Not every file system lists the type with the name.
    fn is_file(&self, name: &str, kind: FileType) -> io::Result<bool> {
        if kind != FileType::Unknown {
            return Ok(kind == FileType::RegularFile);
        }
        match statat(&self.itself, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => Ok(false),
            found => Ok(FileType::from_raw_mode(found?.st_mode) == FileType::RegularFile),
        }
    }
}

/// Creates the folder unless it exists, and syncs its name.
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

/// An existing parent is not ours to sync.
fn make_above(parent: &Path) -> io::Result<()> {
    if parent.is_dir() { Ok(()) } else { make(parent) }
}

/// The folder exists, but the server that created it may have died before syncing its name. In a parent that we may
/// not even list, no server of ours created it.
fn sync_if_allowed(parent: &Path) -> io::Result<()> {
    match File::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        opened => opened?.sync_all(),
    }
}

impl Disk for Folder {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(self.open_as(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let how = if self.access == Access::ReadAndWrite { OFlags::RDWR } else { OFlags::RDONLY };
        Ok(Arc::new(self.open_as(name, how)?))
    }

    /// Folders, and names that are not UTF-8, are not ours, and left out.
    fn names(&self) -> io::Result<Vec<String>> {
        self.entries(
            |name, kind| Ok(!name.contains(char::REPLACEMENT_CHARACTER) && self.is_file(name, kind)?),
        )
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.itself, flat(from)?, &self.itself, flat(to)?)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.itself, flat(name)?, AtFlags::empty())?)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.itself.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let disk = fstatvfs(&self.itself)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Not every file system knows when a file was created.
    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        DiskFile::identity(&self.open_as(name, OFlags::RDONLY)?)
    }

    fn location(&self) -> io::Result<Location> {
        location::of(&self.itself, &self.path)
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

    fn links(&self) -> io::Result<u64> {
        Ok(self.metadata()?.nlink())
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        let metadata = self.metadata()?;
        let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Ok(born.map(|born| FileIdentity { inode: metadata.ino(), born }))
    }
}

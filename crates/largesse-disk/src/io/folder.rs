//! The real disk: one folder of the file system.
//!
//! Invariants: what a call of [`Disk`] or [`DiskFile`] says is done was asked of the operating system, with no buffer
//! of our own in between. Its path is followed once, when it is opened: every file is reached through the folder's
//! descriptor, so a folder that is moved stays the same, and another one at its path is never touched. Does not retry
//! anything, and does not keep two servers apart: see [`crate::lock`].

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstatvfs, openat, renameat, statat, unlinkat};

use super::{Disk, DiskFile, FileIdentity, Location, flat, location};

/// Who may see into the folder: its owner. Events may be secret.
const FOLDER_MODE: u32 = 0o700;
/// Who may read and write the files: their owner.
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// How a folder is opened.
const AS_FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder of the file system.
#[derive(Debug)]
pub struct Folder {
    /// Where it was opened: absolute, and for messages and [`Disk::location`] alone.
    path: PathBuf,
    /// The folder itself. Every file is reached from here, so it stays the same folder wherever it is moved.
    itself: File,
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
        Self::opened(path, Access::ReadAndWrite)
    }

    /// Opens a folder that is there, to read alone: files are opened so as well, and nothing is made.
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

    /// Where it was opened, from the root. It may have been moved since: nothing is to be opened by this.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all that is in it, in no order: folders, and names that are not UTF-8, as well.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn all_names(&self) -> io::Result<Vec<String>> {
        self.entries(|_, _| Ok(true))
    }

    /// What all files in it take, together.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn file_bytes(&self) -> io::Result<u64> {
        let size = |name: String| match statat(&self.itself, name, AtFlags::SYMLINK_NOFOLLOW) {
            // Taken away meanwhile.
            Err(rustix::io::Errno::NOENT) => Ok(0),
            found => Ok(u64::try_from(found?.st_size).unwrap_or(0)),
        };
        self.names()?.into_iter().map(size).sum()
    }

    /// Opens a file of it as nobody else of this crate does: for the lock.
    pub(crate) fn open_as(&self, name: &str, how: OFlags) -> io::Result<File> {
        Ok(openat(&self.itself, flat(name)?, how | OFlags::CLOEXEC, FILE_MODE)?.into())
    }

    /// Opens the folder itself once more.
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

    /// Whether what has this name is a file. Not every file system says it with the name.
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
        Ok(Arc::new(self.open_as(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let how = if self.access == Access::ReadAndWrite { OFlags::RDWR } else { OFlags::RDONLY };
        Ok(Arc::new(self.open_as(name, how)?))
    }

    /// Folders, and names that are not UTF-8, are none of ours and left out.
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

    /// Not every file system knows when a file was made.
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

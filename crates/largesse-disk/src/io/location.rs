//! Where a folder is now that was opened by a path.
//!
//! Invariant: a folder is at its path if the path leads to the same device and inode as the descriptor; a folder
//! without a name is removed, whatever is at its path. Does not open anything.

use std::{
    ffi::OsStr,
    fmt,
    fs::File,
    io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FileType, fstat, stat},
    io::Errno,
};

/// Where a folder is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Where it was opened.
    InPlace,
    /// Its path leads elsewhere. The folder and all its files still exist.
    Moved {
        /// Where it was opened.
        from: PathBuf,
        /// Where it is now, if the system knows: the same path if something is mounted over it.
        to: Option<PathBuf>,
        /// What is at its path now.
        instead: Instead,
    },
    /// It has no name any more: what is written to it is gone when the server stops.
    Removed {
        /// Where it was opened.
        from: PathBuf,
    },
}

/// What is at the path of a moved folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Nothing.
    Nothing,
    /// Another folder, which is left alone.
    Folder,
    /// Something else.
    Other,
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Folder => "another folder",
            Self::Other => "something that isn't a folder",
        })
    }
}

/// Compares what `path` leads to with `folder`.
///
/// # Errors
/// The path is not accessible, or the disk fails.
pub(super) fn of(folder: &File, path: &Path) -> io::Result<Location> {
    let ours = fstat(folder)?;
    if ours.st_nlink == 0 {
        return Ok(Location::Removed { from: path.to_owned() });
    }
    let instead = match stat(path) {
        Ok(found) if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino) => {
            return Ok(Location::InPlace);
        }
        Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::Directory => Instead::Folder,
        Ok(_) => Instead::Other,
        // A link that leads to itself leads to nothing.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Instead::Nothing,
        Err(error) => return Err(error.into()),
    };
    let from = path.to_owned();
    Ok(match now_at(folder) {
        Now::At(to) => Location::Moved { from, to: Some(to), instead },
        Now::Unknown => Location::Moved { from, to: None, instead },
        Now::Removed => Location::Removed { from },
    })
}

enum Now {
    At(PathBuf),
    Unknown,
    Removed,
}

/// Where an open folder is, according to the system. Source: proc_pid_fd(5).
fn now_at(folder: &File) -> Now {
    match std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())) {
        // A folder may have such a name, too.
        Ok(path) if path.as_os_str().as_bytes().ends_with(b" (deleted)") && stat(&path).is_err() => {
            Now::Removed
        }
        Ok(path) if path.as_os_str() != OsStr::new("/") && path.is_absolute() => Now::At(path),
        _ => Now::Unknown,
    }
}

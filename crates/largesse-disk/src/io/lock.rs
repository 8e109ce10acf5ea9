//! One server per folder: a lock that the operating system releases when the process ends, however it ends.
//!
//! Invariant: among all processes of the machine, one has the folder exclusively, or several share it for reading,
//! or none has it. We never remove the file [`LOCK_NAME`]: a process that had it open would lock a file that nobody
//! else finds. In case somebody else removes it, the folder itself is locked, too, on file systems that can. Both
//! are reached through the log's folder descriptor. The file's contents are only for messages. A shared lock writes
//! nothing to it.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use rustix::fs::OFlags;

use crate::io::Folder;

/// The name of the locked file in the folder.
pub const LOCK_NAME: &str = "lock";

/// The most to read of a lock file: far more than a process id and a program's name.
const HOLDER_BYTES_MAX: u64 = 1024;

/// An exclusive lock of the folder, until it is dropped or the process ends.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    _folder: File,
}

/// A shared lock of the folder, for reading, until it is dropped or the process ends.
#[derive(Debug)]
pub struct SharedLock {
    _file: File,
    _folder: File,
}

/// Why the folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "{} uses the folder {}. Stop it first, or give each server a folder of its own.",
        holder(*pid, program.as_deref()),
        folder.display()
    )]
    InUse {
        /// The other process, if it could write its id.
        pid: Option<u32>,
        /// Its program, if known.
        program: Option<String>,
        /// The folder.
        folder: PathBuf,
    },
    /// Other processes are reading it.
    #[error(
        "Another command is reading the folder {}. Wait until it has ended, or give each server a folder of its own.",
        folder.display()
    )]
    Shared {
        /// The folder.
        folder: PathBuf,
    },
    /// The lock could not be tried: no permission, a file system without locks, a failing disk.
    #[error("The lock file {} could not be opened and locked.", file.display())]
    Io {
        /// The locked file.
        file: PathBuf,
        /// The disk's error.
        source: io::Error,
    },
}

impl FolderLock {
    /// Locks the folder exclusively. Does not wait.
    ///
    /// # Errors
    /// [`LockError::InUse`] and [`LockError::Shared`] if others have it; [`LockError::Io`] if that can't be known.
    pub fn acquire(folder: &Folder) -> Result<Self, LockError> {
        let failed = |source| failed(folder, source);
        let mut file = opened(folder).map_err(failed)?;
        let itself = folder.open_itself().map_err(failed)?;
        if tried(file.try_lock()).map_err(failed)? && is_free(&itself.try_lock()) {
            return Ok(Self::owned(file, itself));
        }
        // A shared lock allows other shared locks.
        if tried(file.try_lock_shared()).map_err(failed)? && is_free(&itself.try_lock_shared()) {
            return Err(LockError::Shared { folder: folder.path().to_owned() });
        }
        Err(in_use(&mut file, folder))
    }

    /// Writes who has it. On a full disk that fails, but the lock still holds, and a server must start.
    fn owned(mut file: File, folder: File) -> Self {
        let _ = file.set_len(0).and_then(|()| file.write_all(ourselves().as_bytes()));
        Self { file, _folder: folder }
    }
}

impl Drop for FolderLock {
    /// Clears the file, so that the next holder is not reported by our name before it has written its own. Closing
    /// the file releases the lock.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

impl SharedLock {
    /// Locks the folder for reading. Does not wait, and changes nothing in the folder, except that it creates a
    /// missing lock file. `None` if it is missing and can't be created: another process may have the folder then,
    /// but nobody can write here.
    ///
    /// # Errors
    /// [`LockError::InUse`] if another process has it; [`LockError::Io`] if that can't be known.
    pub fn acquire(folder: &Folder) -> Result<Option<Self>, LockError> {
        let failed = |source| failed(folder, source);
        let mut file = match folder.open_as(LOCK_NAME, OFlags::RDONLY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match opened(folder) {
                Err(error) if is_unwritable(&error) => return Ok(None),
                made => made.map_err(failed)?,
            },
            found => found.map_err(failed)?,
        };
        let itself = folder.open_itself().map_err(failed)?;
        if tried(file.try_lock_shared()).map_err(failed)? && is_free(&itself.try_lock_shared()) {
            return Ok(Some(Self { _file: file, _folder: itself }));
        }
        Err(in_use(&mut file, folder))
    }
}

fn failed(folder: &Folder, source: io::Error) -> LockError {
    LockError::Io { file: folder.path().join(LOCK_NAME), source }
}

fn in_use(file: &mut File, folder: &Folder) -> LockError {
    let (pid, program) = said(file);
    LockError::InUse { pid, program, folder: folder.path().to_owned() }
}

fn opened(folder: &Folder) -> io::Result<File> {
    folder.open_as(LOCK_NAME, OFlags::RDWR | OFlags::CREATE)
}

/// Whether no file can be created in the folder.
fn is_unwritable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn tried(outcome: Result<(), TryLockError>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether nobody else has locked the folder itself. If the file system can't lock folders, the file decides.
fn is_free(outcome: &Result<(), TryLockError>) -> bool {
    !matches!(outcome, Err(TryLockError::WouldBlock))
}

/// A line with the process id, and one with the program's name, if known.
fn ourselves() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    format!("{}\n{name}\n", process::id())
}

/// What the holder wrote, as far as it makes sense.
fn said(file: &mut File) -> (Option<u32>, Option<String>) {
    let mut text = String::new();
    let _ = file.take(HOLDER_BYTES_MAX).read_to_string(&mut text);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.parse().ok());
    let is_plain = |name: &&str| !name.is_empty() && !name.contains(char::is_control);
    let program = lines.next().filter(is_plain).map(str::to_owned);
    (pid, program)
}

fn holder(pid: Option<u32>, program: Option<&str>) -> String {
    match (pid, program) {
        (Some(pid), Some(program)) => format!("Another process, {pid} ({program}),"),
        (Some(pid), None) => format!("Another process, {pid},"),
        (None, Some(program)) => format!("Another process ({program})"),
        (None, None) => "Another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pid: Option<u32>, program: Option<&str>, want: &str) {
        let program = program.map(str::to_owned);
        let error = LockError::InUse { pid, program, folder: "/srv/events".into() };
        let advice = "uses the folder /srv/events. Stop it first, or give each server a folder of its own.";
        assert_eq!(error.to_string(), format!("{want} {advice}"));
    }

    #[test]
    fn the_error_for_a_folder_in_use_names_the_holder_as_far_as_it_is_known() {
        check(Some(7), Some("largesse"), "Another process, 7 (largesse),");
        check(Some(7), None, "Another process, 7,");
        check(None, Some("largesse"), "Another process (largesse)");
        check(None, None, "Another process");
    }
}

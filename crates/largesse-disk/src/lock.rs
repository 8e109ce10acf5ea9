//! One server per folder: a lock that the operating system frees when its process ends, however it ends.
//!
//! Invariant: in all processes of the machine, one has a folder for itself, or some look at it, or nobody has it. The
//! file named [`LOCK_NAME`] is never removed: who had it open would lock a file that nobody else finds. What it holds
//! is for the message alone, and decides nothing. Who only looks writes nothing into it.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;

/// The name of the locked file in the folder.
pub const LOCK_NAME: &str = "lock";

/// More is not read of a lock file: a process id and a program's name fit many times.
const HOLDER_BYTES_MAX: u64 = 1024;

/// The folder is ours until this is dropped, or the process ends.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
}

/// Nobody has the folder for itself until this is dropped, or the process ends.
#[derive(Debug)]
pub struct LookLock {
    _file: File,
}

/// Why the folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "{} uses the folder {}. Stop it first, or give each server a folder of its own.",
        holder(*pid, program.as_deref()),
        folder.display()
    )]
    Taken {
        /// The other process, if it had time to say.
        pid: Option<u32>,
        /// What it runs, if it could say.
        program: Option<String>,
        /// The folder.
        folder: PathBuf,
    },
    /// Others look at it.
    #[error(
        "Another command looks at the folder {}. Wait until it has ended, or give each server a folder of its own.",
        folder.display()
    )]
    Looked {
        /// The folder.
        folder: PathBuf,
    },
    /// The lock could not be tried: no permission, a file system without locks, a disk that fails.
    #[error("The lock file {} could not be opened and locked.", file.display())]
    Io {
        /// The locked file.
        file: PathBuf,
        /// What the disk says.
        source: io::Error,
    },
}

impl FolderLock {
    /// Takes the folder, which is there already. Does not wait.
    ///
    /// # Errors
    /// [`LockError::Taken`] and [`LockError::Looked`] when others have it; [`LockError::Io`] when that cannot be
    /// known.
    pub fn take(folder: impl AsRef<Path>) -> Result<Self, LockError> {
        let (folder, file) = named(folder.as_ref());
        let failed = |source| LockError::Io { file: file.clone(), source };
        let mut opened = opened(&file).map_err(failed)?;
        if tried(opened.try_lock()).map_err(failed)? {
            return Ok(Self::held(opened));
        }
        // Who looks lets others look as well.
        if tried(opened.try_lock_shared()).map_err(failed)? {
            return Err(LockError::Looked { folder });
        }
        Err(taken(&mut opened, folder))
    }

    /// Says who has it. That fails on a full disk, where the lock is no worse for it and a server must start.
    fn held(mut file: File) -> Self {
        let _ = file.set_len(0).and_then(|()| file.write_all(ourselves().as_bytes()));
        Self { file }
    }
}

impl Drop for FolderLock {
    /// Takes the words back, so that the next holder is not called by our name before it has written its own.
    /// The lock itself goes with the file.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

impl LookLock {
    /// Keeps others from having the folder, which is there already, for themselves. Does not wait, and changes nothing
    /// in the folder but to make the file of the lock where it is missing. `None` where it is missing and can't be made:
    /// then whether another has the folder is not known, but here nobody can write.
    ///
    /// # Errors
    /// [`LockError::Taken`] when another has it; [`LockError::Io`] when that cannot be known.
    pub fn take(folder: impl AsRef<Path>) -> Result<Option<Self>, LockError> {
        let (folder, file) = named(folder.as_ref());
        let failed = |source| LockError::Io { file: file.clone(), source };
        let to_read = match File::open(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => opened(&file),
            found => found,
        };
        let mut to_read = match to_read {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !file.exists() => {
                return Ok(None);
            }
            opened => opened.map_err(failed)?,
        };
        if tried(to_read.try_lock_shared()).map_err(failed)? {
            return Ok(Some(Self { _file: to_read }));
        }
        Err(taken(&mut to_read, folder))
    }
}

/// The folder from the root, and its lock's file.
fn named(folder: &Path) -> (PathBuf, PathBuf) {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let file = folder.join(LOCK_NAME);
    (folder, file)
}

fn taken(file: &mut File, folder: PathBuf) -> LockError {
    let (pid, program) = said(file);
    LockError::Taken { pid, program, folder }
}

fn opened(file: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(file)
}

fn tried(outcome: Result<(), TryLockError>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A line with the process id, and one with the program's name where that is known.
fn ourselves() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    format!("{}\n{name}\n", process::id())
}

/// What the holder said of itself, as far as it makes sense.
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
        let error = LockError::Taken { pid, program, folder: "/srv/events".into() };
        let advice = "uses the folder /srv/events. Stop it first, or give each server a folder of its own.";
        assert_eq!(error.to_string(), format!("{want} {advice}"));
    }

    #[test]
    fn a_taken_folder_s_message_names_the_holder_as_far_as_it_is_known() {
        check(Some(7), Some("largesse"), "Another process, 7 (largesse),");
        check(Some(7), None, "Another process, 7,");
        check(None, Some("largesse"), "Another process (largesse)");
        check(None, None, "Another process");
    }
}

//! The data folder: locked for this process and its log opened, or inspected.
//!
//! Invariants: except for the names of its files, nothing in the folder is read without a lock that keeps servers out,
//! and the lock is held until this is dropped; nothing is written into a folder that is inspected. Every failure says
//! what to do. Does not know what a log holds, nor its limits.

use std::{
    error::Error,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use largesse::{
    disk::{
        DiskEngine, DiskSettings, NewLog, OpenError,
        inspect::{self, CLOCK_NAME},
        io::{
            Disk, Folder,
            lock::{FolderLock, LOCK_NAME, LockError, SharedLock},
        },
    },
    log::{EngineLimits, Incarnation},
};

use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    io::Errno,
    process::geteuid,
};

use crate::terminal::{Failure, counted, note, plain};

/// The file that marks an unfinished import.
pub(crate) const IMPORTING: &str = "importing";

/// Files that a new log's folder may have: what we write before there is a log, our configuration, and what file
/// systems create. Hidden files may be there too.
const FINE_WITHOUT_A_LOG: [&str; 5] = [LOCK_NAME, CLOCK_NAME, IMPORTING, "largesse.toml", "lost+found"];

/// A folder that is locked for this process, or kept from servers.
#[derive(Debug)]
pub(crate) struct DataFolder {
    folder: Arc<Folder>,
    _lock: Lock,
}

/// Released when dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "it is held, and not otherwise used")]
enum Lock {
    Ours(FolderLock),
    Looked(Option<SharedLock>),
}

impl DataFolder {
    /// Locks the folder for a server, and creates it if there is none. A folder with other files and no log is refused:
    /// its path may be mistyped, and its files may have the names of ours.
    ///
    /// # Errors
    /// It can't be created, is refused, or another process has it.
    pub(crate) fn take_for_log(path: &Path) -> Result<Self, Failure> {
        let folder = Folder::open(path).map_err(|error| unusable(path, &error))?;
        // Before the lock, so that none is created in a folder that is refused.
        check_free(&folder)?;
        let taken = Self::locked(folder)?;
        check_free(&taken.folder)?;
        Ok(taken)
    }

    /// Locks the folder, and creates it if there is none.
    ///
    /// # Errors
    /// It can't be created, or another process has it.
    pub(crate) fn take(path: &Path) -> Result<Self, Failure> {
        Self::locked(Folder::open(path).map_err(|error| unusable(path, &error))?)
    }

    /// Lock and log are in the folder that was opened, wherever its path leads by now.
    fn locked(folder: Folder) -> Result<Self, Failure> {
        let lock = FolderLock::acquire(&folder).map_err(|error| Failure(told(&error)))?;
        Ok(Self { folder: Arc::new(folder), _lock: Lock::Ours(lock) })
    }

    /// Opens an existing log's folder for inspection and keeps servers out meanwhile. Works on read-only file systems.
    /// `instead` is the advice for when a server has it.
    ///
    /// # Errors
    /// There is no log, an import of it was cut off, it can't be read, or another process has it.
    pub(crate) fn look(path: &Path, instead: &str) -> Result<Self, Failure> {
        let folder = Folder::open_to_read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                let shown = path.display();
                let why = obstacle(&std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)));
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                Failure(format!("there is no folder {shown}{why}; --data DIR names another one"))
            }
            _ => unusable(path, &error),
        })?;
        // Before the lock, so that none is created where there is no log.
        check_names(&folder)?;
        let lock = SharedLock::acquire(&folder).map_err(|error| match error {
            LockError::InUse { .. } => Failure(format!("{}{instead}", told(&error))),
            _ => Failure(told(&error)),
        })?;
        if lock.is_none() {
            note(&format!(
                "the folder {} has no file named lock, and none can be made: whether a server has it is not known",
                folder.path().display()
            ));
        }
        let looked = Self { folder: Arc::new(folder), _lock: Lock::Looked(lock) };
        looked.check_imported()?;
        check_names(&looked.folder)?;
        Ok(looked)
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder, for reading its files without opening the log.
    pub(crate) fn disk(&self) -> Arc<Folder> {
        Arc::clone(&self.folder)
    }

    /// Opens its log, or creates one. Dropping the engine closes the log, which waits for the disk; this has to outlive
    /// it.
    ///
    /// # Errors
    /// The log can't be opened; it is unchanged.
    pub(crate) fn open(&self, limits: EngineLimits, settings: DiskSettings) -> Result<DiskEngine, Failure> {
        self.check_imported()?;
        self.open_new(limits, settings)
    }

    /// Refuses a folder with an unfinished import.
    ///
    /// # Errors
    /// There is one, or that can't be found out.
    pub(crate) fn check_imported(&self) -> Result<(), Failure> {
        let names = self.folder.names().map_err(|error| unusable(self.path(), &error))?;
        if names.iter().any(|name| name == IMPORTING) {
            let path = self.path().display();
            return Err(Failure(format!(
                "an import into {path} was cut off. Remove what is in this folder, and import again"
            )));
        }
        Ok(())
    }

    /// The same for the import itself.
    ///
    /// # Errors
    /// The log can't be opened; it is unchanged.
    pub(crate) fn open_new(
        &self,
        limits: EngineLimits,
        settings: DiskSettings,
    ) -> Result<DiskEngine, Failure> {
        let opened = DiskEngine::open(self.disk(), limits, settings, new_log()?);
        opened.map_err(|error| self.unopened(&error))
    }

    /// Says that its log can't be opened.
    pub(crate) fn unopened(&self, error: &OpenError) -> Failure {
        let path = self.path().display();
        let what_to_do = match error {
            OpenError::Io { .. } => ". Mend that and start again; --data DIR takes another folder",
            // These say it themselves.
            OpenError::Checkpoint(_)
            | OpenError::Header { .. }
            | OpenError::Broken { .. }
            | OpenError::Missing { .. }
            | OpenError::Foreign { .. } => "",
        };
        Failure(format!("the log in {path} can't be opened: {}{what_to_do}", chain(error)))
    }
}

/// The two random numbers of a new log.
fn new_log() -> Result<NewLog, Failure> {
    let random =
        || getrandom::u64().map_err(|error| Failure(format!("the system gives no random bits: {error}")));
    Ok(NewLog { incarnation: Incarnation(random()?), salt: random()? })
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let shown = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    // Only these are about the path; a failing disk has nothing to do with the folder's owner.
    let is_of_the_path = matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::AlreadyExists
            | ErrorKind::NotADirectory
            | ErrorKind::NotFound
    );
    let why = is_of_the_path.then(|| obstacle(&shown)).flatten().unwrap_or_else(|| error.to_string());
    Failure(format!(
        "the data folder {} can't be opened: {why}. --data DIR takes another folder",
        shown.display()
    ))
}

/// What prevents a folder at `path`, if that can be seen: the first part of the path that is not a folder, or that this
/// user has no permission for.
fn obstacle(path: &Path) -> Option<String> {
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    for (at, part) in parts.iter().enumerate() {
        let shown = part.display();
        let is_link = part.is_symlink();
        match std::fs::metadata(part) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Some(format!("{shown} is a file, and no folder")),
            Err(error) if error.kind() == ErrorKind::NotFound && is_link => {
                return Some(format!("{shown} is a link to something that is not there"));
            }
            // A missing folder is created, in the one above it.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return refused(parts.get(at.wrapping_sub(1))?, Access::WRITE_OK | Access::EXEC_OK);
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return refused(parts.get(at.wrapping_sub(1))?, Access::EXEC_OK);
            }
            Err(_) => return None,
        }
    }
    refused(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)
}

/// The owner of a file or folder that this user has no such permission for.
fn refused(path: &Path, access: Access) -> Option<String> {
    let denied = accessat(CWD, path, access, AtFlags::EACCESS).err();
    if denied != Some(Errno::ACCESS) {
        return None;
    }
    let found = std::fs::metadata(path).ok()?;
    Some(format!(
        "{} belongs to the user {} (mode {:o}), and the user {} may not use it so; chown gives it to another",
        path.display(),
        found.uid(),
        found.mode() & 0o7777,
        geteuid().as_raw()
    ))
}

/// Refuses a folder that has files but no log.
fn check_free(folder: &Folder) -> Result<(), Failure> {
    let path = folder.path();
    let failed = |error: io::Error| unusable(path, &error);
    if inspect::is_log(folder).map_err(failed)? {
        return Ok(());
    }
    let mut others = Vec::new();
    for name in folder.all_names().map_err(failed)? {
        if !name.starts_with('.') && !FINE_WITHOUT_A_LOG.contains(&name.as_str()) {
            others.push(name);
        }
    }
    let Some(other) = others.iter().min() else { return Ok(()) };
    let (path, other) = (path.display(), plain(other));
    let more = match others.len() - 1 {
        0 => String::new(),
        more => format!(" and {}", counted(more as u64, "other")),
    };
    Err(Failure(format!(
        "the folder {path} has no log, but {other}{more} in it. Give --data a folder that is empty or not there yet"
    )))
}

/// Refuses a folder that has neither a log nor an unfinished import.
fn check_names(folder: &Folder) -> Result<(), Failure> {
    let path = folder.path();
    let names = folder.names().map_err(|error| unusable(path, &error))?;
    let is_log = inspect::is_log(folder).map_err(|error| unusable(path, &error))?;
    if is_log || names.iter().any(|name| name == IMPORTING) {
        return Ok(());
    }
    Err(Failure(format!("there is no log in {}; --data DIR names another folder", path.display())))
}

fn told(error: &LockError) -> String {
    let why = match error {
        LockError::Io { file, source } if source.kind() == ErrorKind::PermissionDenied => {
            let folder = file.parent().and_then(|folder| refused(folder, Access::WRITE_OK | Access::EXEC_OK));
            folder.or_else(|| refused(file, Access::READ_OK | Access::WRITE_OK))
        }
        _ => None,
    };
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    format!("{}{why}. --data DIR takes another folder", chain(error).trim_end_matches('.'))
}

/// An error with its sources, each unless the text already has it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{}: {more}", text.trim_end_matches('.'));
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_says_twice_is_told_once() {
        let denied = || io::Error::from(ErrorKind::PermissionDenied);
        let rows: [(&dyn Error, &str); 2] = [
            (
                &OpenError::Io { file: "a".to_owned(), source: denied() },
                "a could not be opened or read: permission denied",
            ),
            (
                &LockError::Io { file: "/a/lock".into(), source: denied() },
                "The lock file /a/lock could not be opened and locked: permission denied",
            ),
        ];
        for (error, want) in rows {
            assert_eq!(chain(error), want);
        }
    }
}

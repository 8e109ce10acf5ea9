//! Failures of the disk, as reported to publishers.
//!
//! Does not know what should have been written.

use std::io;

use largesse_log::EngineError;

use super::{Disk, is_out_of_files};

/// A failure after which nothing was written.
pub(crate) fn refused(error: &io::Error, reason: String) -> EngineError {
    match error.kind() {
        _ if is_out_of_files(error) => EngineError::TooManyFiles { reason },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => EngineError::Full { reason },
        io::ErrorKind::FileTooLarge => {
            EngineError::Full { reason: format!("{reason}; the size of files is limited (ulimit -f)") }
        }
        _ => EngineError::Unwritable { reason },
    }
}

/// Removes a file, if it exists.
///
/// # Errors
/// Those of the disk.
pub(crate) fn remove_if_there(disk: &dyn Disk, name: &str) -> io::Result<()> {
    match disk.remove(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

//! Finds out whether the folder is the one that the log was last opened in, or a copy.
//!
//! A copy that is opened after the original was used again would reuse positions that the original gave to other
//! events. So the folder has a file with its own identity: its inode, and when it was created. In a copy, the file
//! still has the original's identity. Each start rewrites the file, so that a copy written over the original's
//! files is found, too, if the original was opened in between.
//!
//! A copy continues [`JUMP`] positions further on, which the original can't have reached.
//!
//! Invariant: the file is rewritten only after the jump is durable, so a start that dies in between jumps again.
//! Does not notice if a whole disk is rolled back with its inodes, as by a snapshot of a machine, nor anything if
//! the disk can't tell files apart.

use std::io;

use largesse_log::Position;

use crate::io::{Disk, FileIdentity, remove_if_there};

/// The file with its own identity.
pub(crate) const FILE: &str = "identity";
/// The same, while it is being written.
const MAKING: &str = "identity.new";
/// The most to read of it: it has one short line.
const LINE_BYTES_MAX: u64 = 256;
/// How far a copy jumps ahead. At a million events a second, the original would need 12 days after the copy to get
/// there; and there is room for 16 million copies of copies.
const JUMP: u64 = 1 << 40;

/// Where a log with used positions before `free` continues: there, or far beyond in a copy, which is logged.
///
/// # Errors
/// Those of the disk.
pub(crate) fn first_position(disk: &dyn Disk, free: Position) -> io::Result<Position> {
    if !is_copy(disk)? {
        return Ok(free);
    }
    tracing::warn!(
        "the data folder is a copy: its ids go on far beyond those that the original may have given out. Never start \
         the original again. To go back to an earlier state, use `largesse log export` and `largesse log import`"
    );
    Ok(Position(free.0.saturating_add(JUMP)))
}

/// Records the folder's identity. `known` is a file in it. An error is logged, and leaves the old file, or none:
/// neither lets a position be used twice.
pub(crate) fn remember(disk: &dyn Disk, known: &str) {
    if let Err(error) = rewrite(disk, known) {
        tracing::warn!(%error, "the file {FILE} could not be rewritten; the next start may report again that this folder is a copy");
    }
}

fn is_copy(disk: &dyn Disk) -> io::Result<bool> {
    let file = match disk.open(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let bytes = usize::try_from(file.bytes()?.min(LINE_BYTES_MAX)).unwrap_or(0);
    let mut said = vec![0; bytes];
    file.read_at(&mut said, 0)?;
    Ok(disk.identity(FILE)?.is_none_or(|identity| said != line(identity)))
}

fn rewrite(disk: &dyn Disk, known: &str) -> io::Result<()> {
    if disk.identity(known)?.is_none() {
        // A file from another disk would make each start look like a copy's.
        return remove_if_there(disk, FILE);
    }
    remove_if_there(disk, MAKING)?;
    let file = disk.create(MAKING)?;
    let Some(identity) = disk.identity(MAKING)? else { return remove_if_there(disk, MAKING) };
    file.write_at(&line(identity), 0)?;
    file.sync()?;
    // The name need not be synced: the previous file is just as true.
    disk.rename(MAKING, FILE)
}

fn line(identity: FileIdentity) -> Vec<u8> {
    format!("{identity}\n").into_bytes()
}

//! Whether the folder is the one that the log was last opened in, or a copy of it.
//!
//! A copy that is opened after the original went on would use positions a second time that the original gave to other
//! events. So the folder has a file that says which file it is itself: its number on the disk, and when it was made. A
//! copy of it says what the original was, and is another. Each opening makes the file anew, so that also a copy that is
//! written over the original's files is found, when the original was opened in between.
//!
//! A copy goes on [`JUMP`] positions further on, where the original can't have come.
//!
//! Invariant: the file is made anew only after the jump is safe, so a start that dies in between jumps once more. Does
//! not find what takes back a whole disk with its files' numbers, as snapshots of a machine do; and nothing where the
//! disk can't tell files apart.

use std::io;

use largesse_log::Position;

use crate::io::{Disk, FileIdentity, remove_if_there};

/// The file that says which file it is.
pub(crate) const FILE: &str = "identity";
/// The same while it is made.
const MAKING: &str = "identity.new";
/// More is not read of it: it has one short line.
const LINE_BYTES_MAX: u64 = 256;
/// So far beyond what it has itself, a copy goes on. At a million events a second, the original needs 12 days to come
/// so far after it was copied; and there is room for 16 million copies of copies.
const JUMP: u64 = 1 << 40;

/// Where the log goes on that has used positions before `free`: there, or far beyond in a copy, which is told.
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

/// Remembers the folder as it is now. `known` is a file in it. Where that fails, which is told, what the file said
/// stands, or it is gone: neither lets a position be used twice.
pub(crate) fn remember(disk: &dyn Disk, known: &str) {
    if let Err(error) = rewrite(disk, known) {
        tracing::warn!(%error, "the file {FILE} could not be made anew; that this folder is a copy may be told again");
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
        // What another disk's file says would be a copy's at each start.
        return remove_if_there(disk, FILE);
    }
    remove_if_there(disk, MAKING)?;
    let file = disk.create(MAKING)?;
    let Some(identity) = disk.identity(MAKING)? else { return remove_if_there(disk, MAKING) };
    file.write_at(&line(identity), 0)?;
    file.sync()?;
    // The name need not be safe: the file before it says of itself what is so.
    disk.rename(MAKING, FILE)
}

fn line(identity: FileIdentity) -> Vec<u8> {
    format!("{identity}\n").into_bytes()
}

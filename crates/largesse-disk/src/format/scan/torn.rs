//! Whether a segment's broken end was ever durable.
//!
//! A group that was never durable may be torn: it was never acknowledged, and is cut off. A broken group that was
//! durable is corruption, and must not be cut off. A later group tells them apart: it says which groups were
//! durable when it was written. The last durable group has no later one: if exactly that one is broken, it looks
//! torn.
//!
//! Does not know other segments: a later one with groups proves the same.

use std::io;

use super::zeros::is_zeros;
use crate::{
    format::frame::{GROUP_FRAME_BYTES, GroupHead, Salt, Sequence},
    io::DiskFile,
};

/// How much of the file is searched at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Whether no group after `broken_at` proves that the group `sequence`, which is broken there, was durable.
/// Searches every byte up to the end of the file, since no length in between can be trusted.
///
/// # Errors
/// Those of the disk.
pub fn is_torn_tail(file: &dyn DiskFile, salt: Salt, broken_at: u64, sequence: Sequence) -> io::Result<bool> {
    let proof = find_group(file, salt, broken_at, |head| head.synced_sequence >= sequence)?;
    Ok(proof.is_none())
}

/// The offset of the first wanted group's head, from `from` on: no publisher can forge one. Searches every byte.
///
/// # Errors
/// Those of the disk.
pub fn find_group(
    file: &dyn DiskFile,
    salt: Salt,
    from: u64,
    is_wanted: impl Fn(&GroupHead) -> bool,
) -> io::Result<Option<u64>> {
    let end = file.bytes()?;
    // Pieces overlap, so that a head that begins in one also ends in it.
    let mut buffer = vec![0; PIECE_BYTES + GROUP_FRAME_BYTES - 1];
    let mut at = from;
    while at < end {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX);
        let piece = left.min(buffer.len());
        let piece = &mut buffer[..piece];
        file.read_at(piece, at)?;
        let is_head = |bytes: &[u8]| GroupHead::find(bytes, salt).is_some_and(|head| is_wanted(&head));
        // Most of a preallocated end is zeros, which no head is.
        let found = if is_zeros(piece) { None } else { piece.windows(GROUP_FRAME_BYTES).position(is_head) };
        if let Some(within) = found {
            return Ok(Some(at + within as u64));
        }
        at += PIECE_BYTES as u64;
    }
    Ok(None)
}

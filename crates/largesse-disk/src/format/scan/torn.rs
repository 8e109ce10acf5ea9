//! Whether a broken end of a segment was ever safe.
//!
//! A group that was never safe may be torn: nobody was told of it, and it is cut off. One that was is corruption,
//! and must not be. What tells them apart is a later group, which says up to where all was safe when it was
//! written. The last safe group has no later one: if just that one is broken, it looks torn.
//!
//! Does not know other segments: a later one that has groups says the same.

use std::io;

use super::zeros::is_zeros;
use crate::{
    format::frame::{GROUP_FRAME_BYTES, GroupHead, Salt, Sequence},
    io::DiskFile,
};

/// How much of the file is looked at in one go.
const PIECE_BYTES: usize = 64 * 1024;

/// Whether nothing after the byte `broken_at` says that the group `sequence`, which is broken there, was safe.
/// Looks at every byte up to the end of the file, since no length in between can be believed.
///
/// # Errors
/// Those of the disk.
pub fn is_torn_tail(file: &dyn DiskFile, salt: Salt, broken_at: u64, sequence: Sequence) -> io::Result<bool> {
    let proof = find_group(file, salt, broken_at, |head| head.synced_sequence >= sequence)?;
    Ok(proof.is_none())
}

/// The byte at which the head of the first group that is wanted stands, from `from` on: no publisher can forge one.
/// Looks at every byte.
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
    // A head that begins in one piece ends in it too.
    let mut buffer = vec![0; PIECE_BYTES + GROUP_FRAME_BYTES - 1];
    let mut at = from;
    while at < end {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX);
        let piece = left.min(buffer.len());
        let piece = &mut buffer[..piece];
        file.read_at(piece, at)?;
        let is_head = |bytes: &[u8]| GroupHead::find(bytes, salt).is_some_and(|head| is_wanted(&head));
        // Most of what stands ahead of the groups is zeros, and no head is.
        let found = if is_zeros(piece) { None } else { piece.windows(GROUP_FRAME_BYTES).position(is_head) };
        if let Some(within) = found {
            return Ok(Some(at + within as u64));
        }
        at += PIECE_BYTES as u64;
    }
    Ok(None)
}

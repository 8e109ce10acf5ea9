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
    disk::DiskFile,
    frame::{GROUP_FRAME_BYTES, GroupHead, Salt, Sequence},
};

/// How much of the file is looked at in one go.
const PIECE_BYTES: usize = 64 * 1024;

/// Whether nothing after the byte `broken_at` says that the group `sequence`, which is broken there, was safe.
/// Looks at every byte up to the end of the file, since no length in between can be believed.
///
/// # Errors
/// Those of the disk.
pub fn is_torn_tail(file: &dyn DiskFile, salt: Salt, broken_at: u64, sequence: Sequence) -> io::Result<bool> {
    let end = file.bytes()?;
    // A head that begins in one piece ends in it too.
    let mut buffer = vec![0; PIECE_BYTES + GROUP_FRAME_BYTES - 1];
    let mut at = broken_at;
    while at < end {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX);
        let piece = left.min(buffer.len());
        let piece = &mut buffer[..piece];
        file.read_at(piece, at)?;
        let mut heads = piece.windows(GROUP_FRAME_BYTES).filter_map(|bytes| GroupHead::find(bytes, salt));
        // Most of what stands ahead of the groups is zeros, and no head is.
        if !is_zeros(piece) && heads.any(|head| head.synced_sequence >= sequence) {
            return Ok(false);
        }
        at += PIECE_BYTES as u64;
    }
    Ok(true)
}

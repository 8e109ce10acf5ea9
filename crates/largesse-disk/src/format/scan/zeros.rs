//! Zeros: what a segment is preallocated with (`preallocation.rs`).
//!
//! They are compared in pieces, since there may be many megabytes. Does not know what they mean.

use std::io;

use crate::io::DiskFile;

/// How much is read at first: anything other than zeros mostly shows at once.
const FIRST_BYTES: u64 = 4 * 1024;
/// How much is read at once after that.
const PIECE_BYTES: u64 = 256 * 1024;

static ZEROS: [u8; 4096] = [0; 4096];

/// Whether these are zeros.
pub(super) fn is_zeros(bytes: &[u8]) -> bool {
    bytes.chunks(ZEROS.len()).all(|piece| *piece == ZEROS[..piece.len()])
}

/// Whether a file's bytes from `at` up to `end` are zeros.
///
/// # Errors
/// Those of the disk.
pub(crate) fn has_zeros(file: &dyn DiskFile, mut at: u64, end: u64) -> io::Result<bool> {
    let mut buffer = Vec::new();
    let mut piece_bytes = FIRST_BYTES;
    while at < end {
        // At most a piece.
        buffer.resize(piece_bytes.min(end - at) as usize, 0);
        file.read_at(&mut buffer, at)?;
        if !is_zeros(&buffer) {
            return Ok(false);
        }
        (at, piece_bytes) = (at + buffer.len() as u64, PIECE_BYTES);
    }
    Ok(true)
}

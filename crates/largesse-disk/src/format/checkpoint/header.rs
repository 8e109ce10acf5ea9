//! The header of a checkpoint: its first 64 bytes.
//!
//! ```text
//! byte  bytes
//!    0      8  magic   "LARGECKP"
//!    8      4  format  u32, 2
//!   12      8  salt    u64, what the checks of the frames are seeded with
//!   20     36  zero
//!   56      8  check   u64, XXH3-64 of the 56 bytes before
//! ```
//!
//! Format 1 is read, too: it has fewer settings, which their bytes say (`command/settings.rs`).
//!
//! Every later format keeps the magic, the offset of the format number, and the checksum, so that another format is
//! not mistaken for a broken file.
//!
//! Invariant: an accepted header is byte for byte the one that was written. Does not read files.

use xxhash_rust::xxh3::xxh3_64;

use super::error::{CheckpointError, Flaw};
use crate::format::frame::Salt;

/// The length of a header.
pub(super) const HEADER_BYTES: usize = 64;

/// The format that is written, and the latest that is read.
pub(super) const FORMAT: u32 = 2;

/// The earliest format that is read.
pub(super) const FORMAT_LEAST: u32 = 1;

pub(crate) const MAGIC: [u8; 8] = *b"LARGECKP";

/// Where the zeros begin.
const ZERO_FROM: usize = 20;

/// The end of the bytes that the checksum covers.
const CHECKED_UPTO: usize = 56;

/// The header's bytes.
pub(super) fn encode(salt: Salt) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    out[..8].copy_from_slice(&MAGIC);
    out[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    out[12..ZERO_FROM].copy_from_slice(&salt.0.to_le_bytes());
    let check = xxh3_64(&out[..CHECKED_UPTO]);
    out[CHECKED_UPTO..].copy_from_slice(&check.to_le_bytes());
    out
}

/// Reads a header. A broken one is not mistaken for another format.
pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Salt, CheckpointError> {
    if bytes[..8] != MAGIC {
        return Err(CheckpointError::broken(0, Flaw::Magic));
    }
    if number_at(bytes, CHECKED_UPTO) != xxh3_64(&bytes[..CHECKED_UPTO]) {
        return Err(CheckpointError::broken(0, Flaw::Header));
    }
    let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    if !(FORMAT_LEAST..=FORMAT).contains(&found) {
        return Err(CheckpointError::Format { found });
    }
    if bytes[ZERO_FROM..CHECKED_UPTO].iter().any(|byte| *byte != 0) {
        return Err(CheckpointError::broken(ZERO_FROM as u64, Flaw::Padding));
    }
    Ok(Salt(number_at(bytes, 12)))
}

fn number_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

//! The header of a segment: its first 64 bytes. Frames (`frame.rs`) follow, and after the last of them there may be
//! zeros up to the end of the file: nothing was written there yet. Zeros before a frame are corruption.
//!
//! ```text
//! byte  bytes
//!    0      8  magic           "LARGESEG"
//!    8      4  format          u32, 2
//!   12      8  salt            u64, what the checks of the log's frames are seeded with
//!   20      8  incarnation     u64, which log it is
//!   28      8  first_position  u64, less than 2^63; no record in the segment is before it
//!   36      8  number          u64, segments counted over the log's life
//!   44     12  zero
//!   56      8  check           u64, XXH3-64 of the 56 bytes before
//! ```
//!
//! Format 1 is read, too: it has fewer settings, which their bytes say (`command/settings.rs`), and its appends
//! don't say whether a publisher wrote them.
//!
//! Every later format keeps the magic, the offset of the format number, and the checksum, so that another format is
//! not mistaken for a broken file.
//!
//! Invariant: an accepted header is byte for byte the one that was written. Does not know where segments are or
//! what they are called.

use largesse_log::{Incarnation, Position};
use xxhash_rust::xxh3::xxh3_64;

use crate::format::frame::{Salt, position};

#[cfg(test)]
mod tests;

/// The length of a header.
pub const HEADER_BYTES: usize = 64;

/// The format that is written, and the latest that is read.
pub const FORMAT: u32 = 2;

/// The earliest format that is read.
const FORMAT_LEAST: u32 = 1;

pub(crate) const MAGIC: [u8; 8] = *b"LARGESEG";

/// The end of the bytes that the checksum covers.
const CHECKED_UPTO: usize = 56;

/// A segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The seed of the checksums of the log's frames.
    pub salt: Salt,
    /// Which log the segment belongs to.
    pub incarnation: Incarnation,
    /// All records in the segment are at or after this.
    pub first_position: Position,
    /// The segment's number, counted since the log was created.
    pub number: u64,
}

/// Why bytes are not the header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// They don't begin like one.
    #[error("it is not a segment of a log: it does not begin with \"LARGESEG\"")]
    Magic,
    /// The checksum does not match the bytes.
    #[error("the segment's header is broken: its checksum does not match its bytes")]
    Check,
    /// The segment was written by a version that is too old or too new.
    #[error(
        "the segment has the format {format}; this version reads {FORMAT_LEAST} to {FORMAT}: export the log with the version that wrote it, and import it with this one"
    )]
    Format {
        /// Its format.
        format: u32,
    },
    /// Bytes that must be zero are not.
    #[error("the segment's header is broken: bytes that must be zero are not")]
    Padding,
    /// The first position is out of range.
    #[error("the segment's header is broken: its first position is out of range")]
    Position,
}

impl SegmentHeader {
    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        out[12..20].copy_from_slice(&self.salt.0.to_le_bytes());
        out[20..28].copy_from_slice(&self.incarnation.0.to_le_bytes());
        out[28..36].copy_from_slice(&self.first_position.0.to_le_bytes());
        out[36..44].copy_from_slice(&self.number.to_le_bytes());
        let check = xxh3_64(&out[..CHECKED_UPTO]);
        out[CHECKED_UPTO..].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`HeaderError`]. A broken header is not mistaken for another format.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, HeaderError> {
        if bytes[..8] != MAGIC {
            return Err(HeaderError::Magic);
        }
        if number_at(bytes, CHECKED_UPTO) != xxh3_64(&bytes[..CHECKED_UPTO]) {
            return Err(HeaderError::Check);
        }
        let format = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if !(FORMAT_LEAST..=FORMAT).contains(&format) {
            return Err(HeaderError::Format { format });
        }
        if bytes[44..CHECKED_UPTO].iter().any(|byte| *byte != 0) {
            return Err(HeaderError::Padding);
        }
        Ok(Self {
            salt: Salt(number_at(bytes, 12)),
            incarnation: Incarnation(number_at(bytes, 20)),
            first_position: position(number_at(bytes, 28)).map_err(|_| HeaderError::Position)?,
            number: number_at(bytes, 36),
        })
    }
}

fn number_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

//! One frame: the unit of writing in segments and checkpoints, with its own checksum.
//!
//! A segment is its header (`segment.rs`), and then frames without gaps; zeros may follow the last. All numbers are
//! little endian.
//!
//! ```text
//! byte  bytes
//!    0      4  body_bytes  u32, at most 2^30
//!    4      4  check       u32, the low half of XXH3-64, seeded with the log's salt, of the bytes from 8 on
//!    8      1  kind        u8
//!    9      -  body
//! ```
//!
//! | kind | is | its body is laid out in |
//! |---|---|---|
//! | 1 | Group: the frames that are written together | `frame/group.rs` |
//! | 2 | Append: its head; just as many Event frames as it says follow | `command/head.rs` |
//! | 3 | Event | `frame/events.rs` |
//! | 4, 5, 6, 8 | Claim, Put, Delete, Limits | `command.rs` |
//! | 9 | Kept: a head in a compacted segment; its Event frames follow | `command/head.rs` |
//! | 10, 11 | Damage, Sweep | `command.rs` |
//! | 16 to 22 | Head, Life, Tombstone, Key, Sealed, End, Damaged: in a checkpoint only | `checkpoint.rs` |
//!
//! Invariant: no byte of a frame is trusted before its checksum is verified. The salt is random, so no publisher
//! can write data that looks like a frame. Does not know what bodies mean.

use largesse_log::Position;
use xxhash_rust::xxh3::xxh3_64_with_seed;

mod events;
mod fault;
mod group;
#[cfg(test)]
mod tests;

pub(crate) use events::{EVENT_FRAME_BYTES_MIN, blank_event, counted_bytes_of, decode_event};
pub use events::{EncodedEvents, EventsCheck, TooLarge};
pub use fault::Fault;
pub use group::{GROUP_FRAME_BYTES, GroupHead, Sequence};

/// The maximum length of a frame's body.
pub const BODY_BYTES_MAX: u32 = 1 << 30;

/// The length of a frame before its body.
pub const FRAME_HEAD_BYTES: usize = 9;

/// The start of the bytes that the checksum covers.
const CHECKED_FROM: usize = 8;

/// The seed of the checksums of a log's frames. Random, and stored in each segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(pub u64);

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The head of a group.
    Group = 1,
    /// The head of an append.
    Append = 2,
    /// One event of the preceding head.
    Event = 3,
    /// A claim of an idempotency key.
    Claim = 4,
    /// A stream is created or configured.
    Put = 5,
    /// A stream is removed.
    Delete = 6,
    /// New limits.
    Limits = 8,
    /// The head of events that a compaction kept.
    Kept = 9,
    /// An event that is broken.
    Damage = 10,
    /// Expired events and streams are dropped.
    Sweep = 11,
    /// The head of a checkpoint. This and the following kinds are only in checkpoints.
    Head = 16,
    /// A stream that exists.
    Life = 17,
    /// A stream that is gone.
    Tombstone = 18,
    /// An idempotency key that was used.
    Key = 19,
    /// A segment that is not replayed.
    Sealed = 20,
    /// The end of a checkpoint.
    End = 21,
    /// A broken event whose loss was recorded.
    Damaged = 22,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Group,
        Self::Append,
        Self::Event,
        Self::Claim,
        Self::Put,
        Self::Delete,
        Self::Limits,
        Self::Kept,
        Self::Damage,
        Self::Sweep,
        Self::Head,
        Self::Life,
        Self::Tombstone,
        Self::Key,
        Self::Sealed,
        Self::End,
        Self::Damaged,
    ];

    fn of(byte: u8) -> Result<Self, Fault> {
        let known = Self::ALL.into_iter().find(|kind| *kind as u8 == byte);
        known.ok_or(Fault::Kind { kind: byte })
    }
}

/// The first bytes of a frame, not yet verified.
#[derive(Clone, Copy)]
pub(crate) struct FrameHead([u8; FRAME_HEAD_BYTES]);

impl FrameHead {
    /// Reads it from the start of a frame.
    pub(crate) fn of(frame: &[u8]) -> Result<Self, Fault> {
        frame.first_chunk().map(|head| Self(*head)).ok_or(Fault::Cut)
    }

    /// The length of the whole frame.
    pub(crate) fn frame_bytes(&self) -> Result<u32, Fault> {
        let body_bytes = self.number_at(0);
        if body_bytes > BODY_BYTES_MAX {
            return Err(Fault::Length { body_bytes });
        }
        Ok(body_bytes + FRAME_HEAD_BYTES as u32)
    }

    pub(crate) fn kind(&self) -> Result<Kind, Fault> {
        Kind::of(self.0[CHECKED_FROM])
    }

    fn check(&self) -> u32 {
        self.number_at(4)
    }

    fn number_at(&self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }
}

/// A frame with a verified checksum.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) head: FrameHead,
    pub(crate) kind: Kind,
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Verifies bytes that have to be exactly one frame.
    pub(crate) fn check(bytes: &'a [u8], salt: Salt) -> Result<Self, Fault> {
        let head = FrameHead::of(bytes)?;
        if head.frame_bytes()? as usize != bytes.len() {
            return Err(Fault::Length { body_bytes: head.number_at(0) });
        }
        if head.check() != check_of(&bytes[CHECKED_FROM..], salt) {
            return Err(Fault::Check);
        }
        Ok(Self { head, kind: head.kind()?, body: &bytes[FRAME_HEAD_BYTES..] })
    }

    /// The length of the whole frame.
    pub(crate) fn bytes(&self) -> u64 {
        (FRAME_HEAD_BYTES + self.body.len()) as u64
    }
}

/// Writes one frame to the end of `out`; `body` writes its body there, at most [`BODY_BYTES_MAX`].
pub(crate) fn write_frame(out: &mut Vec<u8>, salt: Salt, kind: Kind, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
    out[start + CHECKED_FROM] = kind as u8;
    body(out);
    let frame = &mut out[start..];
    let body_bytes = frame.len() - FRAME_HEAD_BYTES;
    assert!(body_bytes <= BODY_BYTES_MAX as usize, "bodies are bounded by those who write them");
    let check = check_of(&frame[CHECKED_FROM..], salt);
    frame[..4].copy_from_slice(&(body_bytes as u32).to_le_bytes());
    frame[4..CHECKED_FROM].copy_from_slice(&check.to_le_bytes());
}

/// Checks a position that was read. No log gets near half of the range, so adding to an accepted position never
/// overflows.
pub(crate) fn position(number: u64) -> Result<Position, Fault> {
    if number <= u64::MAX / 2 { Ok(Position(number)) } else { Err(Fault::Number) }
}

/// The low half of the hash.
fn check_of(kind_and_body: &[u8], salt: Salt) -> u32 {
    xxh3_64_with_seed(kind_and_body, salt.0) as u32
}

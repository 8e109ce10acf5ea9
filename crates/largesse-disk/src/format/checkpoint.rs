//! The checkpoint: the log's state in one file, so that a start replays only the commands after it.
//!
//! The file [`FILE`] is its header (`checkpoint/header.rs`), and then frames (`frame.rs`), one after the other
//! without gaps, in this order:
//!
//! | kind | how many | is |
//! |---|---|---|
//! | 16 Head | 1 | everything except the items |
//! | 20 Sealed | any | a segment that is not replayed |
//! | 17 Life | any | a stream that exists |
//! | 18 Tombstone | any | a stream that is gone |
//! | 19 Key | any | an idempotency key |
//! | 22 Damaged | any | a broken event whose loss was recorded |
//! | 21 End | 1 | how many there were, and a check over the heads of all frames before it |
//!
//! Their bodies are laid out in `checkpoint/fields.rs`.
//!
//! Invariants: a checkpoint is used only if it is whole; it is replaced atomically; writing and reading hold a
//! buffer and one item in memory, however large the state is. Does not know what is in segments, nor when a
//! checkpoint is made.

use largesse_log::{
    Incarnation, Position,
    state::{SavedDamage, SavedHead, SavedKey, SavedLife, SavedTombstone},
};

use crate::format::frame::{Salt, Sequence};

mod error;
mod fields;
mod header;
mod layout;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

pub use error::{CheckpointError, Flaw};
pub(crate) use header::MAGIC;
pub(crate) use reading::{CheckpointReader, open};
pub(crate) use writing::write;

/// The name of the checkpoint's file.
pub(crate) const FILE: &str = "checkpoint";

/// The name of a checkpoint that is being written. One that a crash left is ignored.
pub(crate) const NEW_FILE: &str = "checkpoint.new";

/// Everything that a start needs, except the items and the replayed segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointHead {
    /// The seed of the checksums of the log's frames.
    pub(crate) salt: Salt,
    /// Which log it is.
    pub(crate) incarnation: Incarnation,
    /// The last group whose commands are in the state.
    pub(crate) written: Sequence,
    /// Positions below this are used or reserved.
    pub(crate) reserved: Position,
    /// The first segment whose commands are not in the state.
    pub(crate) replay_from: u64,
    /// The log's state, except the items.
    pub(crate) log: SavedHead,
}

/// A segment that is not replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedSegment {
    /// The segment's number, counted since the log was created.
    pub(crate) number: u64,
    /// The compaction generation, which is part of the file's name.
    pub(crate) generation: u32,
    /// No record in it is before this.
    pub(crate) first: Position,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// The counted bytes of its live events; an estimate.
    pub(crate) live_bytes: u64,
    /// Half-open ranges of positions of appends rejected after they were written; readers skip them.
    pub(crate) void_ranges: Vec<(Position, Position)>,
}

/// One item of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A segment that is not replayed.
    Segment(SealedSegment),
    /// A stream that exists.
    Life(SavedLife),
    /// A stream that is gone.
    Tombstone(SavedTombstone),
    /// An idempotency key.
    Key(SavedKey),
    /// A broken event whose loss was recorded.
    Damage(SavedDamage),
}

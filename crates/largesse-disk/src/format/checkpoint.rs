//! The checkpoint: the log's state in one file, so that a start need not take all steps again.
//!
//! The file [`FILE`] is its header (`checkpoint/header.rs`), and then frames (`frame.rs`), one after the other
//! without gaps, in this order:
//!
//! | kind | how many | is |
//! |---|---|---|
//! | 16 Head | 1 | all that there is one of |
//! | 20 Sealed | any | a segment that is not replayed |
//! | 17 Life | any | a stream that is there |
//! | 18 Tombstone | any | a stream that is gone |
//! | 19 Key | any | an idempotency key |
//! | 22 Damaged | any | an event that is broken and was told as lost |
//! | 21 End | 1 | how many there were, and a check over the heads of all frames before it |
//!
//! Their bodies are laid out in `checkpoint/fields.rs`.
//!
//! Invariants: a checkpoint is whole or it is not believed; there is none between the old and the new; writing
//! and reading hold a buffer in memory and one item, however large the state is. Does not know what is in
//! segments, nor when a checkpoint is made.

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

/// The name of a checkpoint that is being written. One that a crash left is worth nothing.
pub(crate) const NEW_FILE: &str = "checkpoint.new";

/// Everything that a start needs besides the items and the segments that are replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointHead {
    /// What the checks of the log's frames are seeded with.
    pub(crate) salt: Salt,
    /// Which log it is.
    pub(crate) incarnation: Incarnation,
    /// The last group whose steps are in the state.
    pub(crate) written: Sequence,
    /// Positions below it are used or reserved.
    pub(crate) reserved: Position,
    /// The number of the first segment whose steps are not in the state.
    pub(crate) replay_from: u64,
    /// What the log has one of.
    pub(crate) log: SavedHead,
}

/// A segment that is not replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedSegment {
    /// Which segment it is, counted over the log's life.
    pub(crate) number: u64,
    /// How often it was compacted: its file has another name each time.
    pub(crate) generation: u32,
    /// No record in it is before this.
    pub(crate) first: Position,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// What its events count that are still kept, about.
    pub(crate) live_bytes: u64,
    /// Positions of appends that were written and then refused: from the first of each pair on, before the
    /// second.
    pub(crate) void_ranges: Vec<(Position, Position)>,
}

/// One of the many things in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A segment that is not replayed.
    Segment(SealedSegment),
    /// A stream that is there.
    Life(SavedLife),
    /// A stream that is gone.
    Tombstone(SavedTombstone),
    /// An idempotency key.
    Key(SavedKey),
    /// An event that is broken and was told as lost.
    Damage(SavedDamage),
}

//! The log's meaning, as a state machine: what every engine on one machine does, however it keeps the bytes.
//!
//! [`LogState`] takes one step at a time, each in a [`Stamp`]: it is synchronous, and has no clock and no I/O.
//! There is one file for each verb.
//!
//! Invariants: a step is whole when it returns; the same steps in the same stamps, on logs with the same limits,
//! give the same state. Does not know files, locks or tasks.

mod ahead;
mod append;
mod apply;
mod batch_builder;
mod block;
mod candidates;
mod damage;
mod ended;
mod invariants;
mod keys;
mod life;
mod lives;
mod locate;
mod log;
mod look;
mod losses;
mod merge;
mod read;
mod saved;
mod stamp;
mod streams;
mod sweep;
mod tombstones;
mod trim;
mod walk;
mod work;

use crate::Position;
use apply::Left;

pub use ahead::{OrderWanted, RunWanted, Stub, StubsFound, StubsWanted};
pub use apply::{Applied, Effects, Progress};
pub use batch_builder::{BatchBuilder, Fit, Found};
pub use life::{LifeEnd, STREAM_OVERHEAD_BYTES};
pub use locate::{Back, Deep};
pub use log::LogState;
pub use look::{ColdBatch, ColdLife, Judged, Locating, Look, Walked};
pub use losses::Loss;
pub use saved::{
    SavedBlocks, SavedDamage, SavedHead, SavedKey, SavedLife, SavedTombstone, SavedUse, Snapshot,
};
pub use stamp::Stamp;

/// What a step of the log answers, and the record that readers are to be told of.
struct Stepped<T> {
    /// The answer.
    answer: T,
    /// The last record that readers can meet; `None` when there is no new one.
    ring: Option<Position>,
    /// Where the life began that an append wrote to; `None` when it wrote nothing.
    life: Option<Position>,
    /// What is still to be done.
    left: Left,
}

#[cfg(test)]
mod tests;

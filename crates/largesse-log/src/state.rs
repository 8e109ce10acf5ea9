//! The log's meaning, as a state machine: what every engine on one machine does, however it keeps the bytes.
//!
//! [`LogState`] takes one step at a time, each in a [`Slot`]: it is synchronous, has no clock and no I/O but
//! what it asks its [`Archive`]. There is one file for each verb.
//!
//! Invariants: a step is whole when it returns; the same steps in the same slots, on logs with the same limits,
//! give the same state. Does not know files, locks or tasks.

mod append;
mod apply;
mod archive;
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
mod pasts;
mod read;
mod saved;
mod slot;
mod streams;
mod sweep;
mod taken;
mod trim;
mod walk;
mod work;

use crate::Position;

pub use apply::Applied;
pub use archive::{Archive, NoArchive, Stub};
pub use life::{LifeEnd, STREAM_OVERHEAD_BYTES};
pub use locate::{Back, Deep};
pub use log::LogState;
pub use look::{Judged, Locating, Look, OldBatch, OldLife, Walked};
pub use losses::Loss;
pub use saved::{SavedBlocks, SavedDamage, SavedHead, SavedKey, SavedLife, SavedPast, SavedUse, Snapshot};
pub use slot::Slot;
pub use taken::{Fit, Found, Taken};

/// What a step of the log answers, and the record that readers are to be told of.
#[derive(Debug)]
struct Stepped<T> {
    /// The answer.
    answer: T,
    /// The last record that readers can meet; `None` when there is no new one.
    ring: Option<Position>,
    /// Where the life began that an append wrote to; `None` when it wrote nothing.
    life: Option<Position>,
}

#[cfg(test)]
mod tests;

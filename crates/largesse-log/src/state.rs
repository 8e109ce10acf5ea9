//! The log's meaning, as a state machine: what every engine on one machine does, however it keeps the bytes.
//!
//! [`LogState`] takes one step at a time, each in a [`Stamp`]: it is synchronous, and has no clock and no I/O.
//! There is one file for each verb.
//!
//! Invariants: a step is whole when it returns; the same steps in the same stamps, on logs with the same limits,
//! give the same state. Does not know files, locks or tasks.

mod apply;
mod idempotency;
mod invariants;
mod life;
mod lives;
mod log;
mod retention;
mod saved;
mod stamp;
mod view;

use crate::Position;
use apply::PendingRetention;

pub use apply::{Applied, Effects, Progress};
pub use life::{LifeEnd, STREAM_OVERHEAD_BYTES};
pub use log::LogState;
pub use retention::losses::Loss;
pub use retention::stub_cache::{OrderWanted, RunWanted, Stub, StubsFound, StubsWanted};
pub use saved::{
    SavedBlocks, SavedDamage, SavedHead, SavedKey, SavedLife, SavedTombstone, SavedUse, Snapshot,
};
pub use stamp::Stamp;
pub use view::{Cold, ColdEvent, ColdEvents, ColdRange, QueryProgress, Search};

/// What a step of the log answers, and the record that readers are to be told of.
struct Begun<T> {
    /// The answer.
    answer: T,
    /// The last record that readers can meet; `None` when there is no new one.
    dirty: Option<Position>,
    /// Where the life began that an append wrote to; `None` when it wrote nothing.
    life: Option<Position>,
    /// What is still to be done.
    pending: PendingRetention,
}

#[cfg(test)]
mod tests;

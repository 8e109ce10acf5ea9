//! The log's meaning, as a state machine: what every engine does, however it stores the bytes.
//!
//! [`LogState`] applies one command at a time, each with a [`Stamp`]: it is synchronous, and has no clock and no I/O.
//! There is one file for each verb.
//!
//! Invariants: a command is complete when it returns; the same commands with the same stamps, on logs with the same
//! limits, give the same state. Does not know files, locks or tasks.

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

/// A command before its retention: its answer, and what to wake readers for.
struct Begun<T> {
    /// The answer.
    answer: T,
    /// The last new record that readers can get; `None` when there is none.
    dirty: Option<Position>,
    /// The start of the life that an append wrote to; `None` when it wrote nothing.
    life: Option<Position>,
    /// The retention still to be done.
    pending: PendingRetention,
}

#[cfg(test)]
mod tests;

//! The way of a command into the log: from the queue, in a group, into the segment, and applied when it is safe.
//!
//! One thread writes. Whoever publishes waits in [`queue`]; [`writer`] takes all that wait, [`plan`] parts them, [`journal`]
//! writes and syncs the group, [`apply`] changes the state, and [`indexing`] enters what was written while the next group
//! is synced. The file of the next segment is made ready meanwhile ([`preallocation`]), as large as [`sizes`] says;
//! [`space`] keeps publishes from filling the disk.

pub(crate) mod apply;
pub(crate) mod indexing;
pub(crate) mod journal;
mod plan;
pub(crate) mod preallocation;
pub(crate) mod queue;
pub(crate) mod request;
mod sizes;
mod space;
pub(crate) mod writer;

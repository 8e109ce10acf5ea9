//! Group commit: from the queue, in a group, into the segment, and applied once it is durable.
//!
//! One thread writes. Publishers wait in [`queue`]; [`writer`] takes all that wait, [`plan`] chooses which can
//! share a group, [`journal`] writes and syncs the group, [`apply`] changes the state, and [`indexing`] indexes its
//! events while the next group syncs. The next segment's file is prepared meanwhile ([`preallocation`]), as large
//! as [`sizes`] says; [`space`] keeps publishes from filling the disk.

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

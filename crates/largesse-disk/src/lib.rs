//! The engine that keeps the log on a disk.
//!
//! A publish is written to the end of a segment, synced together with all that wait, and only then becomes
//! part of the log's state, which is the state machine of `largesse-log` that the memory engine runs too.
//! What is older than the newest few megabytes is read back from the segments.

#![forbid(unsafe_code)]

mod apply;
mod checkpoint;
mod cold;
pub mod command;
mod core;
pub mod disk;
mod engine;
mod folder_watch;
pub mod frame;
mod health;
mod identity;
pub mod index;
mod indexing;
pub mod inspect;
mod journal;
pub mod lock;
mod maintenance;
mod open;
mod plan;
mod pool;
mod preallocation;
mod queue;
mod reindex;
mod request;
pub mod scan;
pub mod segment;
mod segments;
mod settings;
mod sizes;
mod space;
mod state_guard;
#[cfg(test)]
mod tests;
mod writer;

pub use checkpoint::{CheckpointError, Flaw};
pub use engine::DiskEngine;
pub use health::HealthWatch;
pub use open::{NewLog, OpenError};
pub use settings::{DiskSettings, SyncRule};

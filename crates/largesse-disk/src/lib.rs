//! The engine that keeps the log on disk: a write-ahead log in segments.
//!
//! A publish is written to the end of a segment, synced together with all others that wait (group commit), and only
//! then applied to the log's state, which is the state machine of `largesse-log` that the memory engine runs, too.
//! All but the newest few megabytes of events are read from the segments.

#![forbid(unsafe_code)]

pub mod format;
pub mod index;
pub mod inspect;
pub mod io;

mod commit;
mod core;
mod engine;
mod health;
mod maintain;
mod read;
mod recover;
mod segments;
mod settings;
mod state_guard;
#[cfg(test)]
mod tests;

pub use engine::DiskEngine;
pub use format::checkpoint::{CheckpointError, Flaw};
pub use health::HealthWatch;
pub use recover::{NewLog, OpenError};
pub use settings::{DiskSettings, SyncRule};

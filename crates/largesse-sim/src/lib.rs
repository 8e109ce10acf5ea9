//! What must hold whatever happens: properties that accept any input, and a simulation of log, hub
//! and readers.
//!
//! Each property takes bytes and panics when something does not hold. The fuzz targets in `fuzz/` give it
//! bytes that explore the code; the tests of this crate give it the checked-in seeds and random bytes, so a
//! find of the fuzzer becomes a test by becoming a file.
//!
//! The simulation runs publishers and readers over the memory engine, or over the disk engine on a simulated disk,
//! where the server is closed, killed or loses power now and then. Every choice (who runs next, what is cut, which wake
//! comes late) comes from one seed or one input, so a run can be repeated exactly.
//!
//! For tests only: nothing in the product uses this crate. It does not know sockets or HTTP, and its only threads are
//! those of the disk engine.

#![forbid(unsafe_code)]

mod at_once;
mod clock;
mod follower;
mod kept;
pub mod names;
mod oracle;
mod publisher;
mod recording_engine;
mod shared_rng;
mod simulation;
mod task;
mod trace;
mod wakes;
pub mod wire_bytes;
pub mod wire_ids;

pub use simulation::{run_bytes, run_bytes_on_disk, run_seed, run_seed_on_disk};

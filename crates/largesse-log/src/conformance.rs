//! The suite that every engine must pass.
//!
//! An engine mounts it in a test file of its own:
//!
//! ```
//! use std::sync::Arc;
//!
//! use largesse_log::{Engine, EngineLimits, Incarnation, MemoryEngine};
//!
//! fn make(limits: EngineLimits) -> Arc<dyn Engine> {
//!     Arc::new(MemoryEngine::new(Incarnation(7), limits))
//! }
//!
//! largesse_log::conformance::mount!(make);
//! # fn main() {}
//! ```
//!
//! which turns each case into a test. The maker returns an empty log with these limits.
//!
//! Invariant: a case uses only [`Engine`](crate::Engine), and passes the time in. It does not check what an engine
//! counts for its own entries, nor what happens when an engine is reopened.
//!
//! The [`model`] and the [`rng`] are public, so that simulations of layers above an engine can use the same model.

pub mod appends;
pub mod blocks;
pub mod ends;
pub mod keys;
pub mod listening;
pub mod locating;
pub mod losses;
pub mod model;
pub mod names;
pub mod reads;
pub mod retention;
pub mod rng;
pub mod seeds;
pub mod streams;

mod mount;
mod reader;
mod script;
mod world;

pub use crate::mount_conformance as mount;
pub use world::Make;

#[cfg(test)]
mod tests;

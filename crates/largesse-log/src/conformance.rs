//! The suite that every engine must pass.
//!
//! An engine mounts it in a test file of its own, as it is:
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
//! which makes one test of each case. The maker answers an empty log with these limits.
//!
//! Invariant: a case uses nothing but [`Engine`](crate::Engine), and hands time in. It does not look at what
//! an engine counts for itself (the bytes of its entries), and does not know what happens when an engine is
//! opened again.
//!
//! The [`model`] and the [`rng`] are public, so that a simulation of what stands on an engine can judge by
//! the same model.

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

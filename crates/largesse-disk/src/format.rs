//! The file formats, byte by byte: each is specified at the top of its module.
//!
//! A log is a sequence of [`command`]s in [`frame`]s, in groups, in [`segment`]s; a `checkpoint` has the state
//! between two segments. [`scan`] reads files that may be broken. The format of the index files is in
//! [`crate::index`].

pub(crate) mod checkpoint;
pub mod command;
pub mod frame;
pub mod scan;
pub mod segment;

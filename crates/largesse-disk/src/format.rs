//! What stands in the files, byte by byte: each file's format is written down at the top of its module.
//!
//! A log is a sequence of [`command`]s in [`frame`]s, in groups, in [`segment`]s; a [`checkpoint`] has the state between two
//! segments. [`scan`] reads what may be broken. The format of the index files is in [`crate::index`].

pub(crate) mod checkpoint;
pub mod command;
pub mod frame;
pub mod scan;
pub mod segment;

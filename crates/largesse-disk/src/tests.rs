//! The whole engine without its threads, on a disk that fails at every operation.

mod compaction;
mod crash;
mod indexing;
mod leaving;
mod preallocations;
mod settling;
mod world;

//! The whole engine without its threads, on a disk that fails wherever it can.

mod compaction;
mod crash;
mod indexing;
mod leaving;
mod preallocations;
mod settling;
mod world;

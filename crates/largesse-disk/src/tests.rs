//! The whole engine without its threads, on a disk that fails wherever it can.

mod cleaning;
mod crash;
mod indexing;
mod settling;
mod spares;
mod world;

//! The whole engine without its threads, on a disk that fails wherever it can.

mod cleaning;
mod crash;
mod settling;
mod spares;
mod world;

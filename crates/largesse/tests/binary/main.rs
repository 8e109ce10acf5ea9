//! The real binary from the outside: its command line, its server, its publishing and its reading.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in what it shares with others too"
)]

mod clock;
mod config;
mod crowd;
mod customs;
mod cuts;
mod folder;
mod gallery;
mod kept;
mod limits;
mod log;
mod messages;
mod progress;
mod publish;
mod serve;
mod settings;
mod shutdown;
mod signals;
mod stderr;
mod support;
mod tail;
mod tls;

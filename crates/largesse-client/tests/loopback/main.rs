//! The client against servers on loopback sockets: those that keep to the rules, those that break off, and hostile ones.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in what it shares with others too"
)]

mod cuts;
mod hostile;
mod redirects;
mod requests;
mod sources;
mod support;
mod tls;

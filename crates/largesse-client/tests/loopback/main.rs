//! The client against servers on loopback sockets: well-behaved ones, ones that break off, and hostile ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in helpers")]

mod cuts;
mod hostile;
mod redirects;
mod requests;
mod sources;
mod support;
mod tls;

//! Other people's readers: each is run against the server through a proxy that cuts, and does what the table in
//! `docs/readers.md` says about it.
//!
//! - Needs what `cargo xtask needs` installs, and the binary: `cargo build -p largesse`.
//! - `LARGESSE_WRITE_READERS=1 cargo test -p largesse-trials --test readers` rewrites the table.

mod after_id;
mod curl;
mod cuts;
mod hostile;
mod page;
mod program;
mod rows;
mod versions;

/// The server's `retry`, short so that a trial is short. No reader here has a floor above it.
const SETTINGS: &[(&str, &str)] =
    &[("LARGESSE_HTTP_RETRY_MIN", "100ms"), ("LARGESSE_HTTP_RETRY_MAX", "100ms")];

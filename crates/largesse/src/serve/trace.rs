//! The trace: what the server says about itself, on stderr.

use std::io::{self, IsTerminal};

use crate::config::{TraceConfig, TraceFormat};

/// Begins to trace, for the whole process.
pub(super) fn begin(config: &TraceConfig) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(config.level)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match config.format {
        TraceFormat::Text => lines.init(),
        TraceFormat::Json => lines.json().init(),
    }
}

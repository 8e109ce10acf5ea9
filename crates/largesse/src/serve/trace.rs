//! The trace: what the server says about itself, on stderr.

use std::io;

use crate::config::{TraceConfig, TraceFormat, terminal_wishes};

/// Begins to trace, for the whole process.
pub(super) fn begin(config: &TraceConfig) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(config.level)
        .with_writer(io::stderr)
        .with_ansi(terminal_wishes().may_colour(&io::stderr()));
    match config.format {
        TraceFormat::Text => lines.init(),
        TraceFormat::Json => lines.json().init(),
    }
}

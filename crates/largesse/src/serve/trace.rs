//! The trace: what the server says about itself, on stderr.
//!
//! Invariants: whoever traces never waits for stderr, and never fails because of it. A panic is traced like everything
//! else. Does not know what is traced.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fs::File,
    io,
    os::fd::AsFd,
    panic::{self, PanicHookInfo},
    thread,
};

use largesse_trace::Lines;
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime},
};

use crate::{
    config::{TraceConfig, TraceFormat, terminal_wishes},
    terminal::{self, Failure},
};

/// Starts tracing, for the whole process. From here on only the trace's thread writes to stderr.
///
/// # Errors
/// The system can't start a thread, or has no file.
pub(super) fn begin(config: &TraceConfig) -> Result<(), Failure> {
    let trace = start(config.format).map_err(|error| Failure(format!("the trace can't start: {error}")))?;
    terminal::hand_over(trace.clone());
    let lines = tracing_subscriber::fmt()
        .with_max_level(config.level)
        // The default hook prints to stderr itself, and panics if that fails.
        .log_internal_errors(false)
        .with_writer(move || trace.clone())
        .with_ansi(terminal_wishes().may_colour(&io::stderr()));
    match config.format {
        TraceFormat::Text => lines.init(),
        TraceFormat::Json => lines.json().init(),
    }
    panic::set_hook(Box::new(trace_panic));
    Ok(())
}

fn start(format: TraceFormat) -> io::Result<Lines> {
    // Not the standard library's: its lock makes writers wait for each other.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    Lines::start(stderr, Box::new(move |lost| notice(format, lost).into_bytes()))
}

/// The line that says how many were lost. It is written at any level: lines of that level are missing.
fn notice(format: TraceFormat, lost: u64) -> String {
    let (lines, were, them) = if lost == 1 { ("line", "was", "it") } else { ("lines", "were", "them") };
    let message = format!("{lost} {lines} of the trace {were} lost because stderr did not take {them}");
    let mut time = String::new();
    // Text in memory takes everything.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    match format {
        TraceFormat::Text => format!("{time}  WARN largesse::trace: {message} lost={lost}\n"),
        TraceFormat::Json => {
            let fields = serde_json::json!({ "message": message, "lost": lost });
            let line = serde_json::json!({
                "timestamp": time, "level": "WARN", "fields": fields, "target": "largesse::trace"
            });
            format!("{line}\n")
        }
    }
}

/// Traces what panicked, and where.
fn trace_panic(info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    let backtrace = backtrace.as_ref().map(tracing::field::display);
    let at = info.location().map(tracing::field::display);
    let text = info.payload().downcast_ref::<&str>().copied();
    let text = text.or_else(|| info.payload().downcast_ref::<String>().map(String::as_str));
    let what = text.unwrap_or("no message");
    let current = thread::current();
    tracing::error!(
        thread = current.name().unwrap_or("without a name"),
        at,
        backtrace,
        "panicked: {what}; this is a bug, please report it"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_of_a_loss_is_one_line_of_the_format() {
        let rows = [
            (1, "1 line of the trace was lost because stderr did not take it"),
            (2, "2 lines of the trace were lost because stderr did not take them"),
        ];
        for (lost, want) in rows {
            let text = notice(TraceFormat::Text, lost);
            assert!(text.contains(want) && text.ends_with('\n') && text.lines().count() == 1, "{text}");
            let json: serde_json::Value = serde_json::from_str(&notice(TraceFormat::Json, lost)).unwrap();
            assert_eq!(json["fields"]["message"], want);
            assert_eq!((&json["fields"]["lost"], &json["level"]), (&lost.into(), &"WARN".into()));
        }
    }
}

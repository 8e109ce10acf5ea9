//! What commands print: results on stdout, everything else on stderr.
//!
//! Invariants: text from elsewhere is printed without control characters, so it can't drive the terminal. Nothing here
//! panics because of where it prints; and once there is a trace, only the end waits for stderr, and not for long.

use std::{
    ffi::OsString,
    fmt,
    io::{self, ErrorKind, IsTerminal, Write},
    process::ExitCode,
    sync::OnceLock,
    time::Duration,
};

pub(crate) use largesse::http::one_line as plain;
use largesse_trace::Lines;

/// How long the process, before it ends, waits for stderr to take the last lines.
const LAST_LINES_WAIT_MAX: Duration = Duration::from_millis(500);

/// Writes to stderr, once a trace does.
static TRACE: OnceLock<Lines> = OnceLock::new();

/// The status of a command that kept writing after its reader had gone: what a shell shows for a program that SIGPIPE
/// ended, as it ends most. Source: POSIX, "Shell Command Language", 2.8.2; SIGPIPE is 13.
const NOBODY_READS: u8 = 128 + 13;

/// Why a command did not do what it was asked; the text is for people. Empty if whoever read stdout has gone: they
/// have what they wanted, and nobody needs to be told.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// stdout can't be written to.
    pub(crate) fn of_stdout(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self(String::new()),
            _ => Self(format!("stdout: {error}")),
        }
    }

    /// Prints the reason, if there is one, and returns the status to exit with.
    pub(crate) fn told(&self) -> ExitCode {
        if self.0.is_empty() {
            return ExitCode::from(NOBODY_READS);
        }
        note(&format!("largesse: {self}"));
        ExitCode::FAILURE
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the environment says about terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TerminalWishes {
    colours: Colours,
    redrawing: Redrawing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Fine,
    Unwanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redrawing {
    Fine,
    Unknown,
}

impl TerminalWishes {
    /// From the variables `NO_COLOR` and `TERM`. Source: <https://no-color.org>: set, and not empty. A dumb
    /// terminal understands no escape sequences at all.
    pub(crate) fn of(no_color: Option<OsString>, term: Option<OsString>) -> Self {
        let is_dumb = term.is_some_and(|term| term == "dumb");
        let is_plain = is_dumb || no_color.is_some_and(|value| !value.is_empty());
        Self {
            colours: if is_plain { Colours::Unwanted } else { Colours::Fine },
            redrawing: if is_dumb { Redrawing::Unknown } else { Redrawing::Fine },
        }
    }

    /// Whether output to `output` may be coloured.
    pub(crate) fn may_colour(self, output: &impl IsTerminal) -> bool {
        self.colours == Colours::Fine && output.is_terminal()
    }

    /// Whether a line printed to `output` may be redrawn.
    pub(crate) fn may_redraw(self, output: &impl IsTerminal) -> bool {
        self.redrawing == Redrawing::Fine && output.is_terminal()
    }
}

/// Prints a line on stdout, at once.
///
/// # Errors
/// The pipe is broken, or the disk behind it is full.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Prints a line on stderr. If that fails, there is nowhere left to say so.
pub(crate) fn note(line: &str) {
    match TRACE.get() {
        Some(trace) => trace.push(format!("{line}\n").as_bytes()),
        None => _ = writeln!(io::stderr().lock(), "{line}"),
    }
}

/// From now on a trace writes to stderr, for the rest of the process.
pub(crate) fn hand_over(trace: Lines) {
    // There is only one trace per process.
    let _ = TRACE.set(trace);
}

/// Gives stderr a short while to take the last lines: nothing is printed after this.
pub(crate) fn end() {
    if let Some(trace) = TRACE.get() {
        trace.end(LAST_LINES_WAIT_MAX);
    }
}

/// `1 event`, `2 events`: for things whose plural just adds an s.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_what_a_terminal_gets() {
        let rows = [
            (None, None, (Colours::Fine, Redrawing::Fine)),
            (None, Some("xterm-256color"), (Colours::Fine, Redrawing::Fine)),
            (Some(""), Some("xterm"), (Colours::Fine, Redrawing::Fine)),
            (Some("1"), Some("xterm"), (Colours::Unwanted, Redrawing::Fine)),
            (Some("0"), None, (Colours::Unwanted, Redrawing::Fine)),
            (None, Some("dumb"), (Colours::Unwanted, Redrawing::Unknown)),
            (Some("1"), Some("dumb"), (Colours::Unwanted, Redrawing::Unknown)),
        ];
        for (no_color, term, want) in rows {
            let wishes = TerminalWishes::of(no_color.map(OsString::from), term.map(OsString::from));
            assert_eq!((wishes.colours, wishes.redrawing), want, "{no_color:?} {term:?}");
        }
    }

    #[test]
    fn whoever_closed_stdout_is_told_nothing_but_others_are() {
        assert_eq!(Failure::of_stdout(&ErrorKind::BrokenPipe.into()).to_string(), "");
        let full = Failure::of_stdout(&ErrorKind::StorageFull.into()).to_string();
        assert_eq!(full, "stdout: no storage space");
    }
}

//! How far a long task has come, on a terminal.
//!
//! Invariants: it is drawn on stderr alone, and only where that is a terminal whose lines can be redrawn; nothing of it
//! is left when the task ends; a pipe or a file gets none of it. Does not know what the task is.

use std::{borrow::Cow, io};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::config::terminal_wishes;

/// How often it is drawn, at most, per second.
const DRAWN_PER_S: u8 = 10;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Events,
}

/// What the work writes to stdout meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Line after line: on a terminal the lines themselves show how far it is.
    Flows,
    /// Little, each time through [`Progress::beside`].
    Rare,
}

/// The task's progress, drawn until this is dropped.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins to show `work`, which is complete at `total`, if that is known.
    pub(crate) fn begin(
        work: impl Into<Cow<'static, str>>,
        unit: Unit,
        total: Option<u64>,
        output: Output,
    ) -> Self {
        let wishes = terminal_wishes();
        let is_in_the_way = output == Output::Flows && io::IsTerminal::is_terminal(&io::stdout());
        if is_in_the_way || !wishes.may_redraw(&io::stderr()) {
            return Self::hidden();
        }
        let target = ProgressDrawTarget::stderr_with_hz(DRAWN_PER_S);
        let style =
            ProgressStyle::with_template(template(unit, total)).expect("a test looks at the templates");
        let bar = ProgressBar::with_draw_target(total, target).with_style(style).with_message(work);
        bar.tick();
        Self(bar)
    }

    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// This much more is done.
    pub(crate) fn advance(&self, more: u64) {
        self.0.inc(more);
    }

    /// Runs `print` while nothing is drawn.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Each fits a terminal of 80 columns.
fn template(unit: Unit, total: Option<u64>) -> &'static str {
    match (unit, total) {
        (Unit::Bytes, Some(_)) => "{msg} [{bar:20}] {percent}% of {total_bytes}, {eta} left",
        (Unit::Bytes, None) => "{msg} {spinner} {bytes}",
        (Unit::Events, Some(_)) => "{msg} [{bar:20}] {percent}% of {human_len} events, {eta} left",
        (Unit::Events, None) => "{msg} {spinner} {human_pos} events",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid() {
        for unit in [Unit::Bytes, Unit::Events] {
            for total in [None, Some(1)] {
                assert!(ProgressStyle::with_template(template(unit, total)).is_ok(), "{unit:?} {total:?}");
            }
        }
    }
}

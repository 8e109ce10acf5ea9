//! What a person sees when a run fails.

use crate::trace::Trace;

/// Prints the run's last acts, and how to repeat it, when a panic drops this.
pub(super) struct Shown {
    trace: Trace,
    again: String,
}

impl Shown {
    pub(super) fn new(trace: &Trace, again: String) -> Self {
        Self { trace: trace.clone(), again }
    }
}

impl Drop for Shown {
    #[expect(clippy::print_stderr, reason = "a panic prints to stderr, and this belongs to it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "The last acts of the run that failed:\n{}Again: {}",
                self.trace.last_lines(),
                self.again
            );
        }
    }
}

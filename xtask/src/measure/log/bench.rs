//! The bench of `largesse-disk`: built, and run with a deadline, its rows passed on as they come.
//!
//! Invariant: a run that was started has ended before this returns.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::table::Table;
use crate::shell::{self, Failure};

const BUILD: &[&str] = &["build", "--release", "--package", "largesse-disk", "--bench", "table"];
/// What a run prints when it can be killed.
const KILLABLE: &str = "killable";
/// Rows that wait to be printed.
const LINES_WAITING_MAX: usize = 16;

/// The program.
pub(super) struct Bench(PathBuf);

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    ByItself,
    /// With SIGKILL, as soon as it says that it can be.
    Killed,
}

/// A run in progress, which ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only if the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Bench {
    /// Builds it, and asks cargo where it is: its file name contains a hash.
    pub(super) fn built() -> Result<Self, Failure> {
        shell::pass(&mut shell::cargo(BUILD))?;
        let told = shell::output(shell::cargo(BUILD).arg("--message-format=json"))?;
        let told = String::from_utf8_lossy(&told);
        let path = told.lines().rev().find_map(executable);
        path.map(Self).ok_or_else(|| Failure("Cargo did not say where the bench is.".to_owned()))
    }

    /// Runs one command to its end.
    ///
    /// # Errors
    /// It does not start, fails, or takes longer than allowed.
    pub(super) fn run(
        &self,
        words: &[&str],
        time_max: Duration,
        end: End,
        table: &mut Table,
    ) -> Result<(), Failure> {
        let mut command = Command::new(&self.0);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped());
        let shown = shell::shown(&command);
        let begun = Instant::now();
        let child =
            command.spawn().map_err(|error| Failure(format!("`{shown}` does not start: {error}.")))?;
        let mut running = Running(child);
        let stdout = running.0.stdout.take().expect("stdout was asked for as a pipe");
        let lines = lines(stdout);
        loop {
            match lines.recv_timeout(time_max.saturating_sub(begun.elapsed())) {
                Ok(line) if line == KILLABLE && end == End::Killed => return Ok(()),
                Ok(line) => table.line(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Failure(format!("`{shown}` took more than {time_max:?}.")));
                }
            }
        }
        let status = running.0.wait().map_err(|error| Failure(format!("`{shown}`: {error}.")))?;
        if status.success() { Ok(()) } else { Err(Failure(format!("`{shown}` failed: {status}."))) }
    }
}

/// The pipe is read on a thread, so that a silent run cannot block us. The thread ends with the run.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (tell, told) = sync_channel(LINES_WAITING_MAX);
    std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // Nobody listens any more once the wait is over.
        let _ = lines.map(|line| tell.send(line)).find(Result::is_err);
    });
    told
}

/// The path in a line from cargo, if it names a program.
fn executable(line: &str) -> Option<PathBuf> {
    let (_, rest) = line.split_once(r#""executable":""#)?;
    rest.split_once('"').map(|(path, _)| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(script: &str, time_max: Duration, end: End) -> Result<(), Failure> {
        let shell = Bench(shell::find("sh").expect("a shell"));
        shell.run(&["-c", script], time_max, end, &mut Table::begin())
    }

    #[test]
    fn a_run_is_over_when_it_ends_and_its_failure_is_reported() {
        let long = Duration::from_secs(60);
        assert!(ran("echo row", long, End::ByItself).is_ok());
        let failed = ran("exit 3", long, End::ByItself).expect_err("it failed").0;
        assert!(failed.contains("exit status: 3"), "{failed}");
    }

    #[test]
    fn a_run_that_takes_too_long_is_ended() {
        let failed = ran("exec tail -f /dev/null", Duration::from_millis(50), End::ByItself);
        assert!(failed.expect_err("it never ends").0.contains("took more than 50ms"));
    }

    #[test]
    fn a_run_that_can_be_killed_is() {
        assert!(ran("echo killable; exec tail -f /dev/null", Duration::from_secs(60), End::Killed).is_ok());
    }

    #[test]
    fn a_program_is_found_in_what_cargo_prints() {
        let line = r#"{"reason":"compiler-artifact","executable":"/t/deps/table-1","fresh":true}"#;
        assert_eq!(executable(line), Some(PathBuf::from("/t/deps/table-1")));
        assert_eq!(executable(r#"{"executable":null}"#), None);
    }
}

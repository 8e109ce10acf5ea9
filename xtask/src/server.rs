//! The release binary, built and started to be measured from the outside.
//!
//! Invariant: a started server ends with its owner. It does not know what is measured.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::shell::{self, Failure};

/// Long enough for the slowest machine; a server that has printed nothing by then never will.
const LINE_WAIT: Duration = Duration::from_secs(10);

const SERVE: &[&str] = &["serve", "--listen", "127.0.0.1:0"];
const LISTENS: &str = "listening on http://";

/// Builds the release binary and returns its path.
///
/// # Errors
/// The build fails.
pub(crate) fn built() -> Result<PathBuf, Failure> {
    shell::pass(&mut shell::cargo(&["build", "--release", "--package", "largesse"]))?;
    Ok(profiles()?.join("release").join(format!("largesse{}", std::env::consts::EXE_SUFFIX)))
}

/// Cargo's target folder, which has a folder for each profile. The one we were built in, so that whatever changes it
/// for cargo changes it for both.
///
/// # Errors
/// The system does not say where xtask is.
pub(crate) fn profiles() -> Result<PathBuf, Failure> {
    let ours = std::env::current_exe().map_err(|error| Failure(format!("Where xtask is: {error}.")))?;
    Ok(ours.parent().and_then(Path::parent).unwrap_or(shell::root()).to_owned())
}

/// A started server, which ends with its owner.
pub(crate) struct Server {
    child: Child,
    address: String,
    listening_after: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the binary on a free port, with its log in memory, and waits until it says that it listens.
    ///
    /// # Errors
    /// It does not start, or does not say so in time.
    pub(crate) fn start(binary: &Path) -> Result<Self, Failure> {
        Self::start_with(binary, &["--memory".as_ref()])
    }

    /// Like [`Server::start`], with its log in a folder.
    ///
    /// # Errors
    /// Like [`Server::start`].
    pub(crate) fn start_on_disk(binary: &Path, data: &Path) -> Result<Self, Failure> {
        Self::start_with(binary, &["--data".as_ref(), data.as_os_str()])
    }

    fn start_with(binary: &Path, words: &[&OsStr]) -> Result<Self, Failure> {
        let mut command = Command::new(binary);
        let folder = binary.parent().unwrap_or(shell::root());
        command.args(SERVE).args(words).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let begun = Instant::now();
        let unstartable = |error| Failure(format!("{} does not start: {error}.", binary.display()));
        let child = command.spawn().map_err(unstartable)?;
        let server = Self { child, address: String::new(), listening_after: Duration::ZERO };
        server.listening(begun).ok_or_else(|| silent(&command))
    }

    /// From the spawn to the line that says where it listens.
    pub(crate) fn listening_after(&self) -> Duration {
        self.listening_after
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Memory that the process uses now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kib.unwrap_or(0) * 1024
    }

    fn listening(mut self, begun: Instant) -> Option<Self> {
        let stdout = self.child.stdout.take().expect("stdout was asked for as a pipe");
        let (address, at) = first_address(stdout)?;
        self.address = address;
        self.listening_after = at.duration_since(begun);
        Some(self)
    }
}

/// The pipe is read on a thread, so that a silent server cannot block us. The thread ends when the
/// line came or the server did.
fn first_address(stdout: ChildStdout) -> Option<(String, Instant)> {
    let (tell, told) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let heard = lines.find_map(|line| Some((line.strip_prefix(LISTENS)?.to_owned(), Instant::now())));
        // Nobody listens any more once the wait is over.
        let _ = tell.send(heard);
    });
    told.recv_timeout(LINE_WAIT).ok().flatten()
}

fn silent(command: &Command) -> Failure {
    let command = shell::shown(command);
    Failure(format!("The server never said `{LISTENS}…` on stdout. To see why, run: {command}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_without_the_line_is_a_failure_at_once() {
        let cargo = shell::find("cargo").expect("cargo runs this test");
        assert!(Server::start(&cargo).is_err());
    }

    #[test]
    fn the_line_is_found_after_others() {
        let script = format!("echo starting; echo '{LISTENS}127.0.0.1:1'; read forever");
        let mut command = shell::program("sh", &["-c", &script]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        let held_open = child.stdin.take();
        let server = Server { child, address: String::new(), listening_after: Duration::ZERO };
        let server = server.listening(Instant::now()).expect("the line");
        assert_eq!(server.address(), "127.0.0.1:1");
        drop(held_open);
    }
}

//! The server's own binary, on a free port.
//!
//! Invariant: the process ends with its owner. Started again, it listens on the same port.
//!
//! If its system calls are traced, the child is strace, and the server is the child's child.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;

use crate::scratch::{Scratch, profile_folder};
use crate::{WAIT_MAX, fail};

const LISTENS: &str = "listening on http://";

/// A running `largesse serve`: with `--memory`, or with `--data` and a folder of its own.
///
/// It takes no setting from this process's environment, only those it was started with. Its trace is in the file
/// `trace` of its folder, which stays when a test fails.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    setup: Setup,
}

/// What all starts of one server have in common.
#[derive(Debug)]
struct Setup {
    settings: Vec<(String, String)>,
    keeping: Keeping,
    /// The system calls to trace.
    traced: Option<&'static str>,
    trace: Trace,
    folder: Scratch,
}

/// Where a server's stderr goes.
#[derive(Clone, Copy, Debug)]
enum Trace {
    File,
    /// A device that takes nothing: each line is an error.
    FullDevice,
}

/// Where a server keeps its events.
#[derive(Clone, Copy, Debug)]
enum Keeping {
    Memory,
    Disk,
}

impl Server {
    /// Starts the binary and waits until it listens. It keeps its events in memory.
    ///
    /// - `settings`: configuration, as environment variables: `("LARGESSE_HTTP_RETRY_MIN", "100ms")`.
    /// - The binary is the one in cargo's profile folder, beside the tests; or what `LARGESSE_BINARY` names.
    #[must_use]
    #[track_caller]
    pub fn start(settings: &[(&str, &str)]) -> Self {
        Self::started(Keeping::Memory, None, Trace::File, settings)
    }

    /// The same, but it keeps its events on disk: they are still there when it is started again.
    #[must_use]
    #[track_caller]
    pub fn start_on_disk(settings: &[(&str, &str)]) -> Self {
        Self::started(Keeping::Disk, None, Trace::File, settings)
    }

    /// The same, but nothing takes its trace, as with `2>/dev/full`. Linux only.
    #[must_use]
    #[track_caller]
    pub fn start_with_a_lost_trace(settings: &[(&str, &str)]) -> Self {
        Self::started(Keeping::Disk, None, Trace::FullDevice, settings)
    }

    /// The same, and strace records its system calls of these names, for [`Server::stopped`]. Linux only.
    ///
    /// - `calls`: names, separated by commas.
    #[must_use]
    #[track_caller]
    pub fn start_traced(calls: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::started(Keeping::Disk, Some(calls), Trace::File, settings)
    }

    #[track_caller]
    fn started(
        keeping: Keeping,
        traced: Option<&'static str>,
        trace: Trace,
        settings: &[(&str, &str)],
    ) -> Self {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let setup = Setup { settings, keeping, traced, trace, folder: Scratch::new("server") };
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, address) = setup.spawned(any_port);
        Self { child, address, setup }
    }

    /// Where it listens: an address of 127.0.0.1.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path with its query: `/streams/a?from=now`.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Kills the process, as a crash would. What it kept in memory is gone, and its connections are reset; what is
    /// on disk stays as it is.
    pub fn kill(&mut self) {
        self.setup.kill(&mut self.child);
    }

    /// Asks it to stop, and returns what strace recorded: a line per call, or
    /// two where another thread came between.
    ///
    /// # Panics
    /// It was not traced, or does not stop cleanly.
    #[must_use]
    #[track_caller]
    pub fn stopped(mut self) -> String {
        let is_asked = self.setup.signal("TERM");
        assert!(is_asked, "a traced server takes a signal");
        let status = self.child.wait().expect("a child can be waited for");
        self.setup.forget_pid();
        assert!(status.success(), "the server stops cleanly: {status}");
        let calls = std::fs::read(self.setup.path(CALLS)).expect("strace writes a file");
        String::from_utf8_lossy(&calls).into_owned()
    }

    /// Starts it again, on the same port, with the same settings.
    ///
    /// Kills it first if it still runs.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        let (child, address) = self.setup.spawned(self.address);
        assert_eq!(address, self.address, "a server listens where it was told to");
        self.child = child;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Setup {
    #[track_caller]
    fn spawned(&self, listen: SocketAddr) -> (Child, SocketAddr) {
        let binary = binary();
        let mut child = self.command(&binary, listen).spawn().unwrap_or_else(|error| {
            let program = if self.traced.is_some() { "strace" } else { "the server" };
            let binary = binary.display();
            fail(&format!(
                "{program} does not start ({error}): `cargo xtask needs`, and {BUILD} for {binary}"
            ))
        });
        match first_address(&mut child) {
            Some(address) => (child, address),
            None => {
                self.kill(&mut child);
                let trace = std::fs::read_to_string(self.path(TRACE)).unwrap_or_default();
                fail(&format!("{} does not listen on {listen}:\n{trace}", binary.display()))
            }
        }
    }

    fn command(&self, binary: &Path, listen: SocketAddr) -> Command {
        let trace = match self.trace {
            Trace::File => File::options().create(true).append(true).open(self.path(TRACE)),
            Trace::FullDevice => File::options().write(true).open("/dev/full"),
        };
        let trace = trace.expect("a folder of our own can be written to");
        let mut command = match self.traced {
            None => Command::new(binary),
            Some(calls) => traced(calls, binary),
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LARGESSE_") {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        command.args(["serve", "--listen", &listen.to_string()]).current_dir(self.folder.path());
        match self.keeping {
            Keeping::Memory => command.arg("--memory"),
            Keeping::Disk => command.args(["--data", "data"]),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(trace);
        command
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn kill(&self, child: &mut Child) {
        // If strace were killed, the server would live on without it. Each of these fails only if it has already ended.
        if self.traced.is_none() || !self.signal("KILL") {
            let _ = child.kill();
        }
        let _ = child.wait();
        self.forget_pid();
    }

    /// The process has ended; its number may soon be another's.
    fn forget_pid(&self) {
        // There is none if nothing was traced.
        let _ = std::fs::remove_file(self.path(PID));
    }

    /// Sends a signal to a traced server, if there is one.
    fn signal(&self, signal: &str) -> bool {
        let Ok(pid) = std::fs::read_to_string(self.path(PID)) else { return false };
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, pid.trim()]).stderr(Stdio::null());
        kill.status().is_ok_and(|status| status.success())
    }
}

/// Files in a server's folder: its trace, its system calls, the number of a traced process.
const TRACE: &str = "trace";
const CALLS: &str = "calls";
const PID: &str = "pid";
/// Longer than any text that is written at once.
const TEXT_BYTES_MAX: &str = "1000000";

/// The beginning of a command that makes strace start the binary. The server writes down its own process number.
fn traced(calls: &str, binary: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", TEXT_BYTES_MAX, "-o", CALLS, "-e"]).arg(format!("trace={calls}"));
    command.args(["sh", "-c", r#"echo $$ >"$0" && exec "$@""#, PID]).arg(binary);
    command
}

const BUILD: &str = "build it first, with `cargo build -p largesse`";

fn binary() -> PathBuf {
    let beside = || profile_folder().join(format!("largesse{}", std::env::consts::EXE_SUFFIX));
    std::env::var_os("LARGESSE_BINARY").map_or_else(beside, PathBuf::from)
}

/// The pipe is read on a thread, so that a silent server cannot block us. The thread ends when the line
/// came or the server did.
fn first_address(child: &mut Child) -> Option<SocketAddr> {
    let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
    let (tell, told) = sync_channel(1);
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix(LISTENS)?.parse().ok());
        // Nobody listens any more once the wait is over.
        let _ = tell.send(address);
    });
    told.recv_timeout(WAIT_MAX).ok().flatten()
}

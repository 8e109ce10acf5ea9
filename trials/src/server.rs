//! The server's own binary, on a free port.
//!
//! Invariant: the process ends with its owner. Started again, it listens on the port that it had.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;

use crate::scratch::{Scratch, profile_folder};
use crate::{WAIT_MAX, fail};

const LISTENS: &str = "listening on http://";

/// A running `largesse serve --memory`.
///
/// It has no setting of this process's environment, only those it was started with. Its trace is in the file
/// `trace` of its folder, which stays when a test fails.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    settings: Vec<(String, String)>,
    folder: Scratch,
}

impl Server {
    /// Starts the binary and waits until it listens.
    ///
    /// - `settings`: configuration, as environment variables: `("LARGESSE_HTTP_RETRY_MIN", "100ms")`.
    /// - The binary is the one in cargo's profile folder, beside the tests; or what `LARGESSE_BINARY` names.
    #[must_use]
    #[track_caller]
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let folder = Scratch::new("server");
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, address) = spawned(any_port, &settings, &folder);
        Self { child, address, settings, folder }
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

    /// Kills the process, as a crash would. What it kept in memory is gone, and its connections are reset.
    pub fn kill(&mut self) {
        // Either fails only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, on the same port, with the same settings.
    ///
    /// Kills it first if it still runs.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        let (child, address) = spawned(self.address, &self.settings, &self.folder);
        assert_eq!(address, self.address, "a server listens where it was told to");
        self.child = child;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[track_caller]
fn spawned(listen: SocketAddr, settings: &[(String, String)], folder: &Scratch) -> (Child, SocketAddr) {
    let binary = binary();
    let trace = File::options().create(true).append(true).open(folder.path().join("trace"));
    let trace = trace.expect("a folder of our own can be written to");
    let mut command = Command::new(&binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LARGESSE_") {
            command.env_remove(name);
        }
    }
    command.envs(settings.iter().map(|(key, value)| (key, value)));
    command.args(["serve", "--memory", "--listen", &listen.to_string()]).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(trace);
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| fail(&format!("{} does not start ({error}): {BUILD}", binary.display())));
    match first_address(&mut child) {
        Some(address) => (child, address),
        None => {
            // Either fails only when the process has ended already.
            let _ = child.kill();
            let _ = child.wait();
            let trace = std::fs::read_to_string(folder.path().join("trace")).unwrap_or_default();
            fail(&format!("{} does not listen on {listen}:\n{trace}", binary.display()))
        }
    }
}

const BUILD: &str = "build it first, with `cargo build -p largesse`";

fn binary() -> PathBuf {
    let beside = || profile_folder().join(format!("largesse{}", std::env::consts::EXE_SUFFIX));
    std::env::var_os("LARGESSE_BINARY").map_or_else(beside, PathBuf::from)
}

/// The pipe is read on a thread, so that a server that says nothing cannot hold us. The thread ends when the line
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
